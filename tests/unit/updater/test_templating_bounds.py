"""Templates are hostile text: only one error, bounded time and output, nothing of Python in reach."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater import templating
from updater.templating import Record, TemplateError

IMAGE = Record({"Name": "foo/bar", "NewTag": "1.1"})
DATA = Record({"Images": (IMAGE,) * 50, "AppName": "shop", "Labels": {"a": "1"}})
# A10, and what other template languages would do with it.
A10 = [
    "main:{{.Missing}}",
    "{{range .Images}}" * 10_000,
    "{{ settings.SECRET_KEY }}",
    "{{.AppName.__class__}}",
    "{{(index .Images 0).fields}}",
    "{{call .AppName}}",
]
HUGE = [
    "{{$x := .AppName}}" + '{{$x = printf "%s%s" $x $x}}' * 60,
    "{{range $a := .Images}}" * 6 + "x" + "{{end}}" * 6,
    "{{range .Images}}{{range $.Images}}{{range $.Images}}{{$.AppName}}{{end}}{{end}}{{end}}",
    "{{range .Images}}{{range $.Images}}{{range $.Images}}{{end}}{{end}}{{end}}" * 3,
    "(" * 5000,
    "{{" + "(" * 5000,
    "{{" + "not (" * 100 + "1",
    "{{if .AppName}}" * 33 + "{{end}}" * 33,
    "x" * (templating.MAX_LENGTH + 1),
    '{{printf "%1000d%1000d" 1 1}}' * 60,
    "{{println " + ".AppName " * 60 + "}}" + "{{.Images}}" * 1000,
    "{{" + '"' + "a" * 15_000,
    "{{" + "." * 15_000,
    "{{" + ".a" * 7_000 + "!",
    "{{/*" * 4_000,
]
PIECES = [
    "{{", "}}", "{{- ", " -}}", ".AppName", ".Images", "$x", "$", ":=", "=", "|", "(", ")", ",",
    "range ", "if ", "with ", "else", "end", "printf ", "len ", "index ", "slice ", "eq ", "and ",
    "1", "-2", "1.5", '"a"', '"%s%d"', "`b`", "/*", "*/", " ", "\n", "text", ".", "é", "%", "'",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
ACTIONS = st.lists(st.sampled_from(PIECES[4:]), max_size=8).map(
    lambda parts: f"{{{{{''.join(parts)}}}}}"
)
CALMLY = settings(deadline=None, max_examples=200)  # a busy machine is no failure


@pytest.mark.parametrize("text", A10, ids=[text[:40] for text in A10])
def test_render_a10_anything_undocumented_is_refused(text):
    with pytest.raises(TemplateError):
        templating.parse(text).render(DATA)


@pytest.mark.parametrize(
    "text", ["{0.__class__.__mro__}", '{% include "x" %}', "%(AppName)s", "${x}"]
)
def test_render_a10_other_languages_are_plain_text(text):
    assert templating.parse(text).render(DATA) == text


@pytest.mark.parametrize("text", HUGE, ids=range(len(HUGE)))
def test_render_huge_is_bounded_in_time_and_size(text):
    started = time.process_time()

    try:
        result = templating.parse(text).render(DATA)
    except TemplateError:
        result = ""

    assert len(result) <= 64 * 1024
    assert time.process_time() - started < 2


def test_render_too_many_steps_is_refused():
    with pytest.raises(TemplateError, match="takes more than 20000 steps"):
        templating.parse(HUGE[3]).render(DATA)


def test_render_too_long_result_is_refused():
    with pytest.raises(TemplateError, match="longer than 65536 characters"):
        templating.parse(HUGE[9]).render(DATA)
    with pytest.raises(TemplateError, match="longer than 65536 characters"):
        templating.parse(HUGE[0]).render(DATA)


def test_render_variable_of_another_branch_has_no_value():
    text = "{{if false}}{{$x := 1}}{{else}}{{$x}}{{end}}"

    with pytest.raises(TemplateError, match=r"the variable \$x has no value here"):
        templating.parse(text).render(DATA)
    with pytest.raises(TemplateError, match=r"the variable \$x has no value here"):
        templating.parse(text.replace("{{$x}}", "{{$x = 2}}")).render(DATA)


@CALMLY
@given(SOUP | ACTIONS | st.text(max_size=30).map(lambda text: f"{{{{{text}}}}}"))
def test_render_any_template_raises_nothing_but_its_error(text):
    try:
        result = templating.parse(text).render(DATA)
    except TemplateError as error:
        result = str(error)

    assert isinstance(result, str)


@CALMLY
@given(st.text(max_size=60).filter(lambda text: "{{" not in text))
def test_render_text_without_actions_stays(text):
    assert templating.parse(text).render(DATA) == text

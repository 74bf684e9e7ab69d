"""Templates against Go's own answers, and every refusal with its place."""

import pytest

from updater import templating
from updater.templating import Record, TemplateError

SHA = "0fcc2782543e4bb067c174c21bf44eb947f3e55c0d62c403e359c1c209cbd041"
DATA = Record(
    {
        "Images": (
            Record({"Name": "foo/bar", "Alias": "fb", "OldTag": "1.0", "NewTag": "1.1"}),
            Record({"Name": "bar/baz", "Alias": "", "OldTag": "2.0", "NewTag": "2.1"}),
        ),
        "SHA256": SHA,
        "AppName": 'foo"b\té\u200bar',
        "Labels": {"b": "2", "a": "1"},
        "Empty": (),
        "Flag": True,
        "Count": 42,
    }
)
# Rendered by Go 1.26's text/template over the same data.
RENDERED = [
    (
        "image-updater{{range .Images}}-{{.Name}}-{{.NewTag}}{{end}}",
        "image-updater-foo/bar-1.1-bar/baz-2.1",
    ),
    ("{{.SHA256}}", "0fcc2782543e4bb067c174c21bf44eb947f3e55c0d62c403e359c1c209cbd041"),
    ('{{printf "%.7s" .SHA256}}', "0fcc278"),
    ("{{slice .SHA256 0 7}}", "0fcc278"),
    ("{{ range $i, $v := .Images -}} {{$i}}={{$v.Name}} {{- end }}", "0=foo/bar1=bar/baz"),
    ("{{range .Empty}}x{{else}}none{{end}}", "none"),
    ("{{range .Labels.zz}}x{{else}}none{{end}}", "none"),
    ("{{range $x := .Images}}{{$x.NewTag}}{{$.Count}}{{end}}", "1.1422.142"),
    ("{{if .Flag}}yes{{else}}no{{end}}", "yes"),
    ("{{if not .Flag}}a{{else if eq .Count 42}}b{{else}}c{{end}}", "b"),
    ("{{if and .Flag (gt .Count 40)}}in{{end}}", "in"),
    ('{{if or .Empty "" 0}}x{{else}}y{{end}}', "y"),
    ('{{and 1 0 2}}|{{or 0 "" "x" 5}}|{{not 0}}|{{and .Flag}}', "0|x|true|true"),
    ("{{with .Labels}}{{.a}}{{end}}{{with .Empty}}x{{else}}e{{end}}", "1e"),
    ("{{with $x := .Count}}{{$x}}{{end}}{{with .Empty}}{{else with .Flag}}{{.}}{{end}}", "42true"),
    ('a  {{- " b " -}}  c', "a b c"),
    ("  {{- /* note */ -}}  x{{/* y */}}z", "xz"),
    ('{{len .Images}} {{len .SHA256}} {{len "é"}} {{len .Labels}}', "2 64 2 2"),
    (
        '{{index .Images 1}} {{(index .Images 0).Name}} {{index .Labels "b"}}|{{index .Labels "zz"}}|',
        "{bar/baz  2.0 2.1} foo/bar 2||",
    ),
    (
        '{{eq 1 1}} {{eq "a" "b" "a"}} {{ne 1 2}} {{lt 1 2}} {{le "b" "a"}} {{gt 2.5 1.5}} {{ge 1 1}}',
        "true true true true false true true",
    ),
    (
        "{{.Labels.zz}}|{{.Labels}}|{{.Images}}|{{.Empty}}|{{.Flag}}",
        "<no value>|map[a:1 b:2]|[{foo/bar fb 1.0 1.1} {bar/baz  2.0 2.1}]|[]|true",
    ),
    ('{{printf "%s-%d-%q-%v-%%" "a" 5 "b\\"" true}}', 'a-5-"b\\""-true-%'),
    (
        '{{printf "%5d|%-5d|%05d|%5s|%-5s|%.2s" 42 42 42 "ab" "ab" "abc"}}',
        "   42|42   |00042|   ab|ab   |ab",
    ),
    (
        '{{printf "%d %s" "a" 5}} {{printf "%s"}} {{printf "x" 1 "y"}} {{printf "%v" .Labels.zz}}',
        "%!d(string=a) %!s(int=5) %!s(MISSING) x%!(EXTRA int=1, string=y) <nil>",
    ),
    (
        '{{printf "%q" .Images}} {{printf "%s" .Labels}}',
        '[{"foo/bar" "fb" "1.0" "1.1"} {"bar/baz" "" "2.0" "2.1"}] map[a:1 b:2]',
    ),
    ('{{print 1 2 "a" "b" 3}} {{println "a" 1}}end', "1 2ab3 a 1\nend"),
    ('{{.Count | printf "%d-%s" 1 | len}} {{"abc" | len | eq 3}}', "13 true"),
    ("{{$x := 1}}{{$x}}{{$x = 2}}{{$x}}{{range .Images}}{{$x = .NewTag}}{{end}}{{$x}}", "122.1"),
    ("{{$x := .Images}}{{range $x}}{{.Name}}{{end}}{{(index $x 0).Alias}}", "foo/barbar/bazfb"),
    ("{{range $i, $_ := .Images}}{{if $i}}, {{end}}{{.Name}}{{end}}", "foo/bar, bar/baz"),
    (
        "{{1}} {{-3}} {{0x1F}} {{0b11}} {{017}} {{1_000}} {{1.5}} {{1e3}} {{1e6}} {{0.00001}} {{true}}",
        "1 -3 31 3 15 1000 1.5 1000 1e+06 1e-05 true",
    ),
    ('{{"a\\tb\\n\\\\\\"\\u00e9\\x41\\101"}} {{`raw\\n`}}', 'a\tb\n\\"éAA raw\\n'),
    (
        '{{printf "%q" "a\\tbé"}} {{printf "%q" "\\a\\b\\f\\v\\r\\u200b\\U0001F389\\u0001"}}',
        '"a\\tbé" "\\a\\b\\f\\v\\r\\u200b🎉\\x01"',
    ),
    (
        '{{slice "héllo" 0 1}} {{slice .Images 1}} {{slice "abc"}} {{slice "abc" 1}} {{slice .Images 0 1 1}}',
        "h [{bar/baz  2.0 2.1}] abc bc [{foo/bar fb 1.0 1.1}]",
    ),
    ("{{ .AppName }}{{.Count}}{{ $.AppName }}", 'foo"b\té\u200bar42foo"b\té\u200bar'),
    ("{{range $k := .Labels}}{{$k}}{{end}}", "12"),
    ('text with { and } and }} and "quotes"', 'text with { and } and }} and "quotes"'),
    ("{{if .Flag}}{{if .Empty}}a{{else}}b{{end}}{{else}}c{{end}}", "b"),
    ('{{len (printf "%s" .AppName)}} {{(len "abc")}} {{not (eq 1 2)}}', "13 3 true"),
    ('{{printf "%.3d|%.3d|%6.3d|" 5 -5 7}}', "005|-005|   007|"),
    ('{{printf "a%%b%%"}}{{print print}}{{.Labels.zz.x}}', "a%b%<no value>"),
    ('{{printf "x" .Labels.zz}}', "x%!(EXTRA <nil>)"),
    ('{{printf "%05d" "x"}}', "%!d(string=0000x)"),
    ('{{index .SHA256 0}} {{eq .Labels.zz "x"}}', "48 false"),
    ("a\n{{- /* note */ -}}\n b\n{{if .Flag -}}\n  c\n{{- end}}\n", "ab\nc\n"),
]
# What is refused, and "column: message"; all of it in line 1.
REFUSED = [
    ("{{printf printf}}", "10: wrong number of arguments for printf"),
    ("{{range $k, $v := .Labels}}{{$k}}={{$v};{{end}}", "39: '}' has no meaning here"),
    ("{{.Missing}}", "3: there is no field .Missing"),
    ("{{.Images.Name}}", "3: there is no field .Name in a list"),
    ("{{.AppName.X}}", "3: there is no field .X in a text"),
    ("{{(index .Images 0).Missing}}", "3: there is no field .Missing"),
    ("{{index .Images 5}}", "3: index 5 is out of range"),
    ("{{index .Labels 1}}", "3: a map has no element 1"),
    ("{{len 5}}", "3: a whole number has no length"),
    ('{{lt 1 "a"}}', "3: a whole number and a text have no order"),
    ('{{eq 1 "a"}}', "3: a whole number and a text cannot be compared"),
    ("{{eq .Images .Images}}", "3: a list cannot be compared"),
    ("{{slice .SHA256 5 99}}", "3: the bounds of slice are out of range"),
    ('{{template "x"}}', "3: template is not supported"),
    ('{{block "x" .}}{{end}}', "3: block is not supported"),
    ("{{nope}}", "3: nope is not supported"),
    ("{{.}", "4: '}' has no meaning here"),
    ("{{if}}x{{end}}", "5: '}}' stands where a value is expected"),
    ("{{if .Flag}}", "3: {{if}} has no {{end}}"),
    ("{{end}}", "3: end has no block to belong to"),
    ("{{else}}", "3: else has no block to belong to"),
    ("{{range .Images}}{{else}}{{else}}{{end}}", "3: {{range}} has no {{end}} after its else"),
    ("{{$x}}", "3: the variable $x does not exist"),
    ("{{nil}}", "3: nil is not supported"),
    ("{{}}", "3: the action is empty"),
    ("{{.A B}}", "6: B is not supported"),
    ('{{"a}}', "3: '\"a' has no meaning here"),
    ("{{`a}}", "3: '`a' has no meaning here"),
    ("{{/* x }}", "1: the comment is not closed: write */}} after it"),
    ("{{1.2.3}}", "3: '1.2.3' has no meaning here"),
    ("{{.Images.}}", "3: '.Images.' has no meaning here"),
    ('{{"\\q"}}', "3: the escape \\q is not understood"),
    ("{{9223372036854775808}}", "3: 9223372036854775808 is too large"),
    ("{{printf}}", "3: wrong number of arguments for printf"),
    ("{{len}}", "3: wrong number of arguments for len"),
    ("{{not 1 2}}", "3: wrong number of arguments for not"),
    ("{{.AppName | .SHA256}}", "14: only a function takes arguments"),
    ('{{"a""b"}}', "6: '\"b\"' needs a space before it"),
    ("{{with $x, $y := .Images}}{{end}}", "10: only range takes two variables"),
    ("{{(1}}", "5: '}}' has no meaning here"),
    ("{{1)}}", "4: ')' has no meaning here"),
    ("{{$.x := 1}}", "3: $.x cannot be assigned to"),
    ("{{$x := 1 := 2}}", "11: ':=' stands where a value is expected"),
    ("{{.AppName .SHA256}}", "3: only a function takes arguments"),
    ("{{if .Flag}}a{{end b}}", "20: 'b' has no meaning after end"),
    ("{{call .X}}", "3: call is not supported"),
    ("{{break}}", "3: break is not supported"),
    ("{{ settings.SECRET_KEY }}", "4: 'settings.SECRET_KEY' has no meaning here"),
    ("{{.__class__}}", "3: there is no field .__class__"),
    ("{{.AppName.__len__}}", "3: there is no field .__len__ in a text"),
    ("{{0.__class__}}", "3: '0.__class__' has no meaning here"),
    ('{{define "x"}}{{end}}', "3: define is not supported"),
    ('{{html "a"}}', "3: html is not supported"),
    ("{{'a'}}", "3: \"'a'\" has no meaning here"),
    ('{{printf "%x" 5}}', "10: %x is not supported"),
    ('{{printf "%"}}', "10: % is not supported"),
    ('{{printf "%*d" 5 1}}', "10: %* is not supported"),
    ('{{printf "%2000d" 1}}', "10: %2000d is wider than 1000"),
    ("{{printf 5 1}}", "10: printf: the format is a whole number, not a text"),
    ("{{range .Count}}{{end}}", "9: range goes over a list or a map, not a whole number"),
    ("{{1e999}}", "3: 1e999 is too large"),
    ("{{11111111111111111111111111111111111111111}}", "3: the number is too long"),
    ('{{"\\ud800"}}', "3: the escape \\ud800 is not understood"),
    ("{{/* x */ y}}", "8: a comment ends with */}} and has its {{ }} to itself"),
    ("{{if .Flag}}{{else}}", "3: {{if}} has no {{end}} after its else"),
    ("{{(index .Images 0) .Name}}", "3: only a function takes arguments"),
    ("{{($x := 1)}}", "3: a variable cannot be set inside ( )"),
    ("{{$x = 1}}", "3: $x cannot be assigned to"),
    ('{{printf "%q" 5}}', "3: printf: %q of a number is not supported"),
    ('{{printf "x" .Images}}', "3: printf: a list too many"),
    ("{{slice .Images 0 1 1 1}}", "3: wrong number of arguments for slice"),
    ("{{slice .SHA256 0 1 1}}", "3: a text cannot be cut so"),
    ("{{slice 5}}", "3: a whole number cannot be cut so"),
    ('{{slice "é" 0 1}}', "3: slice: 'utf-8' codec can't decode"),
    ('{{slice .SHA256 "a"}}', "3: the bounds of slice are out of range"),
    ('{{index .AppName "a"}}', "3: a text has no element 'a'"),
    ("{{printf .Count}}", "3: printf: the format is a whole number, not a text"),
    ("{{len (index .Images 0)}}", "3: a record has no length"),
    ("{{$x := 1}}{{$x.y}}", "14: there is no field .y in a whole number"),
]


@pytest.mark.parametrize(("text", "expected"), RENDERED, ids=[repr(row[0]) for row in RENDERED])
def test_render_gives_go_s_text(text, expected):
    assert templating.parse(text).render(DATA) == expected


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=[repr(row[0]) for row in REFUSED])
def test_render_refuses_with_the_place(text, expected):
    with pytest.raises(TemplateError) as refused:
        templating.parse(text).render(DATA)

    assert str(refused.value).startswith(f"template, line 1, column {expected}")


def test_parse_error_in_a_later_line_names_line_and_column():
    with pytest.raises(TemplateError, match="line 3, column 5"):
        templating.parse("a\n{{.AppName}}\n  {{nope}}")

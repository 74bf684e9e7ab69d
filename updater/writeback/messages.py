"""Commit messages and branch names, from templates, and the trailers that only we may write."""

import hashlib
import re
from collections.abc import Sequence

from updater import templating
from updater.configuration.branches import check_name
from updater.configuration.findings import SettingError
from updater.configuration.model import ApplicationConfiguration, ImageConfiguration
from updater.templating import Record, TemplateError
from updater.writeback.model import ImageChange, WriteBackError

BUILT_IN = """\
build: automatic update of {{.AppName}}

{{range .AppChanges}}updates image {{.Image}} tag '{{.OldTag}}' to '{{.NewTag}}'
{{end}}"""
_LONGEST_BRANCH = 255  # bytes
# All that some program takes for the end of a line, and other control characters.
_NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_TRAILER_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

_Pair = tuple[ImageConfiguration, ImageChange]


def message(
    configuration: ApplicationConfiguration,
    pairs: Sequence[_Pair],
    template: str | None,
    *,
    exact: bool,
) -> tuple[str, list[str]]:
    """Return the commit message, and a warning when the template could not be rendered (3.3.4).

    Raises:
        WriteBackError: the template is not understood.
    """
    one_line = _as_is if exact else one_line_of
    changes = tuple(
        Record(
            {
                "Image": one_line(image.reference.repository),
                "OldTag": one_line(change.old),
                "NewTag": one_line(change.new),
                "Labels": {one_line(key): one_line(value) for key, value in change.labels.items()},
            }
        )
        for image, change in pairs
    )
    data = Record({"AppName": one_line(configuration.name), "AppChanges": changes})
    try:
        parsed = templating.parse(template if template and template.strip() else BUILT_IN)
    except TemplateError as error:
        raise WriteBackError(f"The commit message {error}.") from error
    try:
        return parsed.render(data), []
    except TemplateError as error:
        plain = f"build: update of application {one_line(configuration.name)}"
        return plain, [f"The plain commit message is used: {error}."]


def branch(
    configuration: ApplicationConfiguration, pairs: Sequence[_Pair], *, exact: bool
) -> str | None:
    """Return the branch to write to; None: the remote's default branch (3.3.2, 3.3.6).

    Raises:
        WriteBackError: the template cannot be rendered, or what it renders to is no branch name.
    """
    write_back = configuration.write_back
    if write_back.pull_request:
        name = f"image-updater-{target_key(configuration)}-{changes_hash(pairs)}"
    elif write_back.write_branch is None:
        return write_back.base_branch
    else:
        name = _rendered(write_back.write_branch, pairs)
    return _cut(name) if exact else _checked(name)


def changes_hash(pairs: Sequence[_Pair]) -> str:
    """Return the hash that stands for these changes in branch names."""
    text = "".join(
        f"{image.reference.repository}-{change.old}-{change.new}," for image, change in pairs
    )
    return hashlib.sha256(text.encode()).hexdigest()


def target_key(configuration: ApplicationConfiguration) -> str:
    """Return the eight digits that stand for repository, branch and file in pull-request branches."""
    write_back = configuration.write_back
    path = write_back.target.path if write_back.target else ""
    text = f"{write_back.repository or ''}|{write_back.base_branch or ''}|{path}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def trailers(message: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Append trailers, last; lines of the message that look like one of them lose their colon.

    Raises:
        WriteBackError: a key is not made of letters, digits and hyphens.
    """
    for key, _ in pairs:
        if not _TRAILER_KEY.fullmatch(key):
            raise WriteBackError(f"{key[:80]!r} is not the name of a trailer.")
    body = _LINE_ENDS.sub("\n", message).strip("\n").rstrip()
    keys = "|".join(re.escape(key) for key, _ in pairs)
    if keys:
        body = re.sub(rf"(?im)^(\s*(?:{keys})\s*):", r"\1 -", body)
    body = re.sub(r"(?m)^---", " ---", body)  # git takes what follows it for a patch
    lines = "\n".join(f"{key}: {one_line_of(value)}" for key, value in pairs)
    return "\n\n".join(filter(None, (body or "Update parameters", lines))) + "\n"


def one_line_of(text: str) -> str:
    """Return the text on one line, without control characters."""
    return _NOT_ONE_LINE.sub(" ", text).strip()


def _as_is(text: str) -> str:
    return text


def _rendered(template: str, pairs: Sequence[_Pair]) -> str:
    changed = tuple(
        Record(
            {
                "Name": image.reference.repository,
                "Alias": image.alias,
                "OldTag": change.old,
                "NewTag": change.new,
            }
        )
        for image, change in pairs
    )
    nothing = dict.fromkeys(("AppNamespace", "AppName", "TargetKey"), "")
    data = Record({"Images": changed, "SHA256": changes_hash(pairs), **nothing})
    try:
        return templating.parse(template).render(data)
    except TemplateError as error:
        raise WriteBackError(f"The branch {error}.") from error


def _cut(name: str) -> str:
    cut = name.encode()[:_LONGEST_BRANCH].decode(errors="ignore")
    if not cut:
        raise WriteBackError("The branch template renders to nothing: name a branch.")
    return cut


def _checked(name: str) -> str:
    size = len(name.encode())
    if size > _LONGEST_BRANCH:
        raise WriteBackError(
            f"The branch name has {size} bytes, more than {_LONGEST_BRANCH}: shorten git-branch, "
            "for example to {{.SHA256}}; a name that is cut could stand for two changes."
        )
    try:
        return check_name(name)
    except SettingError as error:
        raise WriteBackError(f"The branch {name[:80]!r} cannot be used. {error}") from error

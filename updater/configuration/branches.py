"""The git branch setting: base, `base:write-template` or `:write-template` (specification 3.3.2)."""

import re
import unicodedata
from dataclasses import dataclass

from updater import templating
from updater.configuration.findings import SettingError
from updater.templating import Record, TemplateError

MAX_BYTES = 255
_MAX_TEMPLATE_LENGTH = 4096
_HEADS = "refs/heads/"
_DEFAULT = "HEAD"
_COMMIT_OR_RANGE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[<>=!].*")
# What `git check-ref-format --branch` refuses, and a leading hyphen, which git would take for an option.
_REFUSED = re.compile(r"[ ~^:?*\[\\\x00-\x20\x7f]|\.\.|@\{|//|/\.|\.lock(/|$)|\.$|/$|^/|^\.|^-|^@$")
_SAMPLE_IMAGES = tuple(
    Record({"Name": f"name/{letter}", "Alias": letter, "OldTag": "1.0.0", "NewTag": "1.1.0"})
    for letter in "abc"
)


class BranchError(SettingError):
    """Not a branch that could be pushed to."""

    code = "BAD_BRANCH"


class BranchTemplateError(SettingError):
    """A branch template outside what is documented."""

    code = "BAD_TEMPLATE"


@dataclass(frozen=True, slots=True)
class BranchSetting:
    """Base and write-branch template; None: not set."""

    base: str | None
    template: str | None


def parse(text: str) -> BranchSetting:
    """Return the setting, both parts checked.

    Raises:
        BranchError: a part is no branch name, or there are too many parts.
        BranchTemplateError: the template is not understood, or asks for what does not exist.
    """
    parts = text.strip().split(":")
    if len(parts) > 2:
        raise BranchError("Write base, base:write-branch or :write-branch, with one colon.")
    base, template = parts[0], "".join(parts[1:])
    return BranchSetting(
        base=check_name(base) if base else None,
        template=_check_template(template) if template else None,
    )


def check_name(text: str) -> str:
    """Return the branch name, without `refs/heads/`, if git would take it."""
    name = text.removeprefix(_HEADS)
    is_odd = any(unicodedata.category(letter) in ("Cf", "Cs", "Zl", "Zp") for letter in name)
    if not name or is_odd or _REFUSED.search(name) or name.startswith("refs/"):
        raise BranchError("This is not the name of a branch that can be pushed to: name one.")
    if len(name.encode()) > MAX_BYTES:
        raise BranchError(f"A branch name has at most {MAX_BYTES} bytes.")
    return name


def check_revision(text: str) -> str | None:
    """Return the branch a `targetRevision` stands for; None: the remote's default branch.

    Raises:
        BranchError: a commit or a version range, which cannot be pushed to.
    """
    if or_default(text) is None:
        return None
    try:
        return check_name("" if _COMMIT_OR_RANGE.fullmatch(text) else text)
    except BranchError as error:
        raise BranchError(
            "This is a commit, tag or version range, not a branch: set git-branch."
        ) from error


def or_default(text: str) -> str | None:
    """Return the branch, None for the words that mean the remote's default branch."""
    return None if text in ("", _DEFAULT) else text


def _check_template(text: str) -> str:
    if len(text) > _MAX_TEMPLATE_LENGTH:
        raise BranchTemplateError(f"A template has at most {_MAX_TEMPLATE_LENGTH} characters.")
    try:
        rendered = templating.parse(text).render(_sample())
    except TemplateError as error:
        raise BranchTemplateError(
            f"{error}. Known: .Images with .Name, .Alias, .OldTag, .NewTag; and .SHA256."
        ) from error
    if "{" in rendered or "}" in rendered:
        raise BranchTemplateError("Placeholders are written like {{.SHA256}}.")
    check_name("" if rendered == _DEFAULT else rendered)
    return text


def _sample() -> Record:
    fields = {"SHA256": "0" * 64, "AppNamespace": "", "AppName": "", "TargetKey": ""}
    return Record({"Images": _SAMPLE_IMAGES, **fields})

"""Pages on which a person reads the commits of the git host, and the same as JSON."""

import json
from collections.abc import Sequence
from html import escape

from onebox.world.git_host.repositories import HostedCommit

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
  body {{ margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }}
  article {{ border: 1px solid #8884; border-radius: 6px; margin: 1rem 0; padding: 1rem; }}
  h2 {{ font-size: 1rem; margin: 0; }}
  pre {{ overflow-x: auto; font: 13px/1.5 ui-monospace, monospace; }}
  ins, del {{ text-decoration: none; }}
  ins {{ background: #2da44e33; }}
  del {{ background: #cf222e33; }}
  small {{ color: GrayText; }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def frame(title: str, body: str) -> str:
    """Return a page; the body is HTML already."""
    return _PAGE.format(title=escape(title), body=body)


def article(repository: str, found: HostedCommit) -> str:
    """Return one commit as a part of a page."""
    return _article(repository, found)


def index(repositories: Sequence[str]) -> str:
    """Return the page of all repositories."""
    items = (
        f'<li><a href="/{escape(name)}/commits/main">{escape(name)}</a> '
        f'(<a href="/{escape(name)}/pulls">pull requests</a>)'
        for name in repositories
    )
    return _PAGE.format(title="Git repositories", body=f"<ul>{''.join(items)}</ul>")


def commits(repository: str, branch: str, found: Sequence[HostedCommit]) -> str:
    """Return the page of a branch, newest commit first."""
    title = escape(f"{repository}, branch {branch}")
    return _PAGE.format(title=title, body="".join(_article(repository, each) for each in found))


def commit(repository: str, found: HostedCommit) -> str:
    """Return the page of one commit."""
    title = escape(f"{repository}, commit {found.sha[:10]}")
    return _PAGE.format(title=title, body=_article(repository, found))


def as_json(found: Sequence[HostedCommit]) -> str:
    """Return commits for machines."""
    return json.dumps(
        [
            {
                "sha": each.sha,
                "author": each.author,
                "committed_at": each.committed_at.isoformat(),
                "message": each.message,
                "diff": each.diff,
            }
            for each in found
        ]
    )


def _article(repository: str, found: HostedCommit) -> str:
    link = f"/{escape(repository)}/commit/{found.sha}"
    at = found.committed_at.strftime("%Y-%m-%d %H:%M:%S %Z")
    return (
        f'<article><h2><a href="{link}">{found.sha[:10]}</a> {escape(found.subject)}</h2>'
        f"<small>{escape(found.author)}, {at}</small>"
        f"<pre>{escape(found.message)}</pre><pre>{_diff(found.diff)}</pre></article>\n"
    )


def _diff(text: str) -> str:
    return "\n".join(map(_diff_line, text.split("\n")))


def _diff_line(line: str) -> str:
    if line.startswith("+") and not line.startswith("+++"):
        return f"<ins>{escape(line)}</ins>"
    if line.startswith("-") and not line.startswith("---"):
        return f"<del>{escape(line)}</del>"
    return escape(line)

"""I9: made-up secrets in every credential, and where they must not turn up."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from psycopg import sql

GIT = "canary-git-4c1b7e"
REGISTRY = "canary-registry-90d2aa"
CLUSTER = "canary-cluster-77fe31"
PROMOTION = "canary-promotion-1d6c08-" + "0123456789" * 3
KEY = "canary-signing-b82f45-" + "0123456789" * 3
ALL = (GIT, REGISTRY, CLUSTER, PROMOTION, KEY)


def found_in(logs: list[Path], repositories: list[Path]) -> list[str]:
    """Return every place in which a secret turned up."""
    places = [*_files(logs), *_tables(), *_repositories(repositories), *_arguments()]
    return [
        f"{secret[:14]}… in {place}" for place, text in places for secret in ALL if secret in text
    ]


def _files(paths: list[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        yield path.name, path.read_text(encoding="utf-8", errors="replace")


def _tables() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            all_of_it = sql.SQL("SELECT coalesce(string_agg(row::text, ' '), '') FROM {} row")
            cursor.execute(all_of_it.format(sql.Identifier(table)))
            yield f"table {table}", cursor.fetchone()[0]


def _repositories(paths: list[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        command = ["git", f"--git-dir={path}", "log", "--all", "-p", "--format=fuller"]
        done = subprocess.run(command, capture_output=True, check=True)
        yield f"repository {path.name}", done.stdout.decode("utf-8", "replace")


def _arguments() -> Iterator[tuple[str, str]]:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield f"arguments of {entry.parent.name}", entry.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue  # it ended meanwhile

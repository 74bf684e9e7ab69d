"""The updates that write another value to each of many rows: one statement each, where the ORM builds long CASEs."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection


def set_digests(digests: Mapping[int, str], *, at: datetime) -> None:
    """Write the digest behind each tag row, seen now."""
    _run(_DIGESTS, [at, list(digests), list(digests.values())])


_DIGESTS = """
    UPDATE updater_imagetag SET digest = new.digest, digest_seen_at = %s
    FROM unnest(%s::bigint[], %s::text[]) AS new(id, digest)
    WHERE updater_imagetag.id = new.id
"""


def set_positions(positions: Mapping[int, int]) -> None:
    """Write the place of each tag row in the registry's list."""
    _run(_POSITIONS, [list(positions), list(positions.values())])


_POSITIONS = """
    UPDATE updater_imagetag SET position = new.position
    FROM unnest(%s::bigint[], %s::integer[]) AS new(id, position)
    WHERE updater_imagetag.id = new.id
"""


def set_scanned(spent: Mapping[int, tuple[int, int]], *, at: datetime) -> None:
    """Write a good scan of each repository: number of tags, number of requests."""
    tags = [tags for tags, _ in spent.values()]
    requests = [requests for _, requests in spent.values()]
    _run(_SCANNED, [at, list(spent), tags, requests])


_SCANNED = """
    UPDATE updater_imagerepository
    SET scanned_at = %s, is_complete = true, tag_count = new.tags, request_count = new.requests
    FROM unnest(%s::bigint[], %s::integer[], %s::integer[]) AS new(id, tags, requests)
    WHERE updater_imagerepository.id = new.id
"""


def set_choices(choices: Mapping[int, Mapping[str, Any]]) -> None:
    """Write the choice made for each tracked image."""
    documents = [json.dumps(choice) for choice in choices.values()]
    _run(_CHOICES, [list(choices), documents])


_CHOICES = """
    UPDATE updater_trackedimage SET choice = new.choice::jsonb
    FROM unnest(%s::bigint[], %s::text[]) AS new(id, choice)
    WHERE updater_trackedimage.id = new.id
"""


def _run(statement: str, values: list[Any]) -> None:
    if values[-1]:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

"""Pages by cursor: no count, no offset, at most 200 rows."""

from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """Newest first unless the endpoint says otherwise."""

    ordering: str | list[str] | tuple[str, ...] = "-created_at"
    page_size_query_param = "limit"
    max_page_size = 200


class AuditPages(CursorPages):
    """By sequence, the trail's own order."""

    ordering = "-sequence"


class ApplicationPages(CursorPages):
    """By name."""

    ordering = ("namespace", "name", "pk")


class ReviewPages(CursorPages):
    """Latest declared first."""

    ordering = ("-declared_at", "-pk")


class HoldPages(CursorPages):
    """Newest first."""

    ordering = "-id"

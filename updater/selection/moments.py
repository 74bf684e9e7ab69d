"""Times of builds, which may lie in year 1 or 9999 or lack a zone: compared and shown without a fault. Pure."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since_epoch(moment: datetime) -> timedelta:
    """Give a value that sorts like the moment; a moment without a zone is in UTC."""
    # A difference, because the first and the last day cannot be moved to another zone.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH


def shown(moment: datetime) -> str:
    """Show a moment in UTC, to the minute."""
    try:
        in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError:
        in_utc = moment
    return in_utc.isoformat(" ", "minutes")[:16]

"""The short-form rule: a file that leaves the registry out keeps leaving it out (specification 3.6)."""


def shortened(wanted: str, *, present: str, exact: bool) -> str:
    """Return the wanted name without its registry, when the present one has none."""
    first, slash, rest = wanted.partition("/")
    if not slash or "." not in first or not present:
        return wanted
    return wanted if _names_registry(present, exact=exact) else rest


def _names_registry(present: str, *, exact: bool) -> bool:
    """Upstream looks for a dot before the first slash, and finds one in the tag of `app:1.0` too."""
    first, slash, _ = present.partition("/")
    return "." in first and (exact or bool(slash))

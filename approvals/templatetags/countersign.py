"""Small pieces of the look: icons, times, digests. States are written as attributes; CSS finds the colour."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from approvals.models import Decision
from approvals.presenters import people, texts, times

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, tone: str = "") -> SafeString:
    """Return the icon of this name from the sprite; the word beside it says what it means."""
    return format_html(
        '<svg class="icon"{} aria-hidden="true"><use href="{}#{}"/></svg>',
        format_html(' data-tone="{}"', tone) if tone else "",
        static("approvals/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def ago(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """Return how long ago it was, with the exact time behind it."""
    return _time(moment, times.ago(moment, context["now"])) if moment else "never"


@register.simple_tag(takes_context=True)
def age(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """Return how long it has been like this: `4 d 6 h`."""
    return _time(moment, times.long_span(context["now"] - moment)) if moment else "unknown"


@register.simple_tag(takes_context=True)
def left(context: dict[str, Any], moment: datetime | None) -> SafeString | str:
    """Return how much time is left until then."""
    return _time(moment, times.span(moment - context["now"])) if moment else ""


@register.simple_tag
def exact(moment: datetime | None) -> SafeString | str:
    """Return the exact time with its zone."""
    return _time(moment, times.exact(moment)) if moment else "never"


@register.simple_tag
def exact_minute(moment: datetime | None) -> SafeString | str:
    """Return the time to the minute with its zone."""
    return _time(moment, times.exact_minute(moment)) if moment else "never"


@register.simple_tag
def clock(moment: datetime) -> SafeString:
    """Return the time of day."""
    return _time(moment, f"{moment:%H:%M:%S}")


@register.simple_tag
def digest(value: str) -> SafeString | str:
    """Return a digest in full, its first eight characters strong, with a place to break in the middle."""
    if not value:
        return "not known"
    algorithm, _, hexadecimal = texts.visible(value).rpartition(":")
    return format_html(
        '<code class="digest">{}<b>{}</b>{}<wbr>{}</code>',
        f"{algorithm}:" if algorithm else "",
        hexadecimal[:8],
        hexadecimal[8:32],
        hexadecimal[32:],
    )


@register.filter
def decider(decision: Decision) -> str:
    """Return the name of who decided, as it was then."""
    return people.name_of(decision)


@register.filter
def visible(value: object) -> str:
    """Return text from outside with hidden signs written out."""
    return texts.visible(str(value))


@register.filter
def short_digest(value: str) -> str:
    """Return the first twelve characters of a digest, for lists."""
    return value.rpartition(":")[2][:12]


@register.filter
def megabytes(size: int) -> str:
    """Return a size in bytes as people say it."""
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.1f} kB"


def _time(moment: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), text)

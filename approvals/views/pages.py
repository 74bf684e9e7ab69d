"""One URL, one view, two renderings: the whole page, or its live part when htmx asks for that."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers


def show(
    request: HttpRequest, page: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render `folder/page.html`, or `folder/_page.html` alone for an htmx request."""
    template = f"{page}.html"
    if is_partial(request):
        folder, _, name = page.rpartition("/")
        template = f"{folder}/_{name}.html"
    whole = {**context, "is_partial": is_partial(request)}
    response = render(request, template, whole, status=status)
    if is_partial(request):
        # What stands over every page changes with the part that is fetched.
        response.write(render_to_string("components/_banners.html", whole, request))
    patch_vary_headers(response, ["HX-Request"])
    return response


def is_partial(request: HttpRequest) -> bool:
    """Whether only the live part is wanted; going back in history wants the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers

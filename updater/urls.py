"""The product's URLs: pages, API, health."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("approvals.api.urls")),
    path("", include("approvals.urls")),
]

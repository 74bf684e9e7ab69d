"""The pages' addresses. Every view carries its mark from `permissions.guarded`; a guard test walks them."""

from django.urls import path

from approvals.views import (
    accounts,
    applications,
    asking,
    bulk,
    decide,
    emergencies,
    events,
    health,
    pending,
    policies,
    promotions,
    releases,
    returning,
    reviews,
    stopping,
    trail,
)

app_name = "approvals"
urlpatterns = [
    path("", pending.pending_list, name="pending-list"),
    path("pending/review/", bulk.review, name="bulk-review"),
    path("pending/decide/", bulk.decide, name="bulk-decide"),
    path("promotions/<uuid:promotion_id>/", promotions.promotion, name="promotion"),
    path("promotions/<uuid:promotion_id>/approve/", decide.approve, name="approve"),
    path("promotions/<uuid:promotion_id>/reject/", decide.reject, name="reject"),
    path("promotions/<uuid:promotion_id>/retry/", decide.retry, name="retry"),
    path("promotions/<uuid:promotion_id>/withdraw/", decide.withdraw, name="withdraw"),
    path(
        "promotions/<uuid:promotion_id>/withdraw-approval/",
        stopping.withdraw_approval,
        name="withdraw-approval",
    ),
    path("promotions/<uuid:promotion_id>/abort/", stopping.abort, name="abort"),
    path("promotions/<uuid:promotion_id>/emergency/", emergencies.declare, name="emergency"),
    path("reviews/", reviews.review_list, name="review-list"),
    path("reviews/<int:review_id>/", reviews.review, name="review"),
    path("promotions/<uuid:promotion_id>/execution/", releases.execution, name="execution"),
    path("applications/", applications.application_list, name="application-list"),
    path("promotions/<uuid:promotion_id>/roll-back/", asking.roll_back, name="roll-back"),
    path("requests/<uuid:request_id>/withdraw/", asking.withdraw, name="request-withdraw"),
    path("refusals/<int:refusal_id>/lift/", asking.lift, name="refusal-lift"),
    path(
        "applications/<str:namespace>/<path:name>/releases/",
        returning.application_releases,
        name="application-releases",
    ),
    path("applications/<str:namespace>/<path:name>/request/", asking.ask, name="tag-request"),
    # A name with a slash is none that Kubernetes allows, but no list may break on it.
    path("applications/<str:namespace>/<path:name>/", applications.application, name="application"),
    path("releases/", releases.release_list, name="release-list"),
    path("policy/", policies.policy_page, name="policy"),
    path("audit/", trail.audit_list, name="audit-list"),
    path("audit/export.csv", trail.audit_export, name="audit-export"),
    path("sign-in/", accounts.sign_in, name="sign-in"),
    path("sign-out/", accounts.sign_out, name="sign-out"),
    path("theme/", accounts.theme, name="theme"),
    path("events", events.events, name="events"),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
]

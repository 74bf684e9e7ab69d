"""Routes of the API, version 1."""

from django.urls import path

from approvals.api import asking, holds, recovery, reviews, schema, verbs, views

app_name = "api"
security_schemes = (schema.TokenScheme,)  # known to the OpenAPI document by being imported
urlpatterns = [
    path("schema", views.SchemaView.as_view(), name="schema"),
    path("applications", views.ApplicationList.as_view(), name="application-list"),
    path("promotions", views.PromotionList.as_view(), name="promotion-list"),
    path("promotions/<uuid:pk>", views.PromotionDetail.as_view(), name="promotion"),
    path("promotions/<uuid:pk>/approve", verbs.Approve.as_view(), name="promotion-approve"),
    path("promotions/<uuid:pk>/reject", verbs.Reject.as_view(), name="promotion-reject"),
    path(
        "promotions/<uuid:pk>/emergency",
        verbs.DeclareEmergency.as_view(),
        name="promotion-emergency",
    ),
    path("reviews", reviews.ReviewList.as_view(), name="review-list"),
    path("reviews/<int:pk>", reviews.GiveReview.as_view(), name="review"),
    path("promotions/<uuid:pk>/retry", verbs.Retry.as_view(), name="promotion-retry"),
    path("promotions/<uuid:pk>/withdraw", verbs.Withdraw.as_view(), name="promotion-withdraw"),
    path("promotions/<uuid:pk>/abort", verbs.Abort.as_view(), name="promotion-abort"),
    path(
        "promotions/<uuid:pk>/withdraw-approval",
        verbs.WithdrawApproval.as_view(),
        name="promotion-withdraw-approval",
    ),
    path("promotions/<uuid:pk>/roll-back", asking.RollBack.as_view(), name="promotion-roll-back"),
    path(
        "applications/<str:namespace>/<str:name>/requests",
        asking.TagRequests.as_view(),
        name="tag-requests",
    ),
    path("requests/<uuid:pk>", asking.RequestDetail.as_view(), name="request"),
    path("requests/<uuid:pk>/withdraw", asking.WithdrawRequest.as_view(), name="request-withdraw"),
    path("policy", views.PolicyOfApplication.as_view(), name="policy"),
    path("promotions/<uuid:pk>/look", verbs.Look.as_view(), name="promotion-look"),
    path("promotions/<uuid:pk>/finding", verbs.Finding.as_view(), name="promotion-finding"),
    path("recovery", recovery.RecoveryView.as_view(), name="recovery"),
    path("promotions/<uuid:pk>/comments", holds.Comments.as_view(), name="promotion-comments"),
    path("holds", holds.HoldList.as_view(), name="hold-list"),
    path("holds/<int:pk>/release", holds.Release.as_view(), name="hold-release"),
    path("audit-events", views.AuditEventList.as_view(), name="audit-event-list"),
]

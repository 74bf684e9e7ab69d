"""What people say about a promotion; never changed and never removed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.models.promotion import Promotion


class Comment(models.Model):
    """One comment; the author's name is a copy, so it reads the same when the account is gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments"
    )
    author = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="comment_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.author} on {self.promotion_id}"

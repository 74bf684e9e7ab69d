"""What the API shows of comments, and what it accepts to write one."""

from rest_framework import serializers

from approvals.api.serializers.strict import StrictSerializer, TextField
from approvals.decisions import MAX_COMMENT
from approvals.models import Comment


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """One comment, as written: whoever shows it escapes it."""

    username = serializers.CharField(source="by.username")

    class Meta:
        model = Comment
        fields = ("id", "username", "author", "text", "at")


class MakeCommentSerializer(StrictSerializer):
    """What to say: plain text."""

    text = TextField(max_length=MAX_COMMENT, trim_whitespace=False)

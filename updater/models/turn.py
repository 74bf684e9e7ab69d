"""When the regular work of the machine was begun last: one row a kind of work."""

from django.db import models


class Turn(models.Model):
    """One kind of regular work, and the database's time at which it was begun last."""

    name = models.TextField(primary_key=True)
    begun_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.begun_at}"

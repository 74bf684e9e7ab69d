"""Which Applications a person may see or decide, carried into every query of the pages."""

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from updater.models import Application

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Scope:
    """A condition on Applications, as `permissions.applications_for` gives it; empty means all of them."""

    applications: Q

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.applications

    def condition(self) -> Q:
        """Return the condition on rows that have an `application`."""
        if self.is_everything:
            return Q()
        return Q(application__in=Application.objects.filter(self.applications).values("pk"))

    def limit(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Return the rows of these Applications."""
        return rows if self.is_everything else rows.filter(self.condition())


EVERYTHING = Scope(Q())
NOTHING = Scope(Q(pk=None))

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

    def condition(self, field: str = "application") -> Q:
        """Return the condition on rows that name an Application in this field."""
        if self.is_everything:
            return Q()
        chosen = Application.objects.filter(self.applications).values("pk")
        return Q(**{f"{field}__in": chosen})

    def limit(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Return the rows of these Applications."""
        return rows if self.is_everything else rows.filter(self.condition())


EVERYTHING = Scope(Q())
NOTHING = Scope(Q(pk=None))

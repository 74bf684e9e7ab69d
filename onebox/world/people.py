"""The five people of the demo, and their three groups."""

from dataclasses import dataclass

PASSWORD = "countersign-demo"  # noqa: S105  printed by the demo, on the loopback


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who works at the demo's company."""

    username: str
    full_name: str
    role: str
    work: str
    groups: tuple[str, ...] = ()  # what the demo's policy file speaks of

    @property
    def email(self) -> str:
        """The address in their commits."""
        return f"{self.username}@acme.example"


PEOPLE = (
    DemoPerson("mei", "Mei Tanaka", "approver", "SRE", ("sre",)),
    DemoPerson("amara", "Amara Okafor", "approver", "SRE", ("sre",)),
    DemoPerson("jonas", "Jonas Weber", "viewer", "developer", ("developers",)),
    DemoPerson("sara", "Sara Lindqvist", "auditor", "auditor"),
    DemoPerson("priya", "Priya Nair", "administrator", "administrator and lead", ("leads",)),
)

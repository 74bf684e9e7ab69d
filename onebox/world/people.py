"""The five people of the demo."""

from dataclasses import dataclass

PASSWORD = "countersign-demo"  # noqa: S105  printed by the demo, on the loopback


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who works at the demo's company."""

    username: str
    full_name: str
    role: str
    work: str


PEOPLE = (
    DemoPerson("mei", "Mei Tanaka", "approver", "SRE"),
    DemoPerson("amara", "Amara Okafor", "approver", "SRE"),
    DemoPerson("jonas", "Jonas Weber", "viewer", "developer"),
    DemoPerson("sara", "Sara Lindqvist", "auditor", "auditor"),
    DemoPerson("priya", "Priya Nair", "administrator", "administrator"),
)

"""Make the accounts of the demo's people in the product: `python -m onebox.world.accounts PASSWORD_FILE`."""

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

from onebox.world.people import PEOPLE


def main(password_file: str) -> None:
    """Make the accounts that do not exist yet, as an operator would."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "updater.settings")
    django.setup()
    for person in PEOPLE:
        call_command(
            "create_person",
            person.username,
            full_name=person.full_name,
            role=person.role,
            email=person.email,
            group=list(person.groups),
            password_file=Path(password_file),
        )


if __name__ == "__main__":
    main(sys.argv[1])

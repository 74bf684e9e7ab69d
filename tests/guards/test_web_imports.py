"""The web process loads no client of the outside world: a hole in a page must not find a key ring."""

import os
import subprocess
import sys

FORBIDDEN = ("kubernetes", "git", "httpx", "updater.connections", "updater.integrations")


def test_asgi_application_loads_no_outside_client():
    program = (
        "import sys, updater.asgi\n"
        "from django.urls import get_resolver\n"
        "list(get_resolver().reverse_dict)\n"
        f"print([name for name in {FORBIDDEN!r} if name in sys.modules])"
    )

    env = {**os.environ, "DATABASE_URL": "postgresql://nobody@/nowhere?host=/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env
    )

    assert done.stdout.strip() == "[]"

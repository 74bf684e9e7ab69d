"""What the web process loads: all of itself before the first request, and no client of the outside world."""

import os
import subprocess
import sys

FORBIDDEN = ("kubernetes", "git", "httpx", "updater.connections", "updater.integrations")


def test_asgi_application_loads_no_outside_client():
    # A hole in a page must not find a key ring.
    printed = printed_after_start(f"[name for name in {FORBIDDEN!r} if name in sys.modules]")

    assert printed == "[]"


def test_asgi_application_is_loaded_whole_and_passed_over_by_the_collector():
    printed = printed_after_start(
        "'approvals.views.promotions' in sys.modules, gc.get_freeze_count() > 100_000"
    )

    assert printed == "(True, True)"


def printed_after_start(expression: str) -> str:
    env = {**os.environ, "DATABASE_URL": "postgresql://nobody@/nowhere?host=/nowhere"}
    program = f"import gc, sys, updater.asgi; print(({expression}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env
    )
    return done.stdout.strip()

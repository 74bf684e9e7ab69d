"""The demo: the product among a living world of its own, all on the loopback."""

import shutil
from functools import partial
from pathlib import Path

from onebox import ports, product
from onebox.processes import Program
from onebox.product import Onebox
from onebox.world import guide, people, place
from onebox.world.content import PULL_SECRET
from onebox.world.place import CONTROLLING, EXECUTING, SCANNING, Place

POLICY = Path(__file__).with_name("world") / "policy.yaml"
FRESH = "end what listens there, or start over with make demo ARGS=--fresh"


def bring_up(onebox: Onebox) -> None:
    """Start the product and its world, and say what to try."""
    here = place.find_or_make(onebox.state.folder / "world")
    for port in here.ports:
        product.refuse_taken_port(port, mend=FRESH)
    onebox.env.update(_settings(here))
    product.start_servers(onebox)
    product.start_web(onebox)
    _start_world(onebox, here)
    own = {"scan": here.kubeconfig(SCANNING), "execute": here.kubeconfig(EXECUTING)}
    product.start_work(onebox, kubeconfigs=own)
    onebox.console.show(guide.text(onebox.url, onebox.state.logs, here))


def _settings(here: Place) -> dict[str, str]:
    """Plain HTTP to the world's own addresses, and intervals that a visitor can wait for."""
    return {
        "CLUSTER_NAME": "demo",
        "POLICY_FILE": str(here.policy_file),
        "ALLOW_INSECURE_REGISTRIES": here.registry,
        "ALLOW_INSECURE_GIT": "true",
        "SCAN_SECONDS": "10",
        "INVENTORY_SECONDS": "5",
        "SWEEP_SECONDS": "2",
        "OUTCOME_DEADLINE_SECONDS": "120",
    }


def _start_world(onebox: Onebox, here: Place) -> None:
    servers = (_registry(onebox, here), _git_host(onebox, here), _cluster(onebox, here))
    onebox.supervisor.start(*servers)
    _make_people(onebox, here)
    _load_policy(onebox, here)
    for server, port in zip(servers, here.ports, strict=True):
        onebox.supervisor.wait_for(server, partial(ports.answers, port))
    onebox.supervisor.start(_argocd(onebox, here), _story(onebox, here))
    onebox.console.say("the world turns: registry, Git host, cluster, Argo CD, and a team's CI")


def _make_people(onebox: Onebox, here: Place) -> None:
    file = here.folder / "password"
    file.write_text(people.PASSWORD, encoding="utf-8")
    onebox.supervisor.run(onebox.python("people", "onebox.world.accounts", str(file)))
    onebox.console.say("five people have accounts")


def _load_policy(onebox: Onebox, here: Place) -> None:
    if not here.policy_file.exists():  # else the visitor's own changes stay
        shutil.copyfile(POLICY, here.policy_file)
    onebox.supervisor.run(onebox.python("policy", "django", "policy", "load"))
    onebox.console.say("the policy stands")


def _registry(onebox: Onebox, here: Place) -> Program:
    return onebox.python(
        "registry",
        "onebox.world.registry",
        f"--port={here.registry_port}",
        f"--state={here.folder / 'registry'}",
        "--auth=basic",
        f"--accounts={here.registry_accounts}",
    )


def _git_host(onebox: Onebox, here: Place) -> Program:
    return onebox.python(
        "git-host",
        "onebox.world.git_host",
        f"--port={here.git_port}",
        f"--state={here.repositories}",
        f"--accounts={here.git_accounts}",
    )


def _cluster(onebox: Onebox, here: Place) -> Program:
    return onebox.python(
        "cluster",
        "onebox.world.cluster",
        f"--port={here.cluster_port}",
        f"--accounts={here.cluster_accounts}",
        f"--kubeconfigs={here.kubeconfigs}",
        f"--state={here.folder / 'cluster'}",
    )


def _argocd(onebox: Onebox, here: Place) -> Program:
    return onebox.python(
        "argocd",
        "onebox.world.argocd",
        f"--kubeconfig={here.kubeconfig(CONTROLLING)}",
        f"--state={here.folder / 'argocd'}",
        f"--pull-secret={PULL_SECRET}",
    )


def _story(onebox: Onebox, here: Place) -> Program:
    return onebox.python("story", "onebox.world.story", str(here.folder))

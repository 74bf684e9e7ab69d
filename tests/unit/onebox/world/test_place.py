import json

from onebox import ports
from onebox.world import place
from onebox.world.cluster import access
from onebox.world.place import CONTROLLING, EXECUTING, SCANNING, TELLING


def test_find_or_make_when_new_takes_free_ports_and_makes_passwords(tmp_path):
    here = place.find_or_make(tmp_path / "world")

    assert len(set(here.ports)) == 3
    assert all(ports.is_free(port) for port in here.ports)
    assert here.registry_password != here.git_password
    assert len(here.git_password) >= 20


def test_find_or_make_again_is_the_same_world(tmp_path):
    first = place.find_or_make(tmp_path / "world")
    accounts = first.cluster_accounts.read_text(encoding="utf-8")

    second = place.find_or_make(tmp_path / "world")

    assert second == first
    assert second.cluster_accounts.read_text(encoding="utf-8") == accounts


def test_find_or_make_keeps_the_worlds_of_two_demos_apart(tmp_path):
    worlds = [place.find_or_make(tmp_path / f"state-{number}" / "world") for number in range(8)]

    ports_in_use = [port for world in worlds for port in world.ports]

    assert len({world.registry_port for world in worlds}) > 1
    assert all(place.FIRST_PORT <= port < 32768 for port in ports_in_use)


def test_find_or_make_gives_workers_no_more_rights_than_their_queue_needs(tmp_path):
    here = place.find_or_make(tmp_path / "world")

    accounts = access.from_json(json.loads(here.cluster_accounts.read_text(encoding="utf-8")))

    may_patch = access.Attempt("patch", "argoproj.io", "applications", "argocd", "example")
    rights = {account.name: account.may(may_patch) for account in accounts}
    assert rights == {SCANNING: False, EXECUTING: True, CONTROLLING: True, TELLING: True}
    assert [account.name for account in accounts if account.is_administrator] == [
        CONTROLLING,
        TELLING,
    ]

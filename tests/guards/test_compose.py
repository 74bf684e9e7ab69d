"""docker-compose.yml, Dockerfile and .env.example agree with the code: no engine is at hand to try them."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from updater import celery

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = sorted(set(SERVICES) - {"postgres", "redis"})
WORKERS = sorted(name for name in SERVICES if name.startswith("worker-"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def _settings_read_by_the_code():
    """Return name → default as text (None: not a literal) from the calls in settings.py."""
    tree = ast.parse((ROOT / "updater/settings.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if getattr(call.func, "id", "").startswith("env")]
    return {
        call.args[0].value: _default(call)
        for call in named
        if isinstance(call.args[0], ast.Constant)
    }


def _default(call):
    if call.func.id == "env_bool":
        return str(any(keyword.value.value for keyword in call.keywords)).lower()
    if len(call.args) == 1:
        return ""
    code = compile(ast.Expression(call.args[1]), "default", "eval")
    try:
        return str(eval(code, {}))  # noqa: S307  our own settings file
    except NameError:
        return None


def _named_in_example():
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def _option(command, name):
    return next(word.partition("=")[2] for word in command if word.startswith(f"{name}="))


def _stage_of(service):
    stage = SERVICES[service]["build"]["target"]
    return DOCKERFILE.split(f" AS {stage}\n")[1].split("\nFROM ")[0]


def test_services_are_those_of_the_issue():
    assert sorted(SERVICES) == [
        "beat", "migrate", "postgres", "redis", "web", "worker-execute", "worker-scan",
    ]  # fmt: skip


def test_services_name_only_volumes_secrets_and_networks_that_exist():
    for name, service in SERVICES.items():
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert volumes <= set(COMPOSE["volumes"]), name
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"]), name
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
        assert set(service.get("depends_on", {})) <= set(SERVICES), name


def test_every_queue_has_a_worker_and_every_worker_a_queue():
    queues = [_option(SERVICES[name]["command"], "--queues") for name in WORKERS]

    assert sorted(queues) == sorted(celery.QUEUES)


def test_scheduled_tasks_go_where_their_routes_say(settings):
    routes = {task: route["queue"] for task, route in settings.CELERY_TASK_ROUTES.items()}

    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        default = settings.CELERY_TASK_DEFAULT_QUEUE
        assert entry["options"]["queue"] == routes.get(entry["task"], default)


def test_scheduled_tasks_go_to_queues_that_exist(settings):
    queues = {entry["options"]["queue"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert queues <= set(celery.QUEUES)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_service_has_no_more_rights_than_it_needs(name):
    service = SERVICES[name]
    user = service.get("user") or re.search(r"^USER (\S+)", _stage_of(name), re.MULTILINE)[1]

    assert user.partition(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only") or name == "postgres"
    assert not service.get("privileged")


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_service_that_stays_has_a_health_check_and_starts_again(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(set(OURS) - set(WORKERS)))
def test_service_without_outside_work_holds_no_outside_credentials(name):
    service = SERVICES[name]

    assert "KUBECONFIG" not in service["environment"]
    assert set(service["secrets"]) - {"database-owner-url"} == {"secret-key", "database-url"}
    assert "outside" not in service["networks"]
    assert "git " not in _stage_of(name)


@pytest.mark.parametrize("name", WORKERS)
def test_worker_can_reach_the_outside(name):
    service = SERVICES[name]

    assert service["environment"]["KUBECONFIG"] == "/run/secrets/kubeconfig"
    assert "kubeconfig" in service["secrets"]
    assert "outside" in service["networks"]
    assert "git openssh-client" in _stage_of(name)


@pytest.mark.parametrize("name", OURS)
def test_service_sets_only_known_settings(name):
    known = _settings_read_by_the_code().keys()

    names = {key.removesuffix("_FILE") for key in SERVICES[name]["environment"]}

    assert names <= known


@pytest.mark.parametrize("name", OURS)
def test_service_takes_every_secret_from_a_file(name):
    environment = SERVICES[name]["environment"]

    files = {value for key, value in environment.items() if key.endswith("_FILE")}

    owner = {"/run/secrets/database-owner-url"} if name == "migrate" else set()
    assert files == {"/run/secrets/secret-key", "/run/secrets/database-url"} | owner


def test_only_the_service_that_migrates_holds_the_owner_of_the_tables():
    holders = [name for name in SERVICES if "owner" in str(SERVICES[name].get("secrets", ""))]

    assert holders == ["migrate"]
    assert SERVICES["migrate"]["command"] == ["python", "manage.py", "prepare_database"]


def test_secrets_are_the_files_that_make_makes():
    made = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nsecrets:")[2]

    for secret in COMPOSE["secrets"].values():
        folder, _, name = secret["file"].rpartition("/")
        assert folder == ".countersign/compose"
        assert f"> {name}\n" in made or f"$(COMPOSE)/{name}\n" in made, name


def test_databases_are_not_published():
    published = [name for name, service in SERVICES.items() if service.get("ports")]

    assert published == ["web"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert all(SERVICES[name]["networks"] == ["inside"] for name in ("postgres", "redis"))


def test_env_example_lists_exactly_what_is_read():
    interpolated = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))

    assert _named_in_example().keys() == _settings_read_by_the_code().keys() | interpolated


def test_env_example_shows_the_true_defaults():
    known = _settings_read_by_the_code()
    computed = {"STATIC_ROOT": "staticfiles", "STATE_DIR": ".countersign", "PROMOTION_KEY": ""}

    for name, value in _named_in_example().items():
        if name in known:
            expected = known[name] if known[name] is not None else computed[name]
            assert value == expected, name


def test_image_copies_all_that_django_loads(settings):
    own = [app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()]

    for folder in [*own, "templates"]:
        assert f"COPY {folder} {folder}\n" in DOCKERFILE
        assert f"!{folder}\n" in (ROOT / ".dockerignore").read_text(encoding="utf-8")


def test_image_copies_the_runbooks_that_the_pages_show():
    assert "COPY docs/runbooks docs/runbooks\n" in DOCKERFILE
    assert "!docs/runbooks\n" in (ROOT / ".dockerignore").read_text(encoding="utf-8")


def test_image_installs_the_hashed_lock():
    assert "--require-hashes --only-binary :all: -r /build/runtime.txt" in DOCKERFILE
    assert "COPY requirements/runtime.txt /build/runtime.txt" in DOCKERFILE

"""The demo's world begins once, and its pretend CI builds what the product can promote."""

import itertools

import httpx
import pytest

from onebox.world import files, objects, place, seeding, story
from onebox.world.argocd.image_facts import DEGRADED_LABEL
from onebox.world.builds import CHANGES, PretendCI
from onebox.world.cluster import ClusterServer, access, kubeconfig
from onebox.world.content import APPLICATIONS, IMAGES, PROJECTS
from onebox.world.git_host import Repositories
from onebox.world.place import TELLING
from onebox.world.registry import RegistryServer, RegistryWorld
from updater.configuration import reading

BACKEND = next(image for image in IMAGES if image.repository == "acme/backend")
CATALOG = next(image for image in IMAGES if image.repository == "acme/catalog")
MAILER = next(image for image in IMAGES if image.repository == "acme/mailer")
REVISION = "org.opencontainers.image.revision"
SOURCE = "org.opencontainers.image.source"


@pytest.fixture
def registry():
    with RegistryServer(RegistryWorld()) as server:
        yield server


@pytest.fixture
def here(tmp_path):
    return place.find_or_make(tmp_path / "world")


@pytest.fixture
def cluster(here):
    teller = access.administrator(TELLING, "token")
    with ClusterServer([teller]) as server:
        server.write_kubeconfig(here.kubeconfig(TELLING), teller)
        yield server


@pytest.fixture
def repositories(here):
    return Repositories(here.repositories)


@pytest.fixture
def ci(repositories, registry):
    return PretendCI(repositories, git_url="http://git.example", registry_url=registry.url)


def _tags(registry, image):
    found = registry.world.content.repositories.get(image.repository)
    return sorted(found.tags) if found else []


def _labels(registry, image, tag):
    with httpx.Client(base_url=f"{registry.url}/v2/{image.repository}", trust_env=False) as client:
        index = client.get(f"/manifests/{tag}").json()
        manifest = client.get(f"/manifests/{index['manifests'][0]['digest']}").json()
        return client.get(f"/blobs/{manifest['config']['digest']}").json()["config"]["Labels"]


def _first_files(application):
    tags = {image.repository: "main-0000001" for image in application.images}
    return files.by_repository(application, registry="127.0.0.1:18000", tags=tags)


def _names(here, kind):
    connection = kubeconfig.read(here.kubeconfig(TELLING))
    headers = {"Authorization": f"Bearer {connection.token}"}
    base = seeding.CORE if kind == "secrets" else seeding.ARGO
    answer = httpx.get(f"{connection.url}{base}/{kind}", headers=headers, trust_env=False)
    return [item["metadata"]["name"] for item in answer.json()["items"]]


def test_build_pushes_a_tag_named_after_its_commit_with_labels_that_point_back(
    ci, registry, repositories
):
    ci.begin(BACKEND)

    tag = ci.build(BACKEND)

    commit = repositories.log(BACKEND.repository, "main")[0]
    assert tag == f"main-{commit.sha[:7]}"
    assert _labels(registry, BACKEND, tag) == {
        SOURCE: "http://git.example/acme/backend",
        REVISION: commit.sha,
    }


def test_build_branch_leaves_main_alone(ci, registry, repositories):
    ci.begin(BACKEND)

    tag = ci.build_branch(BACKEND)

    assert tag.startswith("feature-")
    assert _tags(registry, BACKEND) == [tag]
    assert repositories.read(BACKEND.repository, "main", CHANGES) == b""


def test_build_that_crashes_says_so_to_the_cluster_only(ci, registry):
    ci.begin(BACKEND)

    good, bad = ci.build(BACKEND), ci.build(BACKEND, crashes=True)

    assert DEGRADED_LABEL not in _labels(registry, BACKEND, good)
    assert _labels(registry, BACKEND, bad)[DEGRADED_LABEL] == "true"


def test_build_of_versions_counts_up(ci):
    ci.begin(CATALOG)

    assert [ci.build(CATALOG) for _ in range(3)] == ["v1.2.0", "v1.2.1", "v1.2.2"]


def test_build_of_a_stable_tag_pushes_it_again_with_another_digest(ci, registry):
    ci.begin(MAILER)

    digests = set()
    for _ in range(2):
        tag = ci.build(MAILER)
        digests.add(registry.world.content.repositories[MAILER.repository].tags[tag])

    assert _tags(registry, MAILER) == ["stable"]
    assert len(digests) == 2


def test_seed_makes_the_whole_world(here, cluster, ci, repositories, registry):
    seeding.seed(here, repositories, ci)

    names = [application.name for application in APPLICATIONS]
    assert sorted(_names(here, "applications")) == sorted(names)
    assert sorted(_names(here, "appprojects")) == sorted(PROJECTS)
    assert "registry-secret" in _names(here, "secrets")
    assert all(len(_tags(registry, image)) == 1 for image in IMAGES)
    for application in APPLICATIONS:
        held = "".join(
            repositories.read(name, "main", file).decode()
            for name, found in _first_files(application).items()
            for file in found
        )
        assert all(_tags(registry, image)[0] in held for image in application.images)


def test_seed_protects_main_where_releases_go_by_pull_request(here, cluster, ci, repositories):
    seeding.seed(here, repositories, ci)

    hooks = [
        application.name
        for application in APPLICATIONS
        if (repositories.path(application.repository) / "hooks" / "pre-receive").exists()
    ]
    assert hooks == ["accounts"]


def test_seed_again_adds_nothing(here, cluster, ci, repositories, registry):
    seeding.seed(here, repositories, ci)
    before = [_tags(registry, image) for image in IMAGES]

    seeding.seed(here, repositories, ci)

    assert [_tags(registry, image) for image in IMAGES] == before


def test_seed_after_an_interrupted_beginning_completes_it(
    here, cluster, ci, repositories, monkeypatch
):
    with monkeypatch.context() as interrupted:
        interrupted.setattr(seeding, "repository_secret", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seeding.seed(here, repositories, ci)

    seeding.seed(here, repositories, ci)

    assert len(_names(here, "applications")) == len(APPLICATIONS)


def test_live_builds_the_first_few_at_once_and_then_pauses(ci, registry):
    for image in IMAGES:
        ci.begin(image)
    pauses = itertools.count(1)

    def pause():
        if next(pauses) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        story.live(ci, pause=pause)

    pushed = [tag for image in IMAGES for tag in _tags(registry, image)]
    assert len(pushed) == story.AT_ONCE + 2
    assert any(tag.startswith("feature-") for tag in pushed)


def test_timetable_builds_every_image_on_main():
    built = {repository for repository, branch in story.TIMETABLE if branch == "main"}

    assert built == {image.repository for image in IMAGES}


def test_applications_as_the_product_reads_them_have_the_one_wrong_annotation():
    problems = []
    for application in APPLICATIONS:
        manifest = objects.application_manifest(
            application, git_url="http://127.0.0.1:18001", registry="127.0.0.1:18000"
        )
        compared = {**manifest, "status": {"sourceType": "Helm"}}
        found = reading.read(compared, allow_http=True).problems
        problems += [(application.name, problem.key, problem.alias) for problem in found]

    assert problems == [("checkout", "argocd-image-updater.argoproj.io/web.allow-tags", "web")]

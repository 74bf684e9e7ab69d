"""A git host on loopback, a repository on it, and mirrors of it."""

import shutil

import pytest

from onebox.world.git_host import GitHost, Repositories
from tests.integration.git.scene import FILES, PASSWORD, USER
from updater.integrations import git


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A folder with the repository in its first state, to be copied: quicker than made anew by git."""
    folder = tmp_path_factory.mktemp("template")
    Repositories(folder).create("acme/gitops", FILES)
    return folder


@pytest.fixture
def host(tmp_path, template):
    shutil.copytree(template, tmp_path / "host")
    server = GitHost(tmp_path / "host", {USER: PASSWORD}).start()
    yield server
    server.stop()


@pytest.fixture
def url(host):
    return host.create_repository("acme/gitops", FILES)


@pytest.fixture
def origin(host, url):
    """The bare repository behind the host."""
    return host.repositories.path("acme/gitops")


@pytest.fixture
def make_mirror(tmp_path, url):
    """Return a function that makes a mirror; each name is a folder of its own."""

    def make(name="mirror", address=None, password=PASSWORD, **options):
        credentials = git.Credentials(USER, password)
        remote = git.Remote(address or url, credentials, allow_http=True)
        return git.GitMirror(tmp_path / "mirrors" / name, remote, **options)

    return make


@pytest.fixture
def mirror(make_mirror):
    return make_mirror()

"""What `make up` says about a cluster before it starts."""

import http.server
import json
import threading

import pytest

from onebox import cluster_access
from onebox.cluster_access import ClusterAccessError


class _Cluster(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": []}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def cluster():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Cluster)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def _kubeconfig(tmp_path, port, **changes):
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        **changes,
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(document), encoding="utf-8")
    return {"KUBECONFIG": str(path)}


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (200, None),
        (401, "does not accept the credentials"),
        (403, "set WATCH_NAMESPACES"),
        (404, "is Argo CD installed there"),
        (500, "answers with status 500"),
    ],
)
def test_find_problem_names_what_the_cluster_lacks(
    cluster, monkeypatch, tmp_path, status, sentence
):
    monkeypatch.setattr(_Cluster, "status", status)

    problem = cluster_access.find_problem(_kubeconfig(tmp_path, cluster.server_port))

    assert problem is None if sentence is None else sentence in problem


def test_find_problem_when_nobody_answers_says_so(tmp_path):
    problem = cluster_access.find_problem(_kubeconfig(tmp_path, port=1))

    assert "http://127.0.0.1:1 does not answer" in problem


def test_find_problem_without_kubeconfig_says_what_to_set():
    with pytest.raises(ClusterAccessError, match="KUBECONFIG is not set"):
        cluster_access.find_problem({})


def test_find_problem_when_the_file_is_missing_names_it(tmp_path):
    with pytest.raises(ClusterAccessError, match="nowhere, and there is no such file"):
        cluster_access.find_problem({"KUBECONFIG": str(tmp_path / "nowhere")})


def test_find_problem_without_current_context_says_it_cannot_be_used(tmp_path):
    env = _kubeconfig(tmp_path, port=1, **{"current-context": "gone"})

    with pytest.raises(ClusterAccessError, match="cannot be used"):
        cluster_access.find_problem(env)

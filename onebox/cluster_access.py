"""Before `up`: is there a cluster to work with, and what is missing if not. `python -m onebox.cluster_access`.

A process of its own: the Kubernetes client takes longer to load than all the rest of the supervisor.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import urllib3
from kubernetes import client, config

TIMEOUT_SECONDS = (3, 10)  # to connect, to answer


class ClusterAccessError(RuntimeError):
    """There is no usable kubeconfig; the message says what to set."""


def main() -> int:
    """Say what is missing; the exit code is 1 if nothing can be tried."""
    try:
        problem = find_problem(os.environ)
    except ClusterAccessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if problem is not None:
        sys.stderr.write(f"Note: {problem}. Countersign starts anyway and keeps looking.\n")
    return 0


def find_problem(env: Mapping[str, str]) -> str | None:
    """Look at the cluster once; return what is missing there in a sentence, or None.

    Raises:
        ClusterAccessError: the kubeconfig itself is missing or unusable.
    """
    configuration = client.Configuration()
    configuration.retries = False
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call]  # the client is typed in part
            _existing_file(env), client_configuration=configuration
        )
    except config.ConfigException as error:
        raise ClusterAccessError(f"KUBECONFIG cannot be used: {error}") from error
    return _problem_at(configuration)


def _existing_file(env: Mapping[str, str]) -> str:
    value = env.get("KUBECONFIG", "")
    if not value:
        raise ClusterAccessError(
            "KUBECONFIG is not set: name the file of the cluster to watch,"
            f" for example KUBECONFIG={Path('~/.kube/config').expanduser()}"
        )
    if not any(Path(name).is_file() for name in value.split(os.pathsep)):
        raise ClusterAccessError(f"KUBECONFIG names {value}, and there is no such file")
    return value


def _problem_at(configuration: client.Configuration) -> str | None:
    host = configuration.host
    with client.ApiClient(configuration) as api:
        try:
            client.CustomObjectsApi(api).list_cluster_custom_object(
                "argoproj.io", "v1alpha1", "applications", limit=1, _request_timeout=TIMEOUT_SECONDS
            )
        except client.ApiException as error:
            return _sentence(host, error.status)
        except urllib3.exceptions.HTTPError as error:
            return f"the cluster at {host} does not answer ({type(error).__name__})"
    return None


def _sentence(host: str, status: int | None) -> str:
    if status == 404:
        return f"the cluster at {host} has no Argo CD Applications: is Argo CD installed there?"
    if status == 401:
        return f"the cluster at {host} does not accept the credentials of KUBECONFIG"
    if status == 403:
        return (
            f"the cluster at {host} does not allow this account to list Applications everywhere:"
            " give it that right, or set WATCH_NAMESPACES"
        )
    return f"the cluster at {host} answers with status {status}"


if __name__ == "__main__":
    sys.exit(main())

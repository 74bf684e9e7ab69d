"""How we reach the cluster: a kubeconfig file or the pod's service account, made safe and bounded."""

import logging
from collections.abc import Callable

import urllib3
import yaml
from kubernetes import client, config

from updater.integrations.kubernetes.errors import ClusterConfigurationError

FIELD_MANAGER = "countersign"

# The loaders index into whatever the file holds before they check it.
_UNUSABLE = (
    config.ConfigException,
    yaml.YAMLError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)

# Only failing to connect is repeated here: whatever may have reached the server is for the caller to judge.
_RETRIES = urllib3.Retry(
    total=None,
    connect=2,
    read=0,
    redirect=0,
    status=0,
    other=0,
    backoff_factor=0.1,
    respect_retry_after_header=False,
    raise_on_status=False,
)


class Connection:
    """The outside client's two APIs, and a way to read the credentials again."""

    def __init__(self, load: Callable[[], client.Configuration]) -> None:
        self._load = load
        self.renew()

    def renew(self) -> None:
        """Read the configuration again: a rotated token may stand there."""
        api_client = client.ApiClient(self._load())
        api_client.user_agent = FIELD_MANAGER
        self.custom = client.CustomObjectsApi(api_client)
        self.core = client.CoreV1Api(api_client)


def open_connection(kubeconfig: str | None) -> Connection:
    """Connect with a kubeconfig file, or with None as the pod we run in.

    Raises: ClusterConfigurationError when neither can be used.
    """
    for name in ("kubernetes.client.rest", "urllib3"):
        logging.getLogger(name).setLevel(
            logging.WARNING
        )  # below it, bodies with secrets are logged
    return Connection(lambda: _configuration(kubeconfig))


def _configuration(kubeconfig: str | None) -> client.Configuration:
    configuration = client.Configuration()
    try:
        _fill(configuration, kubeconfig)
    except _UNUSABLE as error:
        place = f"kubeconfig {kubeconfig}" if kubeconfig else "service account of this pod"
        message = f"The {place} cannot be used: {error}. Set KUBECONFIG to a file we can read."
        raise ClusterConfigurationError(message) from error
    configuration.verify_ssl = True
    configuration.proxy = None  # after the host: setting the host reads the environment again
    configuration.retries = _RETRIES
    configuration.debug = False
    return configuration


def _fill(configuration: client.Configuration, kubeconfig: str | None) -> None:
    if kubeconfig:
        config.load_kube_config(  # type: ignore[no-untyped-call]  # the loaders have no types
            config_file=kubeconfig, client_configuration=configuration, persist_config=False
        )
    else:
        config.load_incluster_config(  # type: ignore[no-untyped-call]  # the loaders have no types
            client_configuration=configuration
        )

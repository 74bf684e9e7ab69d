"""Who may be talked to: plain HTTP, addresses, token hosts and blob hosts.

A registry's name, its redirects and its challenges are all input. Link-local addresses (cloud metadata) are
never dialled; loopback, private networks and plain HTTP only for hosts the operator lists.
"""

import ipaddress
from dataclasses import dataclass

import httpx

from updater.integrations.registry.errors import AddressRefusedError, InsecureRegistryError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# Where the big registries keep tokens and blobs. All others: the same host, or the operator's list.
TOKEN_HOSTS = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
    "lscr.io": frozenset({"ghcr.io"}),
}
BLOB_HOSTS = (
    ".cloudflare.docker.com",
    ".docker.com",
    "pkg-containers.githubusercontent.com",
    ".quay.io",
    "storage.googleapis.com",
    ".blob.core.windows.net",
    ".amazonaws.com",
    ".r2.cloudflarestorage.com",
    "cdn.registry.gitlab-static.net",
)


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """The operator's lists. Hosts are written as in a URL: `name` or `name:port`."""

    allow_insecure_hosts: frozenset[str] = frozenset()  # plain HTTP, loopback, private networks
    private_hosts: frozenset[str] = frozenset()  # private networks, with TLS
    token_hosts: frozenset[str] = frozenset()  # may ask for credentials of any registry
    blob_hosts: frozenset[str] = frozenset()  # may be redirected to; ".example" means all below

    def check_scheme(self, url: httpx.URL) -> None:
        """Refuse anything but https, and http to the hosts listed for it.

        Raises:
            InsecureRegistryError: with the setting that would allow it.
        """
        if url.userinfo or not url.host:
            raise InsecureRegistryError(
                f"The address of {url.host!r} holds a user name, or no host."
            )
        if url.scheme == "https" or (url.scheme == "http" and self._is_listed(url)):
            return
        raise InsecureRegistryError(
            f"{authority(url)} speaks plain HTTP. Use https, or list the host in ALLOW_INSECURE_REGISTRIES."
        )

    def allows_token_host(self, *, registry: httpx.URL, realm: httpx.URL) -> bool:
        """Return whether credentials for `registry` may be sent to `realm`."""
        if realm.scheme != "https" and not self._is_listed(realm):
            return False
        same = authority(realm) == authority(registry)
        known = TOKEN_HOSTS.get(registry.host, frozenset()) | self.token_hosts
        return same or realm.host in known or authority(realm) in known

    def allows_blob_host(self, *, registry: httpx.URL, target: httpx.URL) -> bool:
        """Return whether a blob of `registry` may be fetched from `target`."""
        if target.scheme != "https" and not self._is_listed(target):
            return False
        if authority(target) == authority(registry):
            return True
        return any(
            target.host == name or (name.startswith(".") and target.host.endswith(name))
            for name in (*BLOB_HOSTS, *self.blob_hosts)
        )

    def check_address(self, host: str, port: int, address: str) -> None:
        """Refuse an address this host may not have.

        Raises:
            AddressRefusedError: naming host and address.
        """
        parsed = _plain(ipaddress.ip_address(address.partition("%")[0]))
        if not _is_never_dialled(parsed):
            insecure = self.allow_insecure_hosts
            if parsed.is_global or host in insecure or f"{host}:{port}" in insecure:
                return
            is_private = not parsed.is_loopback
            if is_private and (
                host in self.private_hosts or f"{host}:{port}" in self.private_hosts
            ):
                return
        raise AddressRefusedError(
            f"{host} leads to {address}, which is not a public address. If your registry is on a"
            " private network, list it in PRIVATE_REGISTRIES."
        )

    def _is_listed(self, url: httpx.URL) -> bool:
        return url.host in self.allow_insecure_hosts or authority(url) in self.allow_insecure_hosts


def authority(url: httpx.URL) -> str:
    """Return `host` or `host:port`, as the operator's lists spell it."""
    return url.netloc.decode("ascii")


def _plain(address: Address) -> Address:
    # ::ffff:127.0.0.1 is 127.0.0.1 in other clothes, and so is 64:ff9b::7f00:1
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_never_dialled(address: Address) -> bool:
    return address.is_link_local or address.is_multicast or address.is_unspecified

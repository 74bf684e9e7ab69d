"""Where the world's parts listen and the secrets they share: made once per demo, the same after a restart."""

import json
import secrets
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from onebox import ports
from onebox.ports import HOST
from onebox.world.cluster import access

FIRST_PORT, SPREAD = 18000, 10000  # below the range that outgoing connections take
ACCOUNT = "countersign"  # at the registry and the Git host
SCANNING, EXECUTING, CONTROLLING, TELLING = "scanning", "executing", "argocd", "story"


@dataclass(frozen=True, slots=True)
class Place:
    """One demo's world: its folder, ports and passwords."""

    folder: Path
    registry_port: int
    git_port: int
    cluster_port: int
    registry_password: str
    git_password: str

    @property
    def registry(self) -> str:
        """The registry as image names spell it."""
        return f"{HOST}:{self.registry_port}"

    @property
    def git_url(self) -> str:
        """The Git host's address."""
        return f"http://{HOST}:{self.git_port}"

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports the world listens on."""
        return (self.registry_port, self.git_port, self.cluster_port)

    @property
    def repositories(self) -> Path:
        """The bare repositories of the Git host."""
        return self.folder / "git"

    @property
    def policy_file(self) -> Path:
        """The approval policy, for the visitor to edit."""
        return self.folder / "policy.yaml"

    @property
    def registry_accounts(self) -> Path:
        """Who may read images: a user:password a line."""
        return self.folder / "registry-accounts"

    @property
    def git_accounts(self) -> Path:
        """Who may read and push: a user:password a line."""
        return self.folder / "git-accounts"

    @property
    def cluster_accounts(self) -> Path:
        """Who may do what in the cluster, as its server reads it."""
        return self.folder / "cluster-accounts.json"

    @property
    def kubeconfigs(self) -> Path:
        """Where the cluster writes a kubeconfig per account."""
        return self.folder / "kubeconfigs"

    def kubeconfig(self, account: str) -> Path:
        """Return the kubeconfig that the cluster writes for an account."""
        return self.kubeconfigs / f"{account}.kubeconfig"


def find_or_make(folder: Path) -> Place:
    """Return the world kept in the folder, or settle a new one there."""
    memory = _memory(folder)
    if not memory.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Apart from other demos on this machine: they may be starting at this moment.
        start = FIRST_PORT + zlib.crc32(str(folder.resolve()).encode()) % SPREAD
        registry_port, git_port, cluster_port = ports.first_free(3, start=start)
        place = Place(
            folder,
            registry_port,
            git_port,
            cluster_port,
            secrets.token_urlsafe(18),
            secrets.token_urlsafe(18),
        )
        _write_accounts(place)
        memory.write_text(json.dumps(asdict(place), default=str, indent=1), encoding="utf-8")
    return find(folder)


def find(folder: Path) -> Place:
    """Return the world kept in the folder."""
    fields = json.loads(_memory(folder).read_text(encoding="utf-8"))
    return Place(**{**fields, "folder": folder})


def _write_accounts(place: Place) -> None:
    def token() -> str:
        return secrets.token_urlsafe(24)

    accounts = (
        access.reader(SCANNING, token()),
        access.writer(EXECUTING, token()),
        access.administrator(CONTROLLING, token()),
        access.administrator(TELLING, token()),
    )
    place.cluster_accounts.write_text(json.dumps(access.as_json(accounts)), encoding="utf-8")
    place.registry_accounts.write_text(f"{ACCOUNT}:{place.registry_password}\n", encoding="utf-8")
    place.git_accounts.write_text(f"{ACCOUNT}:{place.git_password}\n", encoding="utf-8")


def _memory(folder: Path) -> Path:
    return folder / "place.json"

"""What we must know to enter a git repository: its address, our credentials, and what proves the host. Pure."""

import base64
from dataclasses import dataclass, field

MIN_SECRET_LENGTH = 4  # shorter text cannot be told from ordinary words


@dataclass(frozen=True, slots=True)
class GitHubAppKey:
    """A GitHub App that may write; without `installation_id` it is looked up by the repository's owner."""

    app_id: str
    private_key: str = field(repr=False)
    installation_id: str = ""
    base_url: str = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to prove who we are, and what proves who the host is; empty text means none."""

    username: str = ""
    password: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    known_hosts: str = field(default="", repr=False)
    ca_pem: str = field(default="", repr=False)
    client_certificate: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    github_app: GitHubAppKey | None = None  # must be exchanged for a password by `github_app`
    source: str = ""  # the Secret's name, for people
    warnings: tuple[str, ...] = ()

    @property
    def authorization(self) -> str:
        """The value of the HTTP header, or "" when there is neither password nor token."""
        if self.bearer_token:
            return f"Bearer {self.bearer_token}"
        if self.password:
            user = self.username or "x-access-token"
            return "Basic " + base64.b64encode(f"{user}:{self.password}".encode()).decode()
        return ""

    def conceal(self, text: str) -> str:
        """Return `text` with every secret of these credentials blotted out."""
        encoded = self.authorization.partition(" ")[2]
        for secret in (self.password, self.bearer_token, encoded, self.proxy):
            if len(secret) >= MIN_SECRET_LENGTH:
                text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class Remote:
    """A git repository and how to enter it; `allow_http` also lets unencrypted http:// and git:// pass."""

    url: str
    credentials: Credentials = field(default_factory=Credentials)
    allow_http: bool = False

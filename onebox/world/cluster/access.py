"""Who may do what: bearer tokens and role rules, answered as 401 and 403."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from onebox.world.cluster.documents import Json
from onebox.world.cluster.statuses import ApiError

EVERYTHING = ("*",)
_ARGO, _UPDATER = "argoproj.io", "argocd-image-updater.argoproj.io"
_READ = ("get", "list", "watch")
_CONFIG_MAPS = ("argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm")


@dataclass(frozen=True, slots=True)
class Rule:
    """One permission; `names` empty means every object of the kind."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    namespaces: tuple[str, ...] = EVERYTHING
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a request wants; namespace "" is the whole cluster."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        scope = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return f'{self.verb} resource "{self.resource}" in API group "{self.group}" {scope}'


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the API server, known by its token."""

    name: str
    token: str
    rules: tuple[Rule, ...] = ()

    def may(self, attempt: Attempt) -> bool:
        """Whether some rule allows it."""
        return any(_allows(rule, attempt) for rule in self.rules)

    @property
    def is_administrator(self) -> bool:
        """Whether the account may do everything everywhere."""
        return self.may(Attempt("*", "*", "*"))


def _allows(rule: Rule, attempt: Attempt) -> bool:
    pairs = (
        (rule.groups, attempt.group),
        (rule.resources, attempt.resource),
        (rule.verbs, attempt.verb),
        (rule.namespaces, attempt.namespace),
    )
    is_named = not rule.names or attempt.name in rule.names
    return is_named and all("*" in allowed or wanted in allowed for allowed, wanted in pairs)


class Accounts:
    """The accounts by token; may change while the server runs."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_token = {account.token: account for account in accounts}

    def add(self, account: Account) -> None:
        """Let one more account in."""
        self._by_token[account.token] = account

    def revoke(self, token: str) -> None:
        """Refuse a token from now on."""
        self._by_token.pop(token, None)

    def authenticate(self, authorization: str) -> Account:
        """Return the account of an Authorization header."""
        scheme, _, token = authorization.partition(" ")
        account = self._by_token.get(token.strip()) if scheme.lower() == "bearer" else None
        if account is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return account


def authorize(account: Account, attempt: Attempt) -> None:
    """Raise 403 unless the account may."""
    if account.may(attempt):
        return
    kind = f"{attempt.resource}.{attempt.group}" if attempt.group else attempt.resource
    subject = f'{kind} "{attempt.name}"' if attempt.name else kind
    message = f'{subject} is forbidden: User "{account.name}" cannot {attempt}'
    details = {"name": attempt.name, "group": attempt.group, "kind": attempt.resource}
    raise ApiError(403, "Forbidden", message, details=details)


def administrator(name: str, token: str) -> Account:
    """Return an account that may do everything."""
    return Account(name, token, (Rule(EVERYTHING, EVERYTHING, EVERYTHING),))


def reader(name: str, token: str, *, argocd_namespace: str = "argocd") -> Account:
    """Return what scanning workers need, as deploy/kubernetes/rbac.yaml grants it: to read, nothing else."""
    home = (argocd_namespace,)
    rules = (
        Rule((_ARGO,), ("applications",), _READ),
        Rule((_ARGO,), ("appprojects",), _READ, home),
        Rule((_UPDATER,), ("imageupdaters",), _READ),
        Rule(("",), ("secrets",), ("get", "list"), home),
        Rule(("",), ("configmaps",), ("get",), home, _CONFIG_MAPS),
    )
    return Account(name, token, rules)


def writer(name: str, token: str, *, argocd_namespace: str = "argocd") -> Account:
    """Return what Countersign's executing workers need: the reader's rights and patching Applications."""
    patching = Rule((_ARGO,), ("applications",), ("patch",))
    rules = reader(name, token, argocd_namespace=argocd_namespace).rules
    return Account(name, token, (*rules, patching))


def as_json(accounts: Iterable[Account]) -> list[Json]:
    """Return accounts as the accounts file holds them."""
    return [asdict(account) for account in accounts]


def from_json(items: Iterable[Json]) -> list[Account]:
    """Read what `as_json` wrote."""
    return [
        Account(
            item["name"],
            item["token"],
            tuple(
                Rule(**{key: tuple(value) for key, value in rule.items()}) for rule in item["rules"]
            ),
        )
        for item in items
    ]

"""What clients ask before the first object: versions, groups, kinds, and what they may do."""

from onebox.world.cluster.access import Account, Attempt
from onebox.world.cluster.documents import Json
from onebox.world.cluster.resources import RESOURCES, Resource

_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def document(path: str) -> Json | None:
    """Return the discovery document at a path, if it is one."""
    documents: Json = {"/version": _version(), "/api": _core(), "/apis": _groups()}
    for group in _custom_groups():
        documents[f"/apis/{group['name']}"] = {"apiVersion": "v1", "kind": "APIGroup", **group}
    for resource in RESOURCES:
        prefix = "/api/v1" if resource.is_core else f"/apis/{resource.api_version}"
        documents.setdefault(prefix, _resource_list(resource.api_version))
    found: Json | None = documents.get(path)
    return found


def _version() -> Json:
    return {"major": "1", "minor": "34", "gitVersion": "v1.34.0", "platform": "linux/amd64"}


def _core() -> Json:
    return {"kind": "APIVersions", "versions": ["v1"]}


def _custom_groups() -> list[Json]:
    versions = {item.group: item.version for item in RESOURCES if not item.is_core}
    return [
        {"name": group, "versions": [served], "preferredVersion": served}
        for group, version in versions.items()
        for served in [{"groupVersion": f"{group}/{version}", "version": version}]
    ]


def _groups() -> Json:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": _custom_groups()}


def _resource_list(api_version: str) -> Json:
    kinds = [_describe(item) for item in RESOURCES if item.api_version == api_version]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version,
        "resources": kinds,
    }


def _describe(resource: Resource) -> Json:
    return {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": True,
        "kind": resource.kind,
        "verbs": _VERBS,
        "shortNames": list(resource.short_names),
    }


def review(path: str, account: Account, body: Json) -> Json | None:
    """Answer the two questions of an account about itself, if the path is one of them."""
    if path == "/apis/authentication.k8s.io/v1/selfsubjectreviews":
        return {**body, "status": {"userInfo": {"username": account.name}}}
    if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
        asked = body.get("spec", {}).get("resourceAttributes", {})
        names = ("verb", "group", "resource", "namespace", "name")
        attempt = Attempt(**{name: str(asked.get(name, "")) for name in names})
        return {**body, "status": {"allowed": account.may(attempt)}}
    return None

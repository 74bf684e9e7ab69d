"""A registry that answers from a table, for tests that look at single requests; it records what was sent."""

import asyncio
import base64
import json
from dataclasses import dataclass, field

import httpx

from updater.integrations.registry import (
    Access,
    Authorities,
    Credentials,
    Limits,
    NetworkRules,
    RegistryClient,
)
from updater.integrations.registry.names import digest_of

ME = Credentials("me", "secret-canary")
BASIC = "Basic " + base64.b64encode(b"me:secret-canary").decode()
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Endpoint:
    api_url: str = "https://registry.example"
    insecure: bool = False
    ca_pem: str | None = None


@dataclass
class Scripted:
    """`answers` maps path to a list of responses, used one by one; the last one stays."""

    answers: dict[str, list[httpx.Response]]
    rules: NetworkRules = field(default_factory=NetworkRules)
    limits: Limits = field(default_factory=Limits)
    authorities: Authorities = field(default_factory=Authorities)
    sent: list[httpx.Request] = field(default_factory=list)

    def handle(self, request):
        self.sent.append(request)
        queue = self.answers.get(f"{request.url.host}{request.url.path}") or self.answers.get(
            request.url.path
        )
        if not queue:
            return httpx.Response(404, stream=httpx.ByteStream(b""))
        found = queue.pop(0) if len(queue) > 1 else queue[0]
        stream = httpx.ByteStream(found.content)  # unread, as from a network
        return httpx.Response(found.status_code, headers=found.headers, stream=stream)

    def run(self, act, credentials=None, endpoint=None):
        """Run `act(client)` against this registry and return its result."""

        async def _run():
            access = Access(rules=self.rules, limits=self.limits, authorities=self.authorities)
            async with httpx.AsyncClient(transport=httpx.MockTransport(self.handle)) as http:
                return await act(
                    RegistryClient(http, endpoint or Endpoint(), credentials, access=access)
                )

        return asyncio.run(_run())

    @property
    def paths(self):
        return [request.url.path for request in self.sent]

    def authorizations(self, path):
        """The `Authorization` of each request for a path."""
        return [one.headers.get("authorization") for one in self.sent if one.url.path == path]


def reply(value=None, status=200, **headers):
    """A JSON (or raw) answer; header names with `_` for `-`."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return httpx.Response(
        status, headers={key.replace("_", "-"): text for key, text in headers.items()}, content=body
    )


def challenge(text):
    return reply({}, 401, www_authenticate=text)


BEARER = 'Bearer realm="https://registry.example/token",service="world"'


def build(created="2026-11-23T10:00:00Z", labels=None, architecture="amd64"):
    """Answers for one single-platform image: `(digest, {path: [response]})`, its tag path left to the caller."""
    config = json.dumps(
        {
            "os": "linux",
            "architecture": architecture,
            "created": created,
            "config": {"Labels": labels or {}},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": digest_of(config), "size": len(config)},
            "layers": [{"digest": digest_of(b"layer"), "size": 5}],
        }
    ).encode()
    digest = digest_of(manifest)
    document = reply(manifest, content_type=MANIFEST_TYPE, docker_content_digest=digest)
    return digest, {
        f"/v2/acme/app/manifests/{digest}": [document],
        f"/v2/acme/app/blobs/{digest_of(config)}": [reply(config)],
    }


def tagged(digest, answers, tag="main-1"):
    """The same answers, reachable by tag as well."""
    return answers | {f"/v2/acme/app/manifests/{tag}": answers[f"/v2/acme/app/manifests/{digest}"]}


def index(children):
    """The answer for an index of `[(digest, platform object)]`, and its digest."""
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": [
                {"mediaType": MANIFEST_TYPE, "digest": digest, "size": 1, "platform": platform}
                for digest, platform in children
            ],
        }
    ).encode()
    return digest_of(body), reply(
        body, content_type=INDEX_TYPE, docker_content_digest=digest_of(body)
    )

"""One request to the API server: bounded in time and size, and every failure as an error of ours."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from updater.errors import UpdaterError
from updater.integrations.kubernetes import errors

Json = dict[str, Any]

_ANSWER_LIMIT = 128 * 1024 * 1024
_WRITES = ("create", "patch")


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, for messages: `patch applications.argoproj.io argocd/example`."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def is_write(self) -> bool:
        """Whether a lost answer leaves the outcome unknown."""
        return self.verb in _WRITES

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.verb} {self.resource} {place}".rstrip()


def send(call: Call, request: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse:
    """Send a request and return its open answer.

    Raises: one of `errors`, by what the cluster said or did not say.
    """
    try:
        return request()
    except ApiException as error:
        raise from_status(call, error.status or 0, _status(error.body), error.headers) from error
    except HTTPError as error:
        raise _from_connection(call, error) from error


def read_json(call: Call, response: urllib3.BaseHTTPResponse) -> Json:
    """Read an open answer as a JSON object."""
    try:
        body = response.read(_ANSWER_LIMIT + 1)
    except HTTPError as error:
        raise _from_connection(call, error) from error
    finally:
        response.release_conn()
    if len(body) > _ANSWER_LIMIT:
        raise _no_answer(call, f"answered with more than {_ANSWER_LIMIT} bytes")
    return parse_object(call, body)


def parse_object(call: Call, text: bytes) -> Json:
    """Parse a JSON object; anything else is no answer of an API server."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_answer(call, "answered with something that is not JSON") from error
    if not isinstance(document, dict):
        raise _no_answer(call, "answered with something that is not an object")
    return document


def from_status(
    call: Call, code: int, status: Json, headers: Mapping[str, str] | None = None
) -> UpdaterError:
    """Return the error for an HTTP status code and the server's Status object."""
    said = _said(status)
    wait = _retry_after(headers)
    if code == 429 or (code == 503 and wait is not None):
        message = f"The Kubernetes API is overloaded and did not {call}; it asked to wait."
        return errors.ThrottledError(message, retry_after_seconds=wait)
    if code in _BY_CODE:
        return _BY_CODE[code](call, said, status)
    if 400 <= code < 500:
        return _refused(call, said)
    return _no_answer(call, f"answered {code or 'without a status'}{said}")


def _unauthorized(call: Call, said: str, _: Json) -> UpdaterError:
    return errors.ClusterUnauthorizedError(
        f"The Kubernetes API refuses our token (to {call}){said}. Renew the token or kubeconfig."
    )


def _forbidden(call: Call, _said_text: str, _: Json) -> UpdaterError:
    return errors.ClusterForbiddenError(
        verb=call.verb, resource=call.resource, namespace=call.namespace
    )


def _not_found(call: Call, said: str, _: Json) -> UpdaterError:
    if not call.name:
        return errors.KindUnknownError(
            f"The cluster does not know {call.resource}. Is Argo CD installed there?"
        )
    if call.resource.startswith("applications."):
        return errors.ApplicationNotFoundError(
            f"Application {call.namespace}/{call.name} does not exist in the cluster."
        )
    return errors.ObjectNotFoundError(f"Not found: {call}{said}.")


def _conflict(call: Call, said: str, status: Json) -> UpdaterError:
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    listed = causes if isinstance(causes, list) else []
    reasons = [cause.get("reason") for cause in listed if isinstance(cause, dict)]
    if "FieldManagerConflict" in reasons:
        return errors.FieldConflictError(
            f"Another writer owns what we want to change ({call}){said}. We do not take it over."
        )
    return errors.PatchConflictError(f"Somebody else changed the object first ({call}){said}.")


def _gone(call: Call, said: str, _: Json) -> UpdaterError:
    return errors.WatchExpiredError(f"The version is too old to {call}{said}.")


_BY_CODE: dict[int, Callable[[Call, str, Json], UpdaterError]] = {
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    409: _conflict,
    410: _gone,
}


def _refused(call: Call, said: str) -> UpdaterError:
    kind = errors.InvalidPatchError if call.is_write else errors.RequestRefusedError
    return kind(f"The Kubernetes API refused to {call}{said}.")


def _no_answer(call: Call, why: str) -> UpdaterError:
    if call.is_write:
        return errors.UnknownOutcomeError(
            f"The Kubernetes API {why} when asked to {call}: it may have been done or not."
        )
    return errors.ClusterUnreachableError(f"The Kubernetes API {why} when asked to {call}.")


def _from_connection(call: Call, error: HTTPError) -> UpdaterError:
    cause = error.reason if isinstance(error, MaxRetryError) else error
    if isinstance(cause, NewConnectionError | ConnectTimeoutError):
        return errors.ClusterUnreachableError(
            f"The Kubernetes API cannot be reached to {call}: no connection."
        )
    return _no_answer(call, f"broke off or kept silent ({type(cause).__name__})")


def _status(body: str | None) -> Json:
    try:
        status = json.loads(body or "{}")
    except (ValueError, RecursionError):
        return {}
    return status if isinstance(status, dict) else {}


def _said(status: Json) -> str:
    message = "".join(letter for letter in str(status.get("message", "")) if letter.isprintable())
    return f': "{message[:300]}"' if message else ""


def _retry_after(headers: Mapping[str, str] | None) -> float | None:
    text = (headers or {}).get("Retry-After", "")
    return float(text) if text.isdecimal() and len(text) < 6 else None

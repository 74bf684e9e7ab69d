"""The git host as an HTTP server on loopback: who may enter, which page or protocol answers, which fault is on."""

import base64
import binascii
import hmac
import socket
import ssl
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

from onebox.world.git_host import api, backend, pages, pull_request_pages
from onebox.world.git_host.api import Api, ApiAnswer
from onebox.world.git_host.faults import Faults
from onebox.world.git_host.gitea import GiteaApi
from onebox.world.git_host.pull_request_pages import Page
from onebox.world.git_host.pull_requests import Pulls
from onebox.world.git_host.repositories import AUTHOR, HostedCommit, Repositories

HOST = "127.0.0.1"
REMEMBERED_REQUESTS = 1000
_PROTOCOL_ENDS = ("/info/refs", "/git-upload-pack", "/git-receive-pack")


class GitHost:
    """A git host for the demo and for tests; without `users` everybody may do everything."""

    def __init__(
        self,
        folder: Path,
        users: Mapping[str, str] | None = None,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.folder = folder
        self.users = dict(users or {})
        self.repositories = Repositories(folder)
        self.pulls = Pulls(self.repositories)
        self.api: Api = GiteaApi(self.repositories, self.pulls)
        self.faults = Faults()
        self.requests: deque[str] = deque(maxlen=REMEMBERED_REQUESTS)
        self._pushing: set[socket.socket] = set()
        self._scheme = "https" if tls else "http"
        self._server = _Server((HOST, port), self)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """The address of the host, without a slash at its end."""
        return f"{self._scheme}://{HOST}:{self._server.server_port}"

    def start(self) -> "GitHost":
        """Serve from another thread."""
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve in this thread until the process is asked to end."""
        with self._server:
            self._server.serve_forever()

    def stop(self) -> None:
        """Stop serving; the repositories stay."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def create_repository(
        self, name: str, files: Mapping[str, bytes], *, users: Collection[str] = ()
    ) -> str:
        """Make a repository, open to `users` (none: to every user), and return its URL."""
        path = self.repositories.create(name, files)
        if users:
            (path / "users").write_text("\n".join(users), encoding="utf-8")
        return f"{self.url}/{name}.git"

    def commit(
        self,
        name: str,
        branch: str,
        files: Mapping[str, bytes | None],
        message: str,
        author: str = AUTHOR,
    ) -> str:
        """Commit whole files past all hooks, as a stranger who was faster; return the SHA."""
        return self.repositories.commit(name, branch, files, message, author)

    def read(self, name: str, branch: str, path: str) -> bytes:
        """Return a file of a branch."""
        return self.repositories.read(name, branch, path)

    def log(self, name: str, branch: str) -> list[HostedCommit]:
        """Return the latest commits of a branch, newest first."""
        return self.repositories.log(name, branch)

    def cut_pushes(self) -> None:
        """Break the connection of every push under way; what it brought is worked on to its end."""
        for line in list(self._pushing):
            with suppress(OSError):  # its client was faster
                line.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def serving(self, path: str, line: socket.socket) -> Iterator[None]:
        """Know, over the block, on which connection a push is under way."""
        if path.endswith("/git-receive-pack"):
            self._pushing.add(line)
        try:
            yield
        finally:
            self._pushing.discard(line)

    def may_enter(self, user: str, password: str, repository: str) -> bool:
        """Whether this user with this password may use the repository."""
        if not self.users:
            return True
        expected = self.users.get(user, "")
        is_known = bool(expected) and hmac.compare_digest(expected.encode(), password.encode())
        listed = self.repositories.path(repository) / "users"
        return is_known and (not listed.exists() or user in listed.read_text().split("\n"))

    def user_of(self, token: str) -> str:
        """Return whose password this is, "" when nobody's."""
        offered = token.encode()
        known = (
            user
            for user, password in self.users.items()
            if hmac.compare_digest(password.encode(), offered)
        )
        return next(known, "" if self.users else "somebody")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], host: GitHost) -> None:
        self.host = host
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for the status and the headers
    timeout = 60
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is given
        """Stay silent: the demo's terminal belongs to the product."""

    def do_GET(self) -> None:
        """Answer a page or the first request of the git protocol."""
        self._route()

    def do_POST(self) -> None:
        """Answer a request of the git protocol, or a person's button."""
        self._route()

    def do_PUT(self) -> None:
        """Answer a request of the API."""
        self._route()

    def do_PATCH(self) -> None:
        """Answer a request of the API."""
        self._route()

    def _route(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        if path.startswith("/api/"):
            self._serve_api()
            return
        end = next((end for end in _PROTOCOL_ENDS if path.endswith(end)), "")
        if end:
            name = path.removeprefix("/").removesuffix(end).removesuffix(".git")
            self._serve_git(name, path, address.query)
        elif self.command == "GET":
            self._serve_page(path, parse_qs(address.query).get("format", [""])[0])
        elif self.command == "POST" and "/pulls/" in path:
            self._press(path)
        else:
            self._text(HTTPStatus.METHOD_NOT_ALLOWED, "this address is for reading")

    def _serve_api(self) -> None:
        host = self.server.host
        host.requests.append(f"{self.command} {self.path}")
        if self._misbehaved(host.faults):
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if host.faults.api_answers:
            self._send(host.faults.api_answers.pop(0))
            return
        asked = api.request_of(self.command, self.path, body, user=self._api_user(), url=host.url)
        answer = host.api.answer(asked)
        if self.command != "GET" and host.faults.loses_api_answers:
            host.faults.loses_api_answers -= 1
            self.close_connection = True
            return
        self._send(answer)

    def _api_user(self) -> str:
        user, password = self._login()
        token = self.headers.get("authorization", "").partition(" ")[2]
        return self.server.host.user_of(password if user else token)

    def _send(self, answer: ApiAnswer) -> None:
        self.send_response(answer.status)
        for key, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _press(self, path: str) -> None:
        host = self.server.host
        self._show(pull_request_pages.press(host.repositories, host.pulls, path))

    def _show(self, page: Page) -> None:
        self._text(page.status, page.text, kind=page.kind, location=page.location)

    def _serve_git(self, name: str, path: str, query: str) -> None:
        host = self.server.host
        marked = " with authorization" if "authorization" in self.headers else ""
        host.requests.append(f"{self.command} {path}{marked}")
        if self._misbehaved(host.faults):
            return
        if not host.repositories.has(name):
            self._text(HTTPStatus.NOT_FOUND, "no such repository")
            return
        user, password = self._login()
        if not host.may_enter(user, password, name):
            self._text(HTTPStatus.UNAUTHORIZED, "who are you?", challenge='Basic realm="git"')
            return
        headers = {key.lower(): value for key, value in self.headers.items()}
        if host.faults.is_old:
            headers.pop("git-protocol", None)
        self._relay(backend.GitRequest(self.command, path, query, user, headers))

    def _misbehaved(self, faults: Faults) -> bool:
        time.sleep(faults.delay_seconds)
        if faults.refuses:
            self.close_connection = True
            return True
        if faults.redirect_to:
            self._text(HTTPStatus.MOVED_PERMANENTLY, "", location=faults.redirect_to + self.path)
            return True
        if faults.status:
            self._text(HTTPStatus(faults.status), "out of order")
            return True
        return False

    def _relay(self, request: backend.GitRequest) -> None:
        host = self.server.host
        with (
            backend.body(self.rfile, request.headers) as body,
            host.serving(request.path, self.connection),
            backend.run(host.folder, request, body) as answer,
        ):
            if host.faults.loses(request.path):
                answer.body.read()
                self.close_connection = True
                return
            self.send_response(answer.status)
            for key, value in answer.headers.items():
                self.send_header(key, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while chunk := answer.body.read(backend.CHUNK):
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

    def _login(self) -> tuple[str, str]:
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            text = base64.b64decode(encoded).decode() if scheme.lower() == "basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        user, _, password = text.partition(":")
        return user, password

    def _serve_page(self, path: str, form: str) -> None:
        repositories = self.server.host.repositories
        if path == "/":
            self._text(HTTPStatus.OK, pages.index(repositories.names()), kind="text/html")
            return
        if shown := pull_request_pages.show(repositories, self.server.host.pulls, path):
            self._show(shown)
            return
        for word in ("commits", "commit"):
            name, found, target = path.strip("/").partition(f"/{word}/")
            if found and repositories.has(name.removesuffix(".git")):
                self._serve_commits(name.removesuffix(".git"), word, target, form)
                return
        self._text(HTTPStatus.NOT_FOUND, "nothing here; begin at /")

    def _serve_commits(self, name: str, word: str, target: str, form: str) -> None:
        repositories = self.server.host.repositories
        if word == "commits":
            is_branch = repositories.tip(repositories.path(name), target) is not None
            found = repositories.log(name, target) if is_branch else []
            page = pages.commits(name, target, found)
        else:
            shown = repositories.show(name, target)
            found = [shown] if shown else []
            page = pages.commit(name, shown) if shown else ""
        if not found:
            self._text(HTTPStatus.NOT_FOUND, "no such branch or commit")
        elif form == "json":
            self._text(HTTPStatus.OK, pages.as_json(found), kind="application/json")
        else:
            self._text(HTTPStatus.OK, page, kind="text/html")

    def _text(
        self,
        status: HTTPStatus,
        text: str,
        *,
        kind: str = "text/plain",
        challenge: str = "",
        location: str = "",
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for key, value in (("WWW-Authenticate", challenge), ("Location", location)):
            if value:
                self.send_header(key, value)
        if self.command == "POST":  # its body was not read: the connection is of no further use
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

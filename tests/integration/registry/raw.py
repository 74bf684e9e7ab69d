"""A TCP server that says exactly what a test tells it, and counts who connects."""

import socket
import threading
from contextlib import contextmanager


class RawServer:
    """`script(connection, request)` runs once for each request head; the connection closes after it."""

    def __init__(self, script, wrap=lambda connection: connection):
        self._script = script
        self._wrap = wrap
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self._threads = []
        self.connections = 0
        self.requests = []

    @property
    def host(self):
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def url(self):
        return f"http://{self.host}"

    def start(self):
        self._run(self._accept)

    def stop(self):
        self._stopping.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _run(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._run(self._serve, connection)

    def _serve(self, plain):
        plain.settimeout(10)
        try:
            connection = self._wrap(plain)
        except OSError:  # a handshake that was refused
            plain.close()
            return
        with connection:
            head = b""
            try:
                while b"\r\n\r\n" not in head:
                    part = connection.recv(65536)
                    if not part:
                        return
                    head += part
                self.requests.append(head.decode("latin-1"))
                self._script(connection, self._stopping)
            except OSError:
                return


@contextmanager
def raw_server(script):
    server = RawServer(script)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def says(*parts):
    """A script that sends these bytes and closes."""

    def _say(connection, stopping):
        for part in parts:
            connection.sendall(part)

    return _say


def http(body=b"{}", status="200 OK", headers=()):
    """The bytes of a whole HTTP answer."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        *headers,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

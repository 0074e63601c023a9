"""An S3 server that fails on request: a proxy before a real one."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_ANSWERS = {
    403: ("AccessDenied", "Access Denied."),
    500: ("InternalError", "We encountered an internal error, please try again."),
}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class FaultyProxy:
    """Passes requests on, signatures and all, but for those that `fault` gives a status for."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).netloc
        self.fault: Callable[[str, str], int | None] = lambda _method, _path: None
        """(method, path) -> the status to answer with, 403 or 500; None passes the request on."""
        self.refused = 0
        """Requests answered by a fault."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status = proxy.fault(self.command, self.path)
                if status is None:
                    self._pass_on(body)
                else:
                    proxy.refused += 1
                    self._refuse(status)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

            def _pass_on(self, body: bytes) -> None:
                upstream = http.client.HTTPConnection(proxy._target)
                # The signature covers the host that the client named.
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    upstream.putheader(name, value)
                upstream.endheaders(body)
                answer = upstream.getresponse()
                content = answer.read()
                headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
                length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
                self._send(answer.status, headers | {"Content-Length": length or "0"}, content)
                upstream.close()

            def _refuse(self, status: int) -> None:
                code, message = _ANSWERS[status]
                content = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
                content = b"" if self.command == "HEAD" else content
                self._send(status, {"Content-Type": "application/xml", "Content-Length": str(len(content))}, content)

            def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

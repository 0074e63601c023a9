"""An S3 server that fails, or overlooks what it is asked, on request: a proxy before a real one."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_ANSWERS = {
    301: ("PermanentRedirect", "The bucket you are attempting to access must be addressed by another endpoint."),
    403: ("AccessDenied", "Access Denied."),
    405: ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    409: ("ConditionalRequestConflict", "A conflicting operation occurred during this request. Try again."),
    501: ("NotImplemented", "A header you provided implies functionality that is not implemented."),
    500: ("InternalError", "We encountered an internal error, please try again."),
}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class FaultyProxy:
    """Passes requests on, signatures and all, but for those that `fault` gives a status for."""

    def __init__(self, url: str, secret_key: str = "") -> None:
        """With the server's `secret_key` it can overlook headers, which are signed."""
        self._target = urlsplit(url).netloc
        self._secret_key = secret_key
        self.overlooked: frozenset[str] = frozenset()
        """Names of headers, in lower case, that requests are passed on without."""
        self.changed: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers
        """What becomes of the headers of an answer."""
        self.fault: Callable[[str, str], int | None] = lambda _method, _path: None
        """(method, path) -> the status to answer with, one of `_ANSWERS`; None passes the request on."""
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
                for name, value in proxy._passed(self.command, self.path, dict(self.headers.items())).items():
                    upstream.putheader(name, value)
                upstream.endheaders(body)
                answer = upstream.getresponse()
                content = answer.read()
                headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
                length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
                self._send(answer.status, proxy.changed(headers) | {"Content-Length": length or "0"}, content)
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

    def _passed(self, method: str, path: str, headers: dict[str, str]) -> dict[str, str]:
        """A request's headers without the overlooked."""
        kept = {name: value for name, value in headers.items() if name.lower() not in self.overlooked}
        if len(kept) == len(headers):
            return headers
        return kept | {"authorization": _signed_again(method, path, kept, self._secret_key)}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _signed_again(method: str, path: str, headers: Mapping[str, str], secret_key: str) -> str:
    """The value of Authorization for a request that has lost headers (AWS Signature Version 4, one chunk)."""
    values = {name.lower(): value.strip() for name, value in headers.items()}
    found = re.fullmatch(r"(\S+) Credential=[^/]+/(\S+), SignedHeaders=(\S+), Signature=\w+", values["authorization"])
    assert found
    algorithm, scope, names = found.groups()
    names = ";".join(name for name in names.split(";") if name in values)
    place, _, query = path.partition("?")
    arguments = "&".join(sorted(one if "=" in one else f"{one}=" for one in query.split("&") if one))
    signed = "".join(f"{name}:{values[name]}\n" for name in names.split(";"))
    request = "\n".join([method, place, arguments, signed, names, values["x-amz-content-sha256"]])
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join([algorithm, values["x-amz-date"], scope, digest])
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return re.sub(r"SignedHeaders=.*", f"SignedHeaders={names}, Signature={signature}", values["authorization"])

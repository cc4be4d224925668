"""/healthz, /readyz and /metrics over HTTP.

On the local port they tell everything. Beside Slack's requests, where anybody may ask, the first two say one word, and
/metrics is there only for who knows the token.
"""

import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs

from bot.health import Health, Line
from bot.serving import Application, answer

PATHS = ("/healthz", "/readyz", "/metrics")
_OK, _NOT = "200 OK", "503 Service Unavailable"


class Probes:
    """`metrics` is None until there is something to show. `told`: with every reason, and metrics for all who ask."""

    def __init__(self, health: Health, *, told: bool, token: str = "") -> None:
        self._health, self._told, self._token = health, told, token
        self.metrics: Application | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in PATHS or (path == "/metrics" and not self._may_read(environ)):
            return answer(start_response, "404 Not Found", "nothing is here\n")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return answer(start_response, "405 Method Not Allowed", "GET only\n", Allow="GET, HEAD")
        if path == "/healthz":
            return self._say(start_response, self._health.alive(), "unhealthy")
        if path == "/readyz":
            without = [
                name
                for value in parse_qs(environ.get("QUERY_STRING", "")).get("exclude", ())
                for name in value.split(",")
            ]
            return self._say(start_response, self._health.ready(without), "not ready")
        if self.metrics is None:
            return answer(start_response, _NOT, "starting\n", Retry_After="5")
        return self.metrics(environ, start_response)

    def _say(self, start_response: Callable[..., Any], lines: Sequence[Line], otherwise: str) -> list[bytes]:
        well = all(line.ok for line in lines)
        status = _OK if well else _NOT
        if not self._told:
            return answer(start_response, status, "ok" if well else otherwise)
        text = "".join(f"{line.json}\n" for line in lines)
        return answer(start_response, status, text, kind="application/x-ndjson")

    def _may_read(self, environ: dict[str, Any]) -> bool:
        """Where no token is set, nobody may: from where somebody asks proves nothing behind a proxy."""
        if self._told:
            return True
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        return bool(self._token) and hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())

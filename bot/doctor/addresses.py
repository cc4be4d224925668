"""Where the bot listens on this machine: free for it, or its own already."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

from bot.config import Config
from storage.diagnosis import Diagnosis, Outcome

AREA = "Settings"
SECONDS = 3.0
_ANYWHERE = {"", "0.0.0.0", "::", "[::]", "*"}  # noqa: S104 - how settings say it; nothing listens here


def look(config: Config) -> Iterator[Diagnosis]:
    environment = config.environment
    if environment.slack_signing_secret and not environment.slack_app_token:
        yield _address("[slack] listen", config.file.slack.listen, "/healthz", b"ok")
    if config.file.metrics.listen:
        yield _address("[metrics] listen", config.file.metrics.listen, "/metrics", b"lamplighter_")


def _address(what: str, listen: str, path: str, ours: bytes) -> Diagnosis:
    host, _, port = listen.rpartition(":")
    problem = _cannot_be_bound(host.strip("[]"), int(port))
    if problem is None:
        return Diagnosis(AREA, Outcome.OK, what, f"{listen} is free")
    if ours in _answer(host, port, path):
        return Diagnosis(AREA, Outcome.OK, what, f"a Lamplighter answers at {listen}")
    how = "choose another port, or an address of this machine"
    return Diagnosis(AREA, Outcome.FAIL, what, f"{listen} cannot be used ({problem})", how)


def _cannot_be_bound(host: str, port: int) -> str | None:
    """Bound and let go of, and never listened at."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("" if host == "*" else host, port))
        except OSError as problem:
            return problem.strerror or type(problem).__name__
    return None


def _answer(host: str, port: str, path: str) -> bytes:
    near = "127.0.0.1" if host in _ANYWHERE else host
    try:
        with urllib.request.urlopen(f"http://{near}:{port}{path}", timeout=SECONDS) as answer:
            return bytes(answer.read(1_000_000))
    except (OSError, ValueError):
        return b""

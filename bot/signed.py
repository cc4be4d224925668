"""Slack's requests over HTTP: let in where Slack signed them, within five minutes, and once."""

import io
import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.signature import Clock, SignatureVerifier

from bot.once import Once
from bot.serving import Application, answer

log = logging.getLogger(__name__)

RETRY_SECONDS = 30
LONGEST_CHECK = 1024
_TIMESTAMP = re.compile(r"\d{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class Signed:
    """In front of Bolt, which would be asked anything otherwise. `bolt` is there once the bot is ready for requests;
    before, and when it ends, Slack is told to come again."""

    def __init__(self, signing_secret: str, clock: Callable[[], float] = time.time) -> None:
        self._verifier = SignatureVerifier(signing_secret, _Clock(clock))
        self._once = Once()
        self.bolt: Application | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD")
        if method in ("GET", "HEAD") and _checks_tls(environ.get("QUERY_STRING", "")):
            return answer(start_response, "200 OK")
        if method != "POST":
            return answer(start_response, "405 Method Not Allowed", "POST only\n", Allow="POST")
        bolt = self.bolt
        if bolt is None:
            return answer(
                start_response, "503 Service Unavailable", "not now: send it again\n", Retry_After=str(RETRY_SECONDS)
            )
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            body = raw.decode()
        except UnicodeDecodeError:
            return _refused(start_response)
        if _is_form(environ) and _checks_tls(body):
            return answer(start_response, "200 OK")  # Slack looks whether the certificate is good, and signs nothing
        signature = environ.get("HTTP_X_SLACK_SIGNATURE", "")
        if not self._is_slack(environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", ""), signature, body):
            return _refused(start_response)
        if not self._once.take(signature):
            log.warning("a request of Slack's came a second time, and was not acted on again")
            return answer(start_response, "200 OK")
        environ["wsgi.input"] = io.BytesIO(raw)
        return self._pass_on(bolt, environ, start_response, signature)

    def _is_slack(self, timestamp: str, signature: str, body: str) -> bool:
        """Garbled ones never reach the verifier, which would stumble over them."""
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        return self._verifier.is_valid(body, timestamp, signature)

    def _pass_on(
        self, bolt: Application, environ: dict[str, Any], start_response: Callable[..., Any], signature: str
    ) -> Iterable[bytes]:
        def started(status: str, *more: Any) -> Any:
            if status.startswith("5"):
                self._once.give_back(signature)
            return start_response(status, *more)

        try:
            return bolt(environ, started)
        except Exception:  # such as a body that is no JSON, though it is signed; the log has what is nobody else's
            self._once.give_back(signature)
            log.exception("a request of Slack's could not be taken in")
            return answer(start_response, "500 Internal Server Error", "something went wrong\n")


class _Clock(Clock):
    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now  # type: ignore[method-assign] # slack_sdk's own shape


def _is_form(environ: dict[str, Any]) -> bool:
    return str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")


def _checks_tls(query: str) -> bool:
    return len(query) < LONGEST_CHECK and parse_qs(query).get("ssl_check") == ["1"]


def _refused(start_response: Callable[..., Any]) -> list[bytes]:
    return answer(start_response, "401 Unauthorized", "not signed by Slack, or too old\n")

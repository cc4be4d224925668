"""HTTP mode: signed requests to the app's request URL."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from bot.demo.slack.app import InstalledApp
from bot.demo.slack.delivery import FAILED, TIMEOUT, Ack, Kind, Retry
from bot.demo.slack.nouns import Json

FORM = "application/x-www-form-urlencoded"


@dataclass
class HttpMode:
    """Sends to `request_url` and waits `ack_seconds` for HTTP 200. Lives in the stand-in's event loop."""

    app: InstalledApp
    request_url: str
    ack_seconds: float
    _session: aiohttp.ClientSession | None = field(default=None)
    _verified: bool = False

    async def send(self, kind: Kind, payload: Json, retry: Retry | None = None) -> Ack:
        headers = {"Content-Type": FORM}
        if kind == "slash_commands":
            body = urlencode(payload)
        elif kind == "interactive":
            body = urlencode({"payload": json.dumps(payload)})
        else:
            body, headers["Content-Type"] = json.dumps(payload), "application/json"
        if retry is not None:
            headers |= {"x-slack-retry-num": str(retry.number), "x-slack-retry-reason": retry.reason}
        return await self._post(body, headers)

    async def ready_for_events(self) -> bool:
        """Whether the URL answers Slack's challenge, as it must before any event is sent there."""
        if not self._verified:
            challenge = secrets.token_urlsafe(24)
            asked = {"token": self.app.verification_token, "challenge": challenge, "type": "url_verification"}
            answer = await self._post(json.dumps(asked), {"Content-Type": "application/json"})
            given = answer.payload.get("challenge") if isinstance(answer.payload, dict) else answer.payload
            self._verified = given == challenge
        return self._verified

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: str, headers: dict[str, str]) -> Ack:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        # The real time and not the stand-in's clock: the app refuses signatures that are five minutes old.
        timestamp = str(int(time.time()))
        signed = headers | {
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": sign(self.app.signing_secret, timestamp, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        limit = aiohttp.ClientTimeout(total=self.ack_seconds)
        try:
            async with self._session.post(
                self.request_url, data=body.encode(), headers=signed, timeout=limit
            ) as answer:
                text = await answer.text()
                if answer.status != 200:
                    return Ack(failure=FAILED, reason="http_error")
                return Ack(_payload(text))
        except TimeoutError:
            return Ack(failure=TIMEOUT, reason="http_timeout")
        except aiohttp.ClientError:
            return Ack(failure=FAILED, reason="connection_failed")


def sign(signing_secret: str, timestamp: str, body: str) -> str:
    """The value of x-slack-signature."""
    digest = hmac.new(signing_secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return f"v0={digest.hexdigest()}"


def _payload(text: str) -> object:
    try:
        return json.loads(text) or None
    except ValueError:
        return {"text": text} if text else None

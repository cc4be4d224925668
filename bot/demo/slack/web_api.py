"""The door of the Web API: arguments, tokens, scopes, limits, and which method is meant. The methods are elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.demo.slack.app import InstalledApp
from bot.demo.slack.nouns import Call, Json
from bot.demo.slack.rates import Rates
from bot.demo.slack.refusals import NotNow, Refusal
from bot.demo.slack.workspace import Workspace


@dataclass(frozen=True)
class Method:
    """One method: what it does with its arguments, and what leave it needs.

    `scopes` names the scopes of which any one will do; `token` is "bot", "app" or None for a method that takes none.
    """

    run: Callable[[Json], Json]
    scopes: tuple[str, ...] = ()
    token: str | None = "bot"


class WebApi:
    """Answers `/api/<method>` and remembers each call in `calls`."""

    def __init__(self, app: InstalledApp, workspace: Workspace, rates: Rates, methods: dict[str, Method]) -> None:
        self.app = app
        self.workspace = workspace
        self.rates = rates
        self.methods = methods
        self.calls: list[Call] = []
        self.calls_by_method: dict[str, list[Call]] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        token, args = await _arguments(request)
        error: str | None = None
        answer: Json = {}
        try:
            answer = self._answer(name, token, args)
            self.rates.fail_if_ordered(name, self._place(args), after_effect=True)
        except Refusal as refusal:
            error, answer = refusal.error, refusal.answer()
        except NotNow as problem:
            error = problem.error
            return self._refuse_now(request, problem)
        finally:
            self._remember(Call(name, args, error, self.workspace.clock()))
        return web.json_response(answer, headers=self._headers(name))

    def _answer(self, name: str, token: str | None, args: Json) -> Json:
        self.rates.fail_if_ordered(name, self._place(args))
        method = self.methods.get(name)
        if method is None:
            raise Refusal("unknown_method", req_method=name)
        if method.token is not None:
            self._check_token(method, token)
            self.rates.take(name, self._place(args))
        return {"ok": True, **method.run(args)}

    def _place(self, args: Json) -> str:
        """The id of the channel that a call is about, however it names it."""
        wanted = str(args.get("channel") or args.get("channel_id") or "")
        return self.workspace.channel_id(wanted) or wanted

    def _check_token(self, method: Method, token: str | None) -> None:
        if not token:
            raise Refusal("not_authed")
        tokens = {self.app.bot_token: "bot", self.app.app_token: "app"}
        if token not in tokens:
            raise Refusal("invalid_auth")
        if tokens[token] != method.token:
            raise Refusal("not_allowed_token_type")
        provided = self.app.scopes if method.token == "bot" else self.app.app_token_scopes
        if method.scopes and not set(method.scopes) & set(provided):
            raise Refusal("missing_scope", needed=",".join(method.scopes), provided=",".join(provided))

    def _refuse_now(self, request: web.Request, problem: NotNow) -> web.StreamResponse:
        if problem.status == 0 and request.transport is not None:
            request.transport.abort()
        headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
        return web.json_response({"ok": False, "error": problem.error}, status=problem.status or 500, headers=headers)

    def _headers(self, name: str) -> dict[str, str]:
        method = self.methods.get(name)
        accepted = ",".join(method.scopes) if method else ""
        return {"x-oauth-scopes": ",".join(self.app.scopes), "x-accepted-oauth-scopes": accepted}

    def _remember(self, call: Call) -> None:
        with self.workspace.lock:
            self.calls.append(call)
            self.calls_by_method.setdefault(call.method, []).append(call)
        self.workspace.tell("call", method=call.method)


async def _arguments(request: web.Request) -> tuple[str | None, Json]:
    """The token and the other arguments, from wherever Slack allows them: query, form, JSON body, header."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        args |= _json_object(await request.text())
    elif request.method == "POST":
        args |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    in_args = args.pop("token", None)
    return (bearer if scheme == "Bearer" else in_args), args


def _json_object(text: str) -> Json:
    try:
        body: Any = json.loads(text or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def required(args: Json, *names: str) -> list[str]:
    """These arguments as text; Refusal invalid_arguments naming the missing ones."""
    missing = [name for name in names if args.get(name) in (None, "")]
    if missing:
        raise Refusal(
            "invalid_arguments",
            messages=[f"[ERROR] missing required field: {name} [json-pointer:/]" for name in missing],
        )
    return [str(args[name]) for name in names]


def truth(value: Any) -> bool:
    """A boolean argument, which forms write as true or 1."""
    return value is True or str(value).lower() in ("true", "1")


def number(args: Json, name: str, default: int) -> int:
    """A whole number argument; Refusal invalid_arguments where it is none."""
    try:
        return int(args.get(name, default))
    except (TypeError, ValueError) as problem:
        raise Refusal("invalid_arguments", messages=[f"[ERROR] must be an integer [json-pointer:/{name}]"]) from problem


def page_of(things: list[Any], args: Json, *, default: int = 100) -> tuple[list[Any], Json]:
    """One page of a list, and the `response_metadata` that leads to the next; cursors as Slack's, opaque."""
    limit = min(max(number(args, "limit", default), 1), 1000)
    try:
        start = int(bytes.fromhex(str(args.get("cursor") or "")).decode() or 0)
    except ValueError as problem:
        raise Refusal("invalid_cursor") from problem
    following = str(start + limit).encode().hex() if start + limit < len(things) else ""
    return things[start : start + limit], {"response_metadata": {"next_cursor": following}}

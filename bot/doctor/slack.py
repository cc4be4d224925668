"""Slack: the tokens, the scopes, and the way in. Nothing is posted; a token is never said."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.config import Config
from bot.scopes import SCOPES
from bot.slack_errors import NO_ANSWER, TOKEN_REFUSED, error_code
from commands.aws.doctor.words import skew
from storage.diagnosis import Diagnosis, Outcome

AREA = "Slack"
CALL_SECONDS = 6
_SECRET = re.compile(r"[0-9a-f]{32}")
_MANIFEST = "reinstall the app from manifest.yml"


class SlackLook:
    """`in_bot`: a running bot asks, whose own way in is open."""

    def __init__(self, config: Config, clock: Callable[[], datetime], *, in_bot: bool) -> None:
        self._config, self._clock, self._in_bot = config, clock, in_bot
        environment = config.environment
        self.client = WebClient(token=environment.slack_bot_token, base_url=config.slack_api_url, timeout=CALL_SECONDS)
        self.workspace = ""  # the bot's own team id, once Slack has told it
        self.name = "the bot"

    def look(self) -> Iterator[Diagnosis]:
        """`workspace` is known after it, where Slack knows the bot token."""
        yield from self._bot_token()
        yield from self._way_in()

    # ---- the bot token and its scopes

    def _bot_token(self) -> Iterator[Diagnosis]:
        what, token = "SLACK_BOT_TOKEN", self._config.environment.slack_bot_token
        how = "set it to the app's bot token (xoxb-…, OAuth & Permissions)"
        if not token:
            yield Diagnosis(AREA, Outcome.FAIL, what, "is missing", how)
            return
        if not token.startswith("xoxb-"):
            kind = "an app-level token" if token.startswith("xapp-") else "no bot token"
            yield Diagnosis(AREA, Outcome.FAIL, what, f"holds {kind}", how)
            return
        asked_at = self._clock()
        try:
            who = self.client.auth_test()
        except NO_ANSWER as problem:
            error = error_code(problem)
            if error not in TOKEN_REFUSED:
                how = "see that this machine reaches Slack (HTTPS_PROXY, SLACK_API_URL), and look again"
            yield unanswered(what, problem, how, known=TOKEN_REFUSED)
            return
        self.workspace, self.name = str(who.get("team_id", "")), str(who.get("user") or self.name)
        said = f"{self.name} in the workspace {who.get('team')} ({self.workspace})"
        yield Diagnosis(AREA, Outcome.OK, what, said)
        yield skew(AREA, "the clock, beside Slack's", _header(who.headers, "date"), asked_at, self._clock())
        yield from self._scopes(_header(who.headers, "x-oauth-scopes"))

    def _scopes(self, given: str) -> Iterator[Diagnosis]:
        if not given:
            said = "this Slack does not say which were granted"
            yield Diagnosis(AREA, Outcome.UNKNOWN, "scopes", said, _MANIFEST, asked=False)
            return
        missing = SCOPES.keys() - {scope.strip() for scope in given.split(",")}
        for scope in SCOPES:
            if scope not in missing:
                yield Diagnosis(AREA, Outcome.OK, f"scope {scope}", "granted", kind="scopes")
                continue
            found = Outcome.WARN if scope in self._spare() else Outcome.FAIL
            how = f"add it under OAuth & Permissions, or {_MANIFEST}"
            yield Diagnosis(AREA, found, f"scope {scope}", f"not granted: {SCOPES[scope]}", how)

    def _spare(self) -> set[str]:
        """Scopes that these settings can do without."""
        policy, teams = self._config.file.policy, self._config.file.teams
        named = [*policy.approvers, *policy.deny, *teams.groups.values()]
        named += [one for team in policy.teams.values() for one in (*team.approvers, *team.deny)]
        groups = any(one.startswith("S") for one in named)
        return {"files:write", "groups:read"} | (set() if groups else {"usergroups:read"})

    # ---- how requests come in

    def _way_in(self) -> Iterator[Diagnosis]:
        environment = self._config.environment
        if environment.slack_app_token:
            yield self._socket_mode(environment.slack_app_token)
        elif environment.slack_signing_secret:
            yield self._signing_secret(environment.slack_signing_secret)
        else:
            said = "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set: no command reaches the bot"
            how = "set SLACK_APP_TOKEN to the app-level token (xapp-…, connections:write), or the other to serve HTTP"
            yield Diagnosis(AREA, Outcome.FAIL, "the way in", said, how)
        said = "Slack lets no app list them"
        how = "type `/trace-audit help` in Slack; where nothing answers, compare the app with manifest.yml"
        if not self._in_bot:
            yield Diagnosis(AREA, Outcome.UNKNOWN, "commands and events of the app", said, how, asked=False)

    def _socket_mode(self, token: str) -> Diagnosis:
        what, how = "SLACK_APP_TOKEN", "make an app-level token with connections:write (Basic Information), and set it"
        if self._in_bot:
            return Diagnosis(AREA, Outcome.OK, what, "your command came in by it")
        if not token.startswith("xapp-"):
            kind = "a bot token" if token.startswith("xoxb-") else "no app-level token"
            return Diagnosis(AREA, Outcome.FAIL, what, f"holds {kind}", how)
        client = WebClient(token=token, base_url=self._config.slack_api_url, timeout=CALL_SECONDS)
        try:
            client.apps_connections_open(app_token=token)  # gives an address, and connects nobody
        except NO_ANSWER as problem:
            if error_code(problem) in ("missing_scope", "forbidden_team"):
                how = "give the app-level token connections:write, and turn Socket Mode on"
            return unanswered(what, problem, how, known={*TOKEN_REFUSED, "missing_scope"})
        return Diagnosis(AREA, Outcome.OK, what, "opens Socket Mode")

    def _signing_secret(self, secret: str) -> Diagnosis:
        what = "SLACK_SIGNING_SECRET"
        if self._in_bot:
            return Diagnosis(AREA, Outcome.OK, what, "your command was signed with it")
        if not _SECRET.fullmatch(secret):
            said = "does not look like one: 32 digits and letters a to f"
            return Diagnosis(AREA, Outcome.FAIL, what, said, "set it to the app's (Basic Information, App Credentials)")
        said = "is set; only a request of Slack's shows whether it is the app's"
        how = "type `/trace-audit help` in Slack: a wrong one is answered with an error"
        return Diagnosis(AREA, Outcome.UNKNOWN, what, said, how, asked=False)


def unanswered(
    what: str, problem: Exception, how: str, *, known: object = (), area: str = AREA, lacking: Outcome = Outcome.FAIL
) -> Diagnosis:
    """`known`: the codes that say no for good; what else comes instead of an answer says nothing."""
    error = error_code(problem)
    if error in known:  # type: ignore[operator]  # any container of codes
        needed = _needed(problem) if error == "missing_scope" else ""
        return Diagnosis(area, lacking, what, f"Slack answers {error}{needed}", how)
    said = f"no answer ({error})"
    if isinstance(problem, SlackApiError):
        busy = problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        said = "Slack asks for patience (ratelimited)" if busy else f"Slack answers {error}"
        how = "look again in a minute" if busy else how
    return Diagnosis(area, Outcome.UNKNOWN, what, said, how)


def _needed(problem: Exception) -> str:
    response: Any = getattr(problem, "response", None)
    return f": {response.get('needed')}" if response is not None else ""


def _header(headers: Mapping[str, Any], name: str) -> str:
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")

"""The bot from start to stop: builds everything once, waits for Slack, and ends without losing what it began."""

import fcntl
import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO, Any, Protocol, Self

from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.app import Desk, build_app
from bot.channels import ChannelNames
from bot.config import Config, ConfigProblem, require_slack
from bot.outbox import Outbox
from bot.people import SlackPeople
from bot.scheduler import DailyClock
from commands import COMMANDS, fix
from commands._shown import draw
from commands._types import Clock, Context
from commands.aws.accounts import Cloud
from storage.store import Store

log = logging.getLogger(__name__)

SCOPES = frozenset({"commands", "chat:write", "channels:read", "groups:read", "users:read", "usergroups:read"})
# Slack will never say yes to these tokens, however often it is asked.
REFUSED = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
SLACK_TIMEOUT_SECONDS = 15


class Door(Protocol):
    """How Slack reaches the bot: Socket Mode or HTTP."""

    def open(self) -> None: ...
    def close(self) -> None: ...


class OnlyOne:
    """Holds the database for one bot process; two would post and fix the same things."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            self._file.close()
            raise ConfigProblem(
                f"{self._path}: another Lamplighter runs on this database. Stop it, or set LAMPLIGHTER_DATABASE "
                "to another file."
            ) from problem
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()


class Service:
    """`run()` blocks until `stop` is set; SIGTERM and SIGINT set it when `run` is called from the main thread."""

    def __init__(self, config: Config, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        require_slack(config)
        self._config = config
        self._clock = clock
        self.stop = threading.Event()
        self.ready = threading.Event()

    def run(self) -> None:
        """Raises ConfigProblem or StorageProblem for what only a person can mend."""
        store = Store(self._config.database)
        try:
            with OnlyOne(self._config.database):
                self._catch_signals()
                client = self._web_client()
                who = self._wait_for("Slack", lambda: self._who_am_i(client))
                if who is not None:
                    self._serve(store, client, str(who["team_id"]), self._missing_scopes(who))
        finally:
            store.close()

    def _serve(self, store: Store, client: WebClient, workspace: str, missing: list[str]) -> None:
        policy = self._config.file.policy
        people = SlackPeople(
            client, workspace, policy.approvers, {team: section.approvers for team, section in policy.teams.items()}
        )
        context = Context(
            store=store,
            cloud=Cloud(self._config.aws),
            teams=self._config.teams,
            people=people,
            clock=self._clock,
            zone=self._config.zone,
        )
        outbox = Outbox(context, client, ChannelNames(client), draw)
        desk = Desk(context, people, outbox)
        app = build_app(COMMANDS, desk, client, self._config.environment.slack_signing_secret)
        door = self._door(app)
        clocks = [entry for entry in COMMANDS if isinstance(entry, Clock)]
        daily = DailyClock(clocks, context, self._config.daily, self._config.zone, outbox.nudge)
        self._say_missing(context, missing)
        outbox.start()
        try:
            if self._wait_for("Slack", lambda: _opened(door)) is None:
                return
            desk.run_alone("taking up fixes that were cut short", lambda: list(fix.resume(context)))
            daily.start()
            self.ready.set()
            log.info("Lamplighter is ready")
            self.stop.wait()
        finally:
            log.info("ending: running fixes finish first")
            door.close()
            daily.stop()
            desk.stop()
            outbox.stop()

    def _door(self, app: App) -> Door:
        if self._config.environment.slack_app_token:
            from bot.doors import SocketDoor

            return SocketDoor(app, self._config.environment.slack_app_token, self._config.slack_api_url)
        from bot.doors import HttpDoor

        return HttpDoor(app, self._config.file.slack.listen)

    def _web_client(self) -> WebClient:
        return WebClient(
            token=self._config.environment.slack_bot_token,
            base_url=self._config.slack_api_url,
            timeout=SLACK_TIMEOUT_SECONDS,
        )

    def _who_am_i(self, client: WebClient) -> Any:
        try:
            return client.auth_test()
        except SlackApiError as problem:
            error = str(problem.response.get("error"))
            if error in REFUSED:
                raise ConfigProblem(
                    f"SLACK_BOT_TOKEN: Slack answers {error}. Set it to the bot token of an installed app (xoxb-…)."
                ) from problem
            raise

    def _wait_for(self, what: str, attempt: Callable[[], Any]) -> Any | None:
        """Ask until there is an answer; None when the bot is told to stop before."""
        wait = FIRST_WAIT_SECONDS
        while not self.stop.is_set():
            try:
                return attempt()
            except (SlackClientError, OSError) as problem:
                log.warning("%s cannot be reached (%s), again in %.0f s", what, _short(problem), wait)
            self.stop.wait(wait)
            wait = min(LONGEST_WAIT_SECONDS, wait * 2)
        return None

    def _missing_scopes(self, who: Any) -> list[str]:
        given = str(who.headers.get("x-oauth-scopes") or who.headers.get("X-OAuth-Scopes") or "")
        if not given:
            return []  # this Slack does not say; a refusal later will
        return sorted(SCOPES - {scope.strip() for scope in given.split(",")})

    def _say_missing(self, context: Context, missing: list[str]) -> None:
        if not missing:
            return
        names = ", ".join(missing)
        line = f"Slack scopes are missing: {names}. Add them under OAuth & Permissions and reinstall the app."
        log.error("%s", line)
        context.store.posts.create(
            f"notice:scopes:{','.join(missing)}", "notice", context.teams.fallback_channel, context.clock(), text=line
        )

    def _catch_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def end(number: int, _frame: FrameType | None) -> None:
            if self.stop.is_set():
                os._exit(128 + number)  # asked twice: what is unfinished is taken up at the next start
            self.stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)


def _opened(door: Door) -> bool:
    door.open()
    return True


def _short(problem: Exception) -> str:
    response = getattr(problem, "response", None)
    error = response.get("error") if response is not None and hasattr(response, "get") else None
    return str(error or type(problem).__name__)

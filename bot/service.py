"""The bot from start to stop: builds everything once, waits for Slack, and ends without losing what it began."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.app import build_app, needs_no_words
from bot.channels import ChannelNames
from bot.config import Config, ConfigProblem, require_slack
from bot.desk import Desk
from bot.doors import SLACK_TIMEOUT_SECONDS, Door
from bot.notices import notify
from bot.only_one import OnlyOne
from bot.outbox import Outbox
from bot.people import SlackPeople, people_of
from bot.replicated import replicated
from bot.scheduler import DailyClock
from bot.scopes import SCOPES
from bot.signals import end_when_told
from bot.slack_errors import NO_ANSWER, TOKEN_REFUSED, error_code
from bot.socket_mode import NeedsNoWords
from bot.tidying import TIDY_SECONDS, look_through_memory_by_the_clock, tidy
from bot.vitals import Vitals
from commands import COMMANDS
from commands._batch import lock_of, run_batch
from commands._carry_back import carry_back
from commands._carry_out import carry_out
from commands._drawing import draw
from commands._renamed import follow_names
from commands._types import Clock, Context
from commands.aws.accounts import Cloud
from commands.custom_metrics import data, price_line
from commands.views.text import day_and_time
from storage.store import Store

if TYPE_CHECKING:
    from bot.gauges import MetricsDoor
    from bot.listening import Listening
    from storage.diagnosis import Diagnosis

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
TAKE_UP_SECONDS = 60
ALONE_SECONDS = 5
# How long one thread may compute before another's turn; Python's own is 0.005, and an acknowledgement takes ten turns.
SWITCH_SECONDS = 0.001


class Service:
    """`run()` blocks until `stop` is set; SIGTERM and SIGINT set it when `run` is called from the main thread."""

    def __init__(self, config: Config, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        require_slack(config)
        self._config = config
        self._clock = clock
        self._restored = False
        self.stop = threading.Event()
        self.ready = threading.Event()
        self._unfinished: Callable[[], list[str]] = list
        self._only_one = OnlyOne(config.database)
        self._another: ConfigProblem | None = None  # why this bot had to end

    def run(self) -> None:
        """Raises ConfigProblem or StorageProblem for what only a person can mend."""
        end_when_told(self.stop, self._config.file.stop.seconds, self._left)
        sys.setswitchinterval(SWITCH_SECONDS)
        look_through_memory_by_the_clock()
        # Whoever is refused must not have opened the file: to open it brings it to this version's schema.
        with self._only_one, replicated(self._config, self.stop) as replica:
            if self.stop.is_set():
                return
            self._restored = replica is not None and replica.restored
            store = Store(self._config.database, sole=True)
            try:
                store.check()
                self._run(store)
            finally:
                store.close()
        if self._another:
            raise self._another

    def _left(self) -> list[str]:
        return self._unfinished()

    def _keep_alone(self) -> None:
        """Of two bots that found themselves on one database, the one without the lock ends."""
        try:
            self._only_one.again()
        except ConfigProblem as problem:
            log.error("ending: %s", problem)
            self._another = problem
            self.stop.set()

    def _run(self, store: Store) -> None:
        client = self._web_client()
        vitals = Vitals(self._config, client.auth_test, self._clock)
        vitals.start()
        try:
            who = self._until_slack(lambda: self._who_am_i(client), vitals)
            if who is not None:
                self._serve(store, client, who, vitals)
        finally:
            vitals.stop()

    def _serve(self, store: Store, client: WebClient, who: SlackResponse, vitals: Vitals) -> None:
        context, people = self._context(store, client, str(who["team_id"]))
        outbox = Outbox(context, client, ChannelNames(client), draw)
        desk = Desk(context, people, outbox)
        app = build_app(COMMANDS, desk, client, self._config.environment.slack_signing_secret, who)
        metrics = self._metrics_door(context)
        clocks = [entry for entry in COMMANDS if isinstance(entry, Clock)]
        daily = DailyClock(clocks, context, context.schedule.slots(), outbox.nudge)
        listening = self._listening(context, outbox)
        self._unfinished = lambda: desk.at_work() + daily.at_work()
        self._say_missing(context, self._missing_scopes(who))
        if self._restored:
            _say_restored(context)
        follow_names(context)  # so that who asks before the next audit finds the team, whole
        vitals.measure(context)
        outbox.start()
        vitals.watch_over("outbox", lambda: outbox.alive)
        try:
            if self._until_slack(lambda: _opened(vitals.door, app, needs_no_words(COMMANDS)), vitals) is None:
                return
            daily.every(TAKE_UP_SECONDS, "take-up", lambda: _take_up(context, desk))
            daily.every(ALONE_SECONDS, "only-one", self._keep_alone)
            daily.every(TIDY_SECONDS, "tidy", tidy)
            daily.start()
            vitals.watch_over("clock", lambda: daily.alive)
            if listening:
                listening.start()
                vitals.watch_over("events", lambda: listening.alive)
            if metrics:
                metrics.open()
            vitals.running()
            self.ready.set()
            log.info("Lamplighter is ready")
            self.stop.wait()
        finally:
            log.info("ending: running fixes finish first, for %d s at most", self._config.file.stop.seconds)
            context.ending.set()
            vitals.ending()
            vitals.door.close()
            if listening:
                listening.stop()
            daily.stop()
            desk.stop()
            outbox.stop()
            if metrics:
                metrics.close()

    def _context(self, store: Store, client: WebClient, workspace: str) -> tuple[Context, SlackPeople]:
        teams = self._config.teams
        if teams.channel_tag:
            teams = replace(teams, tagged=store.owners.channel_of)
        people = people_of(self._config.file.policy, client, workspace, teams.named)
        context = Context(
            store=store,
            cloud=Cloud(self._config.aws),
            teams=teams,
            people=people,
            clock=self._clock,
            zone=self._config.zone,
            policy=self._config.policy,
            schedule=self._config.schedule,
            forecasting=self._config.forecasting,
            spending=self._config.spend,
            budget=self._config.budget,
            reporting=self._config.reporting,
            events=self._config.events,
            custom_metrics=self._config.file.metrics.cloudwatch,
            look_around=partial(self._look_around, store),
        )
        return context, people

    def _look_around(self, store: Store) -> "Sequence[Diagnosis]":
        from bot.doctor.around import in_bot  # nobody may ever ask for it

        return in_bot(self._config, store, self._clock)

    def _metrics_door(self, context: Context) -> "MetricsDoor | None":
        """On an address of their own, where that is not where everything is. Raises ConfigProblem."""
        if context.custom_metrics:
            log.info(price_line(len(list(data(context)))))
        listen = self._config.file.metrics.listen
        if not listen or listen == self._config.health_listen:
            return None
        from bot.gauges import MetricsDoor  # who asks for no metrics need not load their library

        return MetricsDoor(context, listen)

    def _listening(self, context: Context, outbox: Outbox) -> "Listening | None":
        if not context.events.queue_url:
            return None
        from bot.listening import Listening  # who names no queue need not load it

        return Listening(context, outbox.nudge)

    def _web_client(self) -> WebClient:
        return WebClient(
            token=self._config.environment.slack_bot_token,
            base_url=self._config.slack_api_url,
            timeout=SLACK_TIMEOUT_SECONDS,
        )

    def _who_am_i(self, client: WebClient) -> SlackResponse:
        try:
            return client.auth_test()
        except SlackApiError as problem:
            error = error_code(problem)
            if error in TOKEN_REFUSED:
                raise ConfigProblem(
                    f"SLACK_BOT_TOKEN: Slack answers {error}. Set it to the bot token of an installed app (xoxb-…)."
                ) from problem
            raise

    def _until_slack(self, attempt: Callable[[], Any], vitals: Vitals) -> Any | None:
        """Ask until Slack answers; None when the bot is told to stop before."""
        wait = FIRST_WAIT_SECONDS
        while not self.stop.is_set():
            try:
                answer = attempt()
                vitals.slack_answered()
                return answer
            except NO_ANSWER as problem:
                vitals.slack_failed(problem)
                log.warning("Slack cannot be reached (%s), again in %.0f s", error_code(problem), wait)
            self.stop.wait(wait)
            wait = min(LONGEST_WAIT_SECONDS, wait * 2)
        return None

    def _missing_scopes(self, who: SlackResponse) -> list[str]:
        given = str(who.headers.get("x-oauth-scopes") or who.headers.get("X-OAuth-Scopes") or "")
        if not given:
            return []  # this Slack does not say; a refusal later will
        return sorted(SCOPES.keys() - {scope.strip() for scope in given.split(",")})

    def _say_missing(self, context: Context, missing: list[str]) -> None:
        if not missing:
            return
        names = ", ".join(missing)
        notify(
            context,
            f"scopes:{names}",
            f"Slack scopes are missing: {names}. Add them under OAuth & Permissions and reinstall the app.".replace(
                "&", "&amp;"
            ),
        )


def _say_restored(context: Context) -> None:
    """What came after the newest row is not known here; whoever has a later one elsewhere can tell."""
    last = context.store.decisions.last()
    newest = (
        f"The newest decision in it is of {day_and_time(last.at)} (`{last.hash[:16]}…`)."
        if last
        else "It holds no decision."
    )
    notify(
        context,
        f"restored:{last.hash if last else ''}",
        f"My database was not there, and was restored from its replica. {newest} What was decided in the last moments "
        "before may be missing from it: AWS is as it was left, and a later decision that stands in Slack is not known "
        "to me.",
    )


def _take_up(context: Context, desk: Desk) -> None:
    """Go on with fixes and undos that were decided on and that nobody carries out: cut short by a crash or a fault."""
    running = context.store.requests.running()  # read first: of a batch that is approved meanwhile, none is among them
    batches = {batch.id for batch in context.store.batches.unfinished()}
    for batch in batches:
        if not context.in_hand.held(lock_of(batch)):
            desk.run_alone(f"taking up batch {batch}", partial(run_batch, context, batch))
    for cut_short in running:
        if cut_short.batch not in batches and not context.in_hand.held(cut_short.id):
            again = partial(carry_out, context, cut_short.id, again=True)
            desk.run_alone(f"taking up the fix {cut_short.id}", partial(_finish, again))
    for request_id in context.store.undos.under_way():
        if not context.in_hand.held(request_id):
            back = partial(carry_back, context, request_id)
            desk.run_alone(f"taking up the undo {request_id}", partial(_finish, back))


def _finish(answer: Callable[[], Iterator[object]]) -> None:
    """Run a command whose answers nobody waits for."""
    for _ in answer():
        pass


def _opened(door: Door, app: App, no_words: NeedsNoWords) -> bool:
    """Raises ConfigProblem where Slack will never take the app-level token."""
    try:
        door.open(app, no_words)
    except SlackApiError as problem:
        error = error_code(problem)
        if error in TOKEN_REFUSED:
            raise ConfigProblem(
                f"SLACK_APP_TOKEN: Slack answers {error}. Set it to an app-level token (xapp-…, connections:write)."
            ) from problem
        raise
    return True

"""Whether the bot still answers while it works: commands at a steady rate, beside a whole audit and a batch of fixes.

The bot is a process of its own between the pretend AWS and the strict Slack. What is measured is Slack's view: how long
it waits for the acknowledgement of each command, for which it gives an app three seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bot.demo.slack import BOT_USER_ID, Channel, Message, Outcome, Person, SlackStandIn, Workspace
from commands.views.digest import REVIEW
from commands.views.review import ALL, TEXT
from tests.bench import world as truth
from tests.bench.contestants import ROOT, environment
from tests.bench.measuring import Memory, estate
from tests.bench.world import TEAMS, World
from tests.ports import free_port

T = TypeVar("T")

ANA = "U0LOADANA"
FIXED = truth.name(5)  # untraced, its role may write, and a team's: one in every region of every account
PAUSE = threading.Event()  # never set
TYPISTS = 64  # people who wait for their acknowledgement at one time, at most
COMMANDS = (
    f"/trace-audit {truth.name(10)} {{account}} {{region}}",
    "/trace-exempt list payments",
    "/trace-report search",
    "/trace-owners",
    "/trace-audit help",
    "/trace-budget",
    "/trace-exempt list",
    "/trace-audit growth",
    f"/trace-fix {truth.name(20)} {{account}} {{region}} seen in the load test",
    f"/trace-exempt {truth.name(25)}",
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a minute of commands found. Seconds, but for `peak_mb`."""

    world: World
    rate: float  # commands a second
    sent: int
    acks: tuple[float, ...]  # sorted
    failures: tuple[str, ...]  # commands that Slack called failed
    audit: float  # the audit beside the commands, from its command to its answer
    fixes: int
    batch: float  # from the approval to the last function's read-back
    peak_mb: float
    http: bool = False  # in place of Socket Mode

    @property
    def waits(self) -> dict[str, float]:
        """For acknowledgements: the median, all but the slowest tenth and hundredth, and the slowest."""
        last = len(self.acks) - 1
        shares = {"median": 0.5, "p90": 0.9, "p99": 0.99, "slowest": 1.0}
        return {name: self.acks[min(last, int(share * len(self.acks)))] for name, share in shares.items()}


def measure_load(world: World, *, rate: float, seconds: float, http: bool = False) -> Loaded:
    """Start everything, let the bot audit once, then ask at `rate` commands a second while it audits and fixes.
    `http`: Slack sends signed requests, in place of Socket Mode."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        sent_to = f"http://127.0.0.1:{free_port()}/slack/events" if http else None
        made = SlackStandIn(ROOT / "manifest.yml", _workspace(), tiers=False, request_url=sent_to)
        slack = stack.enter_context(made)
        url = stack.enter_context(estate(world))
        bot = stack.enter_context(_bot(world, url, slack, folder))
        memory = stack.enter_context(Memory(bot.pid))
        digest = _until(lambda: _digest(slack), 300, "the digest of payments")
        batch = _approve(slack, digest, world)
        pool = stack.enter_context(ThreadPoolExecutor(TYPISTS))
        whole = pool.submit(_whole_audit, slack)
        acks, failures, sent = _ask(slack, pool, world, rate, seconds)
        fixes, took = batch.result()
        peak = memory.peak / 2**20
        return Loaded(world, rate, sent, tuple(sorted(acks)), failures, whole.result(), fixes, took, peak, http)


def _ask(
    slack: SlackStandIn, pool: ThreadPoolExecutor, world: World, rate: float, seconds: float
) -> tuple[list[float], tuple[str, ...], int]:
    places = cycle([(account, region) for account in world.account_ids for region in world.region_names])
    typed: list[Future[tuple[float, Outcome]]] = []
    begun = time.monotonic()
    for number, line in zip(range(int(rate * seconds)), cycle(COMMANDS)):
        account, region = next(places)
        pause = begun + number / rate - time.monotonic()
        if pause > 0:
            PAUSE.wait(pause)
        typed.append(pool.submit(_type, slack, line.format(account=account, region=region)))
    done = [one.result() for one in typed]
    return [took for took, _ in done], tuple(str(outcome.error) for _, outcome in done if not outcome.ok), len(typed)


def _type(slack: SlackStandIn, line: str) -> tuple[float, Outcome]:
    begun = time.perf_counter()
    outcome = slack.acting_as(ANA).command("C0PAYMENTS", line)
    return time.perf_counter() - begun, outcome


def _whole_audit(slack: SlackStandIn) -> float:
    begun = time.monotonic()
    slack.acting_as(ANA).command("C0FINOPS", "/trace-audit")
    _until(lambda: _said(slack, "C0FINOPS", "Tracing coverage: "), 300, "the audit's answer")
    return time.monotonic() - begun


def _approve(slack: SlackStandIn, digest: Message, world: World) -> "Future[tuple[int, float]]":
    """One function of every region and account, approved in the form; how many were fixed, and how long that took."""
    ana = slack.acting_as(ANA)
    ana.click(digest, REVIEW)
    view = _until(lambda: _view(slack, "that match"), 60, "the form")
    ana.click_in_view(view["id"], TEXT, FIXED)
    wanted = world.accounts * world.regions
    _until(lambda: _view(slack, f"All {wanted:,} that match"), 120, f"the form's count of {wanted:,}")
    outcome = ana.submit(view["id"], **{TEXT: FIXED, ALL: [{"value": "all"}]})
    if not outcome.ok:
        raise RuntimeError(f"the form was not taken: {outcome}")
    _until(lambda: _view(slack, f"{wanted:,} functions approved"), 120, "the approval")
    begun = time.monotonic()
    said = f"{wanted:,} of {wanted:,} Lambda functions fixed"
    done: Future[tuple[int, float]] = Future()

    def watch() -> None:
        try:
            _until(lambda: _said(slack, "C0PAYMENTS", said), 600, said)
            done.set_result((wanted, time.monotonic() - begun))
        except TimeoutError as problem:
            done.set_exception(problem)

    threading.Thread(target=watch, daemon=True).start()
    return done


def _said(slack: SlackStandIn, channel: str, words: str) -> bool:
    """Whether Ana reads this in the channel."""
    seen = [*slack.workspace.messages(channel), *slack.workspace.ephemerals(channel, ANA)]
    return any(words in f"{one.text} {one.blocks}" for one in seen)


def _view(slack: SlackStandIn, containing: str) -> dict[str, Any] | None:
    return next((one for one in slack.views(ANA) if containing in json.dumps(one, ensure_ascii=False)), None)


def _digest(slack: SlackStandIn) -> Message | None:
    return next((one for one in slack.workspace.messages("C0PAYMENTS") if REVIEW in str(one.blocks)), None)


def _workspace() -> Workspace:
    channels = [Channel("C0FINOPS", "finops", members={ANA, BOT_USER_ID})]
    channels += [Channel(f"C0{team.upper()}", f"team-{team}", members={ANA, BOT_USER_ID}) for team in TEAMS]
    return Workspace([Person(ANA, "ana", "Ana")], channels)


@contextmanager
def _bot(world: World, url: str, slack: SlackStandIn, folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    settings = folder / "lamplighter.toml"
    accounts, regions = json.dumps(world.account_ids), json.dumps(world.region_names)
    settings.write_text(_SETTINGS.format(accounts=accounts, regions=regions))
    own = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "LAMPLIGHTER_CONFIG": str(settings),
        "LAMPLIGHTER_DATABASE": str(folder / "lamplighter.db"),
    }
    if slack.request_url:
        own["SLACK_SIGNING_SECRET"] = slack.signing_secret
        settings.write_text(f'{settings.read_text()}[slack]\nlisten = "{urlsplit(slack.request_url).netloc}"\n')
    else:
        own["SLACK_APP_TOKEN"] = slack.app_token
    log = Path(os.environ.get("LAMPLIGHTER_LOAD_LOG", folder / "bot.log"))
    with log.open("wb") as said:
        bot = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=dict(environment(world, url, folder)) | own, stderr=said
        )
        try:
            yield bot
        finally:
            bot.terminate()
            bot.wait(60)


_SETTINGS = """
[aws]
accounts = {accounts}
regions = {regions}
role = "audit"
fix_role = "fix"
calls_per_second = 0
[teams]
tag_keys = ["team"]
channel = "#team-{{team}}"
fallback_channel = "#finops"
[schedule]
daily = "00:00"
timezone = "UTC"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
[forecast]
enabled = false
[spend]
enabled = false
[report]
weekly = "never"
[policy]
approvers = ["U0LOADANA"]
"""


def _until(look: Callable[[], T], seconds: float, what: str) -> T:
    """What `look` returns once that is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        PAUSE.wait(0.2)
    return found

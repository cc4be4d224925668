"""A morning of 500 teams and 20,000 functions: who they are, what each is to read, and the real bot on a clock that
shows that morning, as a process of its own. What AWS says is in memory already, as an earlier slot's audit leaves it.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from bot.config import load
from bot.demo.people import ANA, people
from bot.demo.show import ROOT
from bot.demo.slack import BOT_USER_ID, Channel, SlackStandIn, Workspace
from bot.service import Service
from commands._audits import keep_audit
from commands._teams import TeamSettings
from commands._types import Context
from commands.aws import checks
from commands.aws.accounts import AwsSettings, Cloud
from commands.digest import AUDIT
from storage.models import Function, Inventory, MayWrite, Source, TracingMode
from storage.store import Store, open_store

MONDAY = date(2026, 11, 23)
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FINOPS = "C0FINOPS"
ACCOUNTS, REGIONS = tuple(f"{number:012}" for number in range(1, 21)), ("eu-central-1", "us-east-1")
# How many functions teams have; of each three, two are untraced. The first ten teams have none that is.
SIZES = (*[20] * 10, *[15] * 290, *[60] * 180, *[232] * 10, *[233] * 10)
CLEAN = 10
SETTINGS = f"""
[spend]
enabled = false
[teams]
fallback_channel = "#finops"
[schedule]
daily = "09:00"
timezone = "UTC"
[policy]
approvers = ["{ANA}"]
"""


def team(number: int) -> str:
    return f"svc-{number:03}"


ARCHIVED, PRIVATE = (team(20), team(495)), team(310)
CLOSED = (*ARCHIVED, PRIVATE)


def functions() -> dict[str, list[Function]]:
    """All 20,000, by team."""
    places = cycle((account, region) for account in ACCOUNTS for region in REGIONS)
    return {
        team(number): [_function(team(number), nth, *place) for nth, place in enumerate(islice(places, size))]
        for number, size in enumerate(SIZES)
    }


def _function(owner: str, nth: int, account: str, region: str) -> Function:
    name = f"{owner}-worker-{nth:03}"
    dark = nth % 3 and owner >= team(CLEAN)
    return Function(
        arn=f"arn:aws:lambda:{region}:{account}:function:{name}",
        account=account,
        region=region,
        name=name,
        mode=TracingMode.PASS_THROUGH if dark else TracingMode.ACTIVE,
        role=f"arn:aws:iam::{account}:role/{owner}",
        role_may_write=MayWrite.YES,
        runtime="python3.13",
        team=owner,
    )


def untraced(owned: Sequence[Function]) -> list[str]:
    return [one.name for one in owned if one.mode is not TracingMode.ACTIVE]


def workspace() -> Workspace:
    """A channel for each team: two archived, and a private one without the bot."""
    found = [Channel(FINOPS, "finops", members={ANA, BOT_USER_ID})]
    for number in range(len(SIZES)):
        name, members = team(number), {ANA} if team(number) == PRIVATE else {ANA, BOT_USER_ID}
        found.append(
            Channel(
                f"C{number:09}",
                f"team-{name}",
                is_archived=name in ARCHIVED,
                is_private=name == PRIVATE,
                members=members,
            )
        )
    made = Workspace(people(), found)
    made.takes_an_id_once = True
    return made


class Nobody:
    """Who may act is no matter of an audit."""

    def may_approve(self, user: str, workspace: str, team: str | None) -> Any:
        raise AssertionError("nobody asks here")

    def approvers(self, team: str | None) -> tuple[str, ...]:
        return ()

    def teams_of(self, user: str, groups: Mapping[str, str]) -> frozenset[str]:
        return frozenset()


def remember(database: Path, seen: Sequence[Function]) -> None:
    """As an audit leaves it that a slot before nine o'clock has made."""
    before = NINE - timedelta(minutes=10)
    with open_store(database) as store:
        context = Context(
            store=store,
            cloud=Cloud(AwsSettings()),
            teams=TeamSettings(),
            people=Nobody(),
            clock=lambda: before,
            zone=ZoneInfo("UTC"),
        )
        store.daily_runs.begin(AUDIT, MONDAY, before)
        keep_audit(
            context, Inventory(tuple(map(checks.judge, seen)), (), ACCOUNTS, REGIONS, 0), before, source=Source.CLOCK
        )
        store.daily_runs.end(AUDIT, MONDAY, before)


class Bot:
    """The real process, killed and started again; a minute passes in between."""

    def __init__(self, folder: Path, slack: SlackStandIn) -> None:
        self.database, self.log = folder / "memory.db", folder / "bot.log"
        settings = folder / "lamplighter.toml"
        settings.write_text(SETTINGS)
        self._environment = os.environ | {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "LAMPLIGHTER_CONFIG": str(settings),
            "LAMPLIGHTER_DATABASE": str(self.database),
        }
        self._begun = time.time()
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def start(self) -> None:
        ahead = NINE.timestamp() - self._begun + 60 * (1 + self._starts)
        self._starts += 1
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.morning", str(ahead)], cwd=ROOT, env=self._environment, stderr=log
            )

    def kill(self) -> None:
        assert self._process
        self._process.kill()

    def killed(self, seconds: float = 40) -> None:
        """Waits until somebody kills it."""
        assert self._process
        assert self._process.wait(seconds) == -signal.SIGKILL, self.log.read_text()[-3000:]

    def stop(self) -> int:
        assert self._process
        self._process.terminate()
        return self._process.wait(30)

    @contextmanager
    def memory(self) -> Iterator[Store]:
        with open_store(self.database) as store:
            yield store


class Trap:
    """Kills the bot in the middle of a call, before it has its answer, at each of the moments that are named."""

    def __init__(self, slack: SlackStandIn, bot: Bot) -> None:
        self._slack, self._bot = slack, bot
        self._kind, self._count, self._when = "", 0, lambda: True
        slack.workspace.observe(self._hear)

    def at(self, kind: str, nth: int, when: Callable[[], bool] = lambda: True) -> None:
        """`kind`: a "message" that Slack took, or a "call"; the `nth` from now of those for which `when` is true."""
        self._kind, self._count, self._when = kind, nth, when

    def refused(self) -> bool:
        last = self._slack.calls[-1]
        return last.method == "chat.postMessage" and last.error == "ratelimited"

    def _hear(self, kind: str, _details: object) -> None:
        if self._count and kind == self._kind and self._when():
            self._count -= 1
            if not self._count:
                self._bot.kill()


def main() -> None:
    ahead = float(sys.argv[1])
    config = load()
    logging.basicConfig(level=logging.INFO)
    Service(config, clock=lambda: datetime.fromtimestamp(time.time() + ahead, UTC)).run()


if __name__ == "__main__":
    main()

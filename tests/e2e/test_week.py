"""A week of mornings over the wire: what each day's changes bring to each team, and to Slack nothing more than that."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.people import ANA, people
from bot.demo.show import ROOT
from bot.demo.slack import BOT_USER_ID, Channel, Message, SlackStandIn, Workspace
from bot.outbox import Outbox
from commands._audits import keep_audit
from commands._drawing import draw
from commands._teams import TeamSettings
from commands._types import Context, Request
from commands.aws import checks
from commands.aws.accounts import AwsSettings, Cloud
from commands.digest import daily
from storage.models import THE_CLOCK, Function, Inventory, MayWrite, PostState, Source, TracingMode
from tests.e2e.morning import Nobody
from tests.e2e.scene import wait_for, words
from tests.memory import new_store

MONDAY = date(2026, 11, 23)
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TEAMS = ("still", "grows", "regresses", "shrinks", "exempts", "naps", "ends")
ACCOUNT, REGION = "111122223333", "eu-central-1"


class Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.now = NINE

    def __call__(self) -> datetime:
        return self.now


class Week:
    """AWS as a dictionary of what it would say; memory, the daily job, the outbox and Slack as they are."""

    def __init__(self, context: Context, clock: Clock, slack: SlackStandIn) -> None:
        self.context, self.clock, self.slack, self.store = context, clock, slack, context.store
        self.aws: dict[str, Function] = {}
        self._client = WebClient(token=slack.bot_token, base_url=slack.api_url)

    def function(self, team: str, name: str, *, lit: bool = False) -> str:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        mode = TracingMode.ACTIVE if lit else TracingMode.PASS_THROUGH
        self.aws[arn] = Function(
            arn, ACCOUNT, REGION, name, mode, role="arn:aws:iam::1:role/r", role_may_write=MayWrite.YES, team=team
        )
        return arn

    def set(self, arn: str, *, lit: bool) -> None:
        self.aws[arn] = structs.replace(self.aws[arn], mode=TracingMode.ACTIVE if lit else TracingMode.PASS_THROUGH)

    def come(self, day: int) -> tuple[dict[str, int], int]:
        """How many new messages each team has had by the morning so many days after Monday, and how many edits."""
        before = {team: len(self.messages(team)) for team in TEAMS}
        edits = len([one for one in self.slack.calls_of("chat.update") if one.ok])
        self.clock.now = NINE + timedelta(days=day)
        seen = Inventory(tuple(map(checks.judge, self.aws.values())), (), (ACCOUNT,), (REGION,), 0)
        keep_audit(self.context, seen, self.clock(), source=Source.CLOCK)
        # An audit that ends at this moment is this run's own, so AWS is not asked again.
        list(daily(Request(THE_CLOCK, self.clock(), Source.CLOCK, day=MONDAY + timedelta(days=day)), self.context))
        self._send()
        new = {team: len(self.messages(team)) - before[team] for team in TEAMS}
        sent = len([one for one in self.slack.calls_of("chat.update") if one.ok]) - edits
        return {team: count for team, count in new.items() if count}, sent

    def _send(self) -> None:
        """A new outbox each morning, as after a restart in the night."""
        outbox = Outbox(self.context, self._client, ChannelNames(self._client), draw)
        outbox.start()
        try:
            wait_for(self._settled, 10)
        finally:
            outbox.stop()

    def _settled(self) -> bool:
        return all(
            one.state is not PostState.WAITING and one.shown_version >= one.wanted_version
            for one in self.store.posts.all()
            if one.state is not PostState.ABANDONED
        )

    def messages(self, team: str) -> list[Message]:
        return self.slack.workspace.messages(f"C{TEAMS.index(team):09}")


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    channels = [Channel("C0FINOPS", "finops", members={ANA, BOT_USER_ID})]
    channels += [
        Channel(f"C{number:09}", f"team-{team}", members={ANA, BOT_USER_ID}) for number, team in enumerate(TEAMS)
    ]
    clock = Clock()
    with (
        SlackStandIn(ROOT / "manifest.yml", Workspace(people(), channels)) as slack,
        closing(new_store(tmp_path / "memory.db")) as store,
    ):
        context = Context(
            store=store,
            cloud=Cloud(AwsSettings()),
            teams=TeamSettings(),
            people=Nobody(),
            clock=clock,
            zone=ZoneInfo("UTC"),
        )
        yield Week(context, clock, slack)
        assert slack.faults == []
        assert {one.error for one in slack.calls} == {None}


def test_a_week_has_one_message_at_most_for_a_team_and_a_changed_day(week: Week) -> None:
    store, now = week.store, week.clock
    arns = {team: [week.function(team, f"{team}-{nth}") for nth in range(3)] for team in TEAMS}
    lamp = week.function("regresses", "regresses-lamp", lit=True)

    new, edits = week.come(0)
    assert (new, edits) == (dict.fromkeys(TEAMS, 1), 0)

    # Tuesday: some are fixed, one is exempted until Thursday, one is snoozed until Thursday; nothing is new.
    week.set(arns["shrinks"][0], lit=True)
    store.exemptions.grant(arns["exempts"][0], "moves", ANA, now(), NINE + timedelta(days=2, hours=12))
    store.snoozes.begin(arns["naps"][0], "naps", ANA, now(), NINE + timedelta(days=2, hours=12))
    week.set(arns["ends"][0], lit=True)
    assert week.come(1) == ({}, 4)

    # Wednesday: one is new, one regresses, one is gone, and one more is fixed.
    fresh = week.function("grows", "grows-fresh")
    week.set(lamp, lit=False)
    del week.aws[arns["shrinks"][1]]
    week.set(arns["ends"][1], lit=True)
    assert week.come(2) == ({"grows": 1, "regresses": 1}, 4)  # two old messages, and two that stay
    assert_last(week, "grows", "4 Lambda functions", "*new* on Nov 25")
    assert_last(week, "regresses", "4 Lambda functions", "*Untraced again*")

    # Thursday: the exemption and the snooze are over, and the last function of a team is fixed.
    week.set(arns["ends"][2], lit=True)
    assert week.come(3) == ({"exempts": 1, "naps": 1, "ends": 1}, 3)
    assert_last(week, "exempts", "3 Lambda functions", "*exemption ended* on Nov 26")
    assert_last(week, "naps", "3 Lambda functions", "*snooze ended* on Nov 26")
    assert "All 3 functions of *ends* are traced since" in words(week.messages("ends")[-1])

    # Friday: nothing.
    assert week.come(4) == ({}, 0)

    # The weekend: what is new is shown, and nobody is disturbed; on Monday all have their weekly message.
    week.function("still", "still-late")
    week.set(fresh, lit=True)
    assert week.come(5) == ({}, 2)
    assert week.come(6) == ({}, 0)
    new, _ = week.come(7)
    assert new == dict.fromkeys((team for team in TEAMS if team != "ends"), 1)
    assert_last(week, "still", "4 Lambda functions", "*new*")


def assert_last(week: Week, team: str, *said: str) -> None:
    """The newest says so and has buttons; those before it have none."""
    *old, newest = week.messages(team)
    assert [one for one in said if one not in words(newest)] == [], words(newest)
    assert "approve-fix" in str(newest.blocks)
    for one in old:
        assert '"actions"' not in str(one.blocks).replace("'", '"')
        assert "was replaced by" in words(one)

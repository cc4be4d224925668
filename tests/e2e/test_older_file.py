"""The first morning after an upgrade: what an older version kept and posted, taken over by this one."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
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
from storage.fixes import RequestState
from storage.models import THE_CLOCK, Inventory, PostKind, PostState, Source, TracingMode
from storage.store import open_store
from tests.e2e.morning import Nobody
from tests.e2e.scene import wait_for, words
from tests.storage.older import counts, write_m007

MONDAY = date(2026, 11, 23)
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CHANNELS = {"payments": "C0PAYMENTS", "search": "C0SEARCH00", "": "C0FINOPS00"}
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "approve-fix"}
OLD_BLOCKS = [{"type": "actions", "elements": [BUTTON]}]


@dataclass
class Upgraded:
    context: Context
    slack: SlackStandIn
    before: dict[str, int]  # rows, by table

    def morning(self) -> None:
        store = self.context.store
        functions = [one for team in (*store.functions.teams(), None) for one in store.functions.members(team)]
        seen = Inventory(tuple(map(checks.judge, functions)), (), ("111122223333",), ("eu-central-1",), 0)
        keep_audit(self.context, seen, NINE, source=Source.CLOCK)
        list(daily(Request(THE_CLOCK, NINE, Source.CLOCK, day=MONDAY), self.context))
        client = WebClient(token=self.slack.bot_token, base_url=self.slack.api_url)
        outbox = Outbox(self.context, client, ChannelNames(client), draw)
        outbox.start()
        try:
            wait_for(self._settled, 30)
        finally:
            outbox.stop()

    def _settled(self) -> bool:
        kept = [one for one in self.context.store.posts.all() if one.state is not PostState.ABANDONED]
        return all(one.state is PostState.SENT and one.shown_version >= one.wanted_version for one in kept)

    def messages(self, team: str) -> list[Message]:
        return self.slack.workspace.messages(CHANNELS[team])

    def with_buttons(self, team: str) -> list[Message]:
        return [one for one in self.messages(team) if "approve-fix" in json.dumps(one.blocks)]


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Upgraded]:
    path = tmp_path / "memory.db"
    write_m007(path)
    channels = [Channel(CHANNELS[""], "finops", members={ANA, BOT_USER_ID})]
    channels += [Channel(CHANNELS[one], f"team-{one}", members={ANA, BOT_USER_ID}) for one in CHANNELS if one]
    with SlackStandIn(ROOT / "manifest.yml", Workspace(people(), channels)) as slack:
        show_what_was_sent(path, slack)
        before = counts(path)
        with open_store(path) as store:
            cloud, zone = Cloud(AwsSettings()), ZoneInfo("UTC")
            context = Context(store, cloud, TeamSettings(), Nobody(), lambda: NINE, zone)
            yield Upgraded(context, slack, before)
        assert slack.faults == []
        assert {one.error for one in slack.calls} == {None}


def show_what_was_sent(path: Path, slack: SlackStandIn) -> None:
    """Slack shows what the file says that it took; Slack gives messages their time, and the file is told of it."""
    client = WebClient(token=slack.bot_token, base_url=slack.api_url)
    with sqlite3.connect(path) as file:
        sent = "select id, coalesce(team, ''), coalesce(thread, 0) from posts where state = 'sent' order by id"
        stamps: dict[int, str] = {0: ""}
        for number, team, above in file.execute(sent).fetchall():
            answer = client.chat_postMessage(
                channel=CHANNELS[team], text="Old", blocks=OLD_BLOCKS, thread_ts=stamps[above] or None
            )
            stamps[number] = str(answer["ts"])
            kept = [CHANNELS[team], stamps[number], number]
            file.execute("update posts set posted_channel = ?, ts = ? where id = ?", kept)
    file.close()


def test_the_first_morning_leaves_each_team_one_digest_and_nothing_is_lost(upgraded: Upgraded) -> None:
    store = upgraded.context.store
    shown = {one for post in store.posts.all() for one in store.posts.requests_of(post.id)}
    states = {one: store.requests.get(one).state for one in shown}
    upgraded.morning()

    assert store.decisions.verify() is None
    after = counts(store.path)
    assert [name for name, number in upgraded.before.items() if after[name] < number] == []
    assert RequestState.FAILED in states.values()
    left = {one: state for one, state in states.items() if state is not RequestState.FAILED}
    assert {one: store.requests.get(one).state for one in left} == left
    over = [store.requests.get(one) for one in states if one not in left]  # somebody asked for it two days ago
    assert [one.outcome for one in over] == [
        "It had failed, and nobody approved it again in time: AWS refused: throttled."
    ]

    for team, head in (
        ("payments", "14 Lambda functions"),
        ("search", "7 Lambda functions"),
        ("", "1 Lambda function"),
    ):
        newest = max((one for one in upgraded.messages(team) if not one.thread_ts), key=lambda one: float(one.ts))
        assert upgraded.with_buttons(team) == [newest]
        assert head in words(newest)
        heads = [one for one in upgraded.messages(team) if not one.thread_ts and one is not newest]
        assert heads
        assert ["was replaced" in words(one) for one in heads] == [True] * len(heads)


def test_an_old_digest_that_never_went_out_never_does(upgraded: Upgraded) -> None:
    upgraded.morning()

    kept = [one for one in upgraded.context.store.posts.all(PostKind.DIGEST) if one.created_at < NINE]
    late = [one for one in kept if one.team != "payments" and one.created_at.day == 21]
    assert [one.state for one in late] == [PostState.ABANDONED] * 2
    assert all(one.newer for one in kept)
    assert len([one for one in upgraded.messages("search") if not one.thread_ts]) == 2  # Friday's, and today's


def test_exemptions_decisions_and_undos_go_on_counting(upgraded: Upgraded) -> None:
    store = upgraded.context.store
    (granted,) = store.exemptions.granted(NINE)
    upgraded.morning()

    assert granted.function_arn.endswith(":exempted")
    assert (granted.teams, granted.reason) == (("search",), "moves in OPS-12 (exempted)")
    assert store.exemptions.covering(granted.function_arn, NINE) == granted
    functions = store.functions
    lit = [one for one in functions.members("search") if one.mode is TracingMode.ACTIVE]
    assert {one.name for one in lit} == {"applied", "undoing", "resolved"}
    (undoing,) = store.undos.under_way()
    assert store.requests.get(undoing).function_name == "undoing"
    (running,) = store.requests.running()
    assert running.function_name == "running"
    assert running.approved_by == ANA

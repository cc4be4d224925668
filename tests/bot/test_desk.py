"""The desk: what it does with work that fails, with answers that cannot be delivered, and at the end."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.people import ANA, GUEST
from bot.demo.slack import TEAM_ID, SlackStandIn
from bot.desk import Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from commands import (
    COMMANDS,
    audit,
    deployed,
    evidence,
    exemption_list,
    history,
    owners,
    patch,
    report,
    tips,
    trace_map,
)
from commands._audits import keep_audit
from commands._drawing import draw
from commands._hands import HANDS
from commands._types import Answer, Button, Context, Form, Progress, Reply, Request, Say
from commands.views.home import TURNS
from commands.views.owners import ASSIGN
from storage.models import DecisionKind, Function, Inventory, PostKind, Source
from tests.bot.conftest import NOON
from tests.e2e.scene import wait_for

PAYMENTS = "C07PAYM3NT5"


@pytest.fixture
def outbox(context: Context, client: WebClient) -> Iterator[Outbox]:
    made = Outbox(context, client, ChannelNames(client), draw)
    yield made
    made.stop()


@pytest.fixture
def desk(context: Context, client: WebClient, outbox: Outbox) -> Iterator[Desk]:
    made = Desk(context, SlackPeople(client, TEAM_ID, [ANA], {}), outbox)
    yield made
    made.stop()


def of(who: str = ANA, workspace: str = TEAM_ID) -> Request:
    return Request(who, NOON, Source.SLASH, workspace=workspace)


class Heard:
    """Takes answers; refuses those that a test says."""

    def __init__(self, refuses: Callable[[Reply], bool] = lambda _reply: False) -> None:
        self.replies: list[Reply] = []
        self._refuses = refuses

    def __call__(self, reply: Reply) -> None:
        if self._refuses(reply):
            raise OSError("the network is down")
        self.replies.append(reply)

    @property
    def texts(self) -> list[str]:
        return [getattr(reply, "text", "") for reply in self.replies]


def test_answers_are_delivered_in_their_order(desk: Desk) -> None:
    heard = Heard()
    desk.take(lambda _request, _context: [Progress("a"), Progress("b"), Say("c")], of(), heard)

    wait_for(lambda: len(heard.replies) == 3)
    assert heard.texts == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("who", "workspace", "words"),
    [(GUEST, TEAM_ID, "Guests"), (ANA, "T0OTHER", "its own workspace"), (ANA, "", "its own workspace")],
    ids=["a guest", "another workspace", "no workspace"],
)
def test_who_may_not_ask_is_told_so_and_nothing_runs(desk: Desk, who: str, workspace: str, words: str) -> None:
    ran: list[Request] = []
    heard = Heard()
    desk.take(lambda request, _context: ran.append(request) or [], of(who, workspace), heard)

    wait_for(lambda: heard.replies)
    assert words in heard.texts[0]
    assert ran == []


def test_where_slack_cannot_say_who_asks_nothing_runs(desk: Desk, slack: SlackStandIn) -> None:
    slack.fail_next("users.info", error="internal_error", status=500, times=9)
    ran: list[Request] = []
    heard = Heard()
    desk.take(lambda request, _context: ran.append(request) or [], of(), heard)

    wait_for(lambda: heard.replies)
    assert "could not say who you are" in heard.texts[0]
    assert ran == []


def test_an_answer_that_cannot_be_delivered_does_not_stop_the_work(desk: Desk) -> None:
    heard, done = Heard(lambda reply: isinstance(reply, Progress)), threading.Event()

    def run(_request: Request, _context: Context) -> Answer:
        yield Progress("lost")
        yield Say("arrives")
        done.set()

    desk.take(run, of(), heard)

    assert done.wait(10)
    assert heard.texts == ["arrives"]


def test_what_a_command_leaves_in_memory_is_sent_even_if_it_fails_afterwards(
    desk: Desk, outbox: Outbox, slack: SlackStandIn
) -> None:
    def run(_request: Request, context: Context) -> Answer:
        context.store.posts.create("n", PostKind.NOTICE, "#team-payments", context.clock(), text="hello")
        yield Progress("left")
        raise RuntimeError("boom")

    outbox.start()
    heard = Heard()
    desk.take(run, of(), heard)

    wait_for(lambda: [one.text for one in slack.workspace.messages(PAYMENTS)] == ["hello"])
    wait_for(lambda: len(heard.replies) == 2)
    assert "Something went wrong on my side" in heard.texts[1]


def test_work_that_nobody_waits_for_is_logged_when_it_fails(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("boom")

    desk.run_alone("taking up the fix R1", fail)

    wait_for(lambda: "taking up the fix R1 failed" in caplog.text)
    assert "boom" in caplog.text


def test_a_form_opens_while_all_else_is_busy(desk: Desk, slack: SlackStandIn) -> None:
    slack.rates.tiers = False  # more people than Slack would say the names of in a minute
    go, heard = threading.Event(), Heard()

    def wait(_request: Request, _context: Context) -> Answer:
        assert go.wait(20)
        return []

    for _ in range(200):
        desk.take(wait, of(), Heard())
    desk.take(lambda _request, _context: [Say("quick")], of(), heard, quick=True)

    try:
        wait_for(lambda: heard.texts == ["quick"])
    finally:
        go.set()


def test_at_the_end_what_runs_is_finished_and_what_comes_later_is_dropped(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go, done = threading.Event(), threading.Event(), threading.Event()

    def run(_request: Request, _context: Context) -> Answer:
        begun.set()
        assert go.wait(10)
        yield Say("finished")
        done.set()

    heard, late = Heard(), Heard()
    desk.take(run, of(), heard)
    assert begun.wait(10)
    stopping = threading.Thread(target=desk.stop)
    stopping.start()
    go.set()
    stopping.join(10)
    desk.take(run, of(), late)

    assert done.is_set()
    assert heard.texts == ["finished"]
    assert late.replies == []
    assert "came while Lamplighter was ending" in caplog.text


@pytest.mark.parametrize(("decides", "kept"), [(True, 1), (False, 0)])
def test_a_guest_who_tries_to_decide_is_kept_in_the_history_once(
    desk: Desk, context: Context, decides: bool, kept: int
) -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:refund"
    function = Function(arn, "123456789012", "eu-central-1", "refund", mode=None)
    asked = context.store.requests.open_for(function, NOON)
    clicks = replace(of(GUEST), value=asked.id, source=Source.BUTTON)
    heard = Heard()
    for _ in range(2):
        desk.take(lambda _request, _context: [Say("done")], clicks, heard, decides=decides)

    wait_for(lambda: len(heard.replies) == 2)
    assert all("Guests cannot use Lamplighter" in text for text in heard.texts)
    rows = context.store.decisions.of_request(asked.id)
    assert [(row.kind, row.actor, row.workspace) for row in rows] == [(DecisionKind.REFUSED, GUEST, TEAM_ID)] * kept


# Who may read a report or a map may show it; a tip is dismissed for oneself; whose a function is, its tags say.
LOOKS = {
    *(owners.turn, exemption_list.turn, patch.show, report.share, trace_map.share, tips.dismiss, deployed.not_ours),
    *(history.turn, history.show, evidence.share),
}


def test_every_button_and_form_but_those_that_only_show_something_keeps_who_may_not() -> None:
    clicked = [one for one in COMMANDS if isinstance(one, Button | Form)]
    careless = {one.run for one in clicked if not one.decides and getattr(one, "action_id", "") not in TURNS}

    assert careless == LOOKS


def test_a_guest_is_kept_once_for_each_thing(desk: Desk, context: Context) -> None:
    store, heard = context.store, Heard()
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:refund"
    function = Function(arn, "123456789012", "eu-central-1", "refund", mode=None, team="payments")
    store.functions.save([function], NOON)
    asked = store.requests.open_for(function, NOON)
    nap = store.snoozes.begin(arn, "payments", ANA, NOON, NOON + timedelta(days=1))
    rule = store.owners.assign("batch-*", "payments", ANA, NOON)
    digest = store.posts.create("d", PostKind.DIGEST, "#team-payments", NOON, team="payments")
    assert digest
    store.posts.sent(digest.id, PAYMENTS, "1.1", 1)
    at = {"channel": PAYMENTS, "message": "1.1"}
    tries: list[tuple[str, dict[str, str], str]] = [
        (f"snooze {asked.id}", at, f"digest:{digest.id}"),
        (str(digest.id), {}, f"digest:{digest.id}"),  # the form that the menu opens
        (ASSIGN, {}, "owners"),
        ('{"pattern": "batch-*", "team": "payments", "seen": ""}', {}, "owners"),
        (rule.token, {}, rule.token),
        (nap.id, {}, nap.id),
        (asked.id, {}, asked.id),
        (f'{{"request": "{asked.id}", "seen": "x"}}', {}, asked.id),
        ('{"team": null, "text": "", "place": "", "seen": ""}', {}, "team:"),
        ("never given out", {}, ""),
        ("9" * 40, {}, ""),
    ]
    for value, where, _ in [*tries, *tries]:
        clicks = replace(of(GUEST), value=value, source=Source.BUTTON, **where)
        desk.take(lambda _request, _context: [Say("done")], clicks, heard, decides=True)

    wait_for(lambda: len(heard.replies) == 2 * len(tries))
    assert all("Guests cannot use Lamplighter" in text for text in heard.texts)
    kept = [row.request_id for row in store.decisions.all() if row.kind is DecisionKind.REFUSED]
    assert sorted(kept) == sorted({thing for _, _, thing in tries if thing})
    assert store.decisions.verify() is None


def test_few_questions_compute_at_one_time_and_a_decision_waits_for_none_of_them(desk: Desk) -> None:
    lock, now, most, go_on = threading.Lock(), [0], [0], threading.Event()

    def question(_request: Request, _context: Context) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        while not go_on.is_set():
            pass
        with lock:
            now[0] -= 1
        yield Say("answered")

    heard, decided = Heard(), Heard()
    for _ in range(3 * HANDS):
        desk.take(question, of(), heard)
    try:
        wait_for(lambda: now[0] >= HANDS)
        desk.take(lambda _request, _context: [Say("approved")], of(), decided, decides=True)
        wait_for(lambda: decided.replies)
        assert heard.replies == []
    finally:
        go_on.set()  # else the desk would wait for them for ever
    wait_for(lambda: len(heard.replies) == 3 * HANDS)
    assert most[0] == HANDS


def test_who_waits_for_something_keeps_nobody_elses_question_waiting(desk: Desk, context: Context) -> None:
    heard, quick = Heard(), Heard()
    with context.one_audit:  # somebody's audit runs
        for _ in range(3 * HANDS):
            desk.take(audit.audit, of(), heard)
        wait_for(lambda: len(heard.replies) == 3 * HANDS)  # that each looks

        desk.take(lambda _request, its: [exemption_list.show_list(its, "")], of(), quick)
        wait_for(lambda: quick.replies)
        keep_audit(context, Inventory((), (), (), (), 0), context.clock(), source=Source.CLOCK)

    wait_for(lambda: len(heard.replies) == 6 * HANDS)
    assert all("Tracing coverage: " in text for text in heard.texts[3 * HANDS :])


def test_a_question_reads_behind_who_works_and_a_decision_behind_nobody(desk: Desk, context: Context) -> None:
    put_off = context.store._connection._lock._asking

    def look(_request: Request, _context: Context) -> Answer:
        yield Say(f"{threading.get_ident() in put_off}")
        yield Say(f"{threading.get_ident() in put_off}")

    asks, decides = Heard(), Heard()
    desk.take(look, of(), asks)
    desk.take(look, of(), decides, decides=True)

    wait_for(lambda: len(asks.replies) == len(decides.replies) == 2)
    assert (asks.texts, decides.texts) == (["True", "True"], ["False", "False"])
    assert put_off == {}

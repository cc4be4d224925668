"""How answers reach people, through the real Bolt app over Socket Mode, when Slack is slow or says no."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.app import build_app
from bot.channels import ChannelNames
from bot.demo import people
from bot.demo.people import ANA, GUEST
from bot.demo.slack import TEAM_ID, SlackStandIn, Workspace
from bot.desk import Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from bot.replies import TOO_LATE
from commands._drawing import draw
from commands._types import (
    Answer,
    Button,
    Context,
    Entry,
    Form,
    OpenForm,
    Progress,
    Replace,
    Request,
    Say,
    Slash,
)
from commands.views.blocks import button, section
from commands.views.exempt import ExemptForm, exempt_form
from storage.models import Function
from tests.bot.conftest import ROOT
from tests.bot.demo.slack.conftest import hang_up
from tests.e2e.scene import wait_for, words

PAYMENTS = "C07PAYM3NT5"
Connect = Callable[..., Desk]


class SlackClock:
    """Slack's time, which a test moves: triggers and response URLs grow old by it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def slack_clock() -> SlackClock:
    return SlackClock()


@pytest.fixture
def slack(slack_clock: SlackClock) -> Iterator[SlackStandIn]:
    workspace = Workspace(people.people(), people.channels(), people.user_groups(), clock=slack_clock)
    with SlackStandIn(Path(ROOT / "manifest.yml"), workspace) as running:
        yield running


@pytest.fixture
def connect(slack: SlackStandIn, client: WebClient, context: Context) -> Iterator[Callable[..., Desk]]:
    """The bot's Slack side with a table of commands of the test's own."""
    ends: list[Callable[[], object]] = []

    def connect(*entries: Entry) -> Desk:
        who = SlackPeople(client, TEAM_ID, [ANA], {})
        desk = Desk(replace(context, people=who), who, Outbox(context, client, ChannelNames(client), draw))
        app = build_app(entries, desk, client, "")
        wire = WebClient(token=slack.app_token, base_url=slack.api_url)
        handler = SocketModeHandler(app, slack.app_token, web_client=wire, ping_interval=0.2)
        handler.connect()
        slack.wait_until_connected()
        ends.extend((desk.stop, lambda: end(handler)))
        return desk

    def end(handler: SocketModeHandler) -> None:
        handler.client.auto_reconnect_enabled = False
        slack.drop_connections(goodbye=True)
        threading.Thread(target=hang_up, args=(handler,), daemon=True).start()

    yield connect
    for each in ends:
        each()


def slash(run: Callable[[Request, Context], Answer], *, opens_form: bool = False) -> Slash:
    return Slash("/trace-audit", "[team]", "Shows.", ("/trace-audit",), run, opens_form)


def told(slack: SlackStandIn, who: str = ANA, channel: str = PAYMENTS) -> list[str]:
    return [words(one) for one in slack.workspace.ephemerals(channel, who)]


def wait_told(slack: SlackStandIn, text: str, who: str = ANA) -> list[str]:
    """All that the person was told, once these words are among it."""
    wait_for(lambda: any(text in one for one in told(slack, who)), what=text)
    return told(slack, who)


FUNCTION = Function(
    arn="arn:aws:lambda:eu-central-1:111122223333:function:refund",
    account="111122223333",
    region="eu-central-1",
    name="refund",
    mode=None,
)


def form() -> dict[str, Any]:
    return exempt_form(ExemptForm("R1", FUNCTION, None, date(2027, 2, 21), date(2027, 11, 23)))


def test_the_first_progress_and_the_answer_are_seen_by_the_one_who_asked_alone(
    slack: SlackStandIn, connect: Connect
) -> None:
    def run(request: Request, _context: Context) -> Answer:
        yield Progress("Looking…")
        for number in range(9):
            yield Progress(f"still looking {number}")
        yield Say(f"you typed {request.text} in {request.channel}")

    connect(slash(run))
    assert slack.acting_as(ANA).command(PAYMENTS, "/trace-audit a<b&c").ok

    assert wait_told(slack, "you typed") == ["Looking…", f"you typed a<b&c in {PAYMENTS}"]
    assert slack.workspace.messages(PAYMENTS) == []
    assert slack.faults == []


@pytest.mark.parametrize("text", ["help", "?", "HELP me", "--help"])
def test_help_is_answered_without_running_the_command(slack: SlackStandIn, connect: Connect, text: str) -> None:
    ran: list[Request] = []

    def run(request: Request, _context: Context) -> Answer:
        ran.append(request)
        return []

    connect(slash(run))
    slack.acting_as(ANA).command(PAYMENTS, f"/trace-audit {text}")

    assert "/trace-audit [team]" in wait_told(slack, "Shows.")[0]
    assert ran == []


def test_where_the_response_url_has_run_out_the_answer_comes_as_a_private_message(
    slack: SlackStandIn, slack_clock: SlackClock, connect: Connect
) -> None:
    def run(_request: Request, _context: Context) -> Answer:
        yield Progress("Looking…")
        slack_clock.ahead += 31 * 60  # an audit of half an hour
        yield Say("Found it", (section("Found it, in *blocks*"),))

    connect(slash(run))
    slack.acting_as(ANA).command(PAYMENTS, "/trace-audit")

    assert "in *blocks*" in wait_told(slack, "Found it")[-1]
    (call,) = slack.calls_of("chat.postEphemeral")
    assert (call.args["channel"], call.args["user"], call.error) == (PAYMENTS, ANA, None)


def test_a_response_url_that_was_used_five_times_gives_way_to_a_private_message(
    slack: SlackStandIn, connect: Connect
) -> None:
    connect(slash(lambda _request, _context: [Say(f"part {number}") for number in range(7)]))
    slack.acting_as(ANA).command(PAYMENTS, "/trace-audit")

    assert wait_told(slack, "part 6") == [f"part {number}" for number in range(7)]
    assert len(slack.calls_of("chat.postEphemeral")) == 2


def test_where_no_way_is_open_the_work_is_done_all_the_same(
    slack: SlackStandIn, slack_clock: SlackClock, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def run(_request: Request, _context: Context) -> Answer:
        slack_clock.ahead += 31 * 60
        yield Progress("Looking…")
        yield Say("Found it")
        done.set()

    slack.fail_next("chat.postEphemeral", error="user_not_in_channel", times=5)
    connect(slash(run))
    slack.acting_as(ANA).command(PAYMENTS, "/trace-audit")

    assert done.wait(10)
    assert told(slack) == []
    assert "an answer could not be delivered: user_not_in_channel" in caplog.text


def test_a_form_opens_at_a_command(slack: SlackStandIn, connect: Connect) -> None:
    connect(slash(lambda _request, _context: [OpenForm(form())], opens_form=True))
    persona = slack.acting_as(ANA)
    persona.command(PAYMENTS, "/trace-audit")

    assert persona.modal()["private_metadata"] == "R1"


def test_a_form_that_comes_too_late_is_asked_for_again(
    slack: SlackStandIn, slack_clock: SlackClock, connect: Connect
) -> None:
    def run(_request: Request, _context: Context) -> Answer:
        slack_clock.ahead += 4  # Slack's three seconds are over
        yield OpenForm(form())

    connect(slash(run, opens_form=True))
    slack.acting_as(ANA).command(PAYMENTS, "/trace-audit")

    assert wait_told(slack, "Slack opens a form only within three seconds") == [TOO_LATE]
    assert slack.views(ANA) == []
    assert slack.calls_of("views.open")[0].error == "expired_trigger_id"


def submitted(slack: SlackStandIn, connect: Connect, run: Callable[[Request, Context], Answer], **fields):
    """Open the form, fill it in, and the outcome of sending it."""

    def check(put, _now, _zone) -> dict[str, str]:
        return {"reason": "no reason"} if put["reason"] == "none" else {}

    connect(slash(lambda _request, _context: [OpenForm(form())], opens_form=True), Form("exempt", check=check, run=run))
    persona = slack.acting_as(ANA)
    persona.command(PAYMENTS, "/trace-audit")
    given = {"reason": "moves", "until": "2026-12-24"} | fields
    return persona.submit(persona.modal()["id"], **given)


def modal_words(slack: SlackStandIn) -> str:
    return "\n".join(str(view["blocks"]) for view in slack.views(ANA))


def test_a_form_that_is_answered_at_once_shows_the_answer_with_the_acknowledgement(
    slack: SlackStandIn, connect: Connect
) -> None:
    def run(request: Request, _context: Context) -> Answer:
        yield Say(f"{request.value}: {request.fields['reason']} until {request.fields['until']}")

    assert submitted(slack, connect, run).ok

    assert "R1: moves until 2026-12-24" in modal_words(slack)
    assert slack.calls_of("views.update") == []
    assert slack.faults == []


@pytest.mark.parametrize("refusals", [0, 1], ids=["at once", "after a refusal"])
def test_a_form_that_is_answered_late_is_drawn_again_after_the_acknowledgement(
    slack: SlackStandIn, connect: Connect, refusals: int
) -> None:
    acknowledged = threading.Event()

    def run(_request: Request, _context: Context) -> Answer:
        assert acknowledged.wait(10)
        yield Say("It is exempt")

    if refusals:
        slack.fail_next("views.update", error="internal_error", status=500, times=refusals)
    assert submitted(slack, connect, run).ok
    assert "Recording…" in modal_words(slack)
    acknowledged.set()

    wait_for(lambda: "It is exempt" in modal_words(slack))
    assert "Recording…" not in modal_words(slack)


def test_wrong_fields_are_said_in_the_form_and_nothing_runs(slack: SlackStandIn, connect: Connect) -> None:
    ran: list[Request] = []

    def run(request: Request, _context: Context) -> Answer:
        ran.append(request)
        yield Say("done")

    outcome = submitted(slack, connect, run, reason="none")

    assert outcome.errors == {"reason": "no reason"}
    assert ran == []
    assert slack.views(ANA)


def test_a_fault_in_a_form_is_said_with_a_reference_where_the_form_was(
    slack: SlackStandIn, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def run(_request: Request, _context: Context) -> Answer:
        raise RuntimeError("boom")

    assert submitted(slack, connect, run).ok

    wait_for(lambda: "Something went wrong on my side" in modal_words(slack))
    assert "boom" not in modal_words(slack)
    assert "boom" in caplog.text


def test_a_button_on_a_private_message_redraws_it(slack: SlackStandIn, connect: Connect) -> None:
    def show(_request: Request, _context: Context) -> Answer:
        yield Say(
            "card", ({"type": "actions", "elements": [button("Approve fix", "approve-fix", "R1", described="x")]},)
        )

    def press(request: Request, _context: Context) -> Answer:
        assert request.private
        yield Progress("not shown for a button")
        yield Replace("turning on", (section("turning on"),))
        yield Replace("lit", (section(f"lit {request.value}"),))

    connect(slash(show), Button("approve-fix", press))
    persona = slack.acting_as(ANA)
    persona.command(PAYMENTS, "/trace-audit")
    message = wait_for(lambda: slack.workspace.ephemerals(PAYMENTS, ANA))[0]
    assert persona.click(message, "approve-fix").ok

    wait_for(lambda: "lit R1" in told(slack)[0])
    assert len(told(slack)) == 1
    assert slack.faults == []


def test_a_guest_is_refused_before_anything_runs(slack: SlackStandIn, connect: Connect) -> None:
    ran: list[Request] = []

    def run(request: Request, _context: Context) -> Answer:
        ran.append(request)
        yield Say("done")

    connect(slash(run))
    slack.acting_as(GUEST).command(PAYMENTS, "/trace-audit")

    wait_told(slack, "Guests cannot use Lamplighter", GUEST)
    assert ran == []


def test_a_fault_is_answered_with_a_reference_that_the_log_has_beside_the_traceback(
    slack: SlackStandIn, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def run(_request: Request, _context: Context) -> Answer:
        yield Progress("Looking…")
        raise RuntimeError("a secret detail")

    connect(slash(run))
    slack.acting_as(ANA).command(PAYMENTS, "/trace-audit")

    answer = wait_told(slack, "Something went wrong on my side")[-1]
    reference = answer.split("`")[1]
    assert f"reference {reference}: a request of {ANA} failed" in caplog.text
    assert "a secret detail" in caplog.text
    assert "a secret detail" not in answer


def test_twenty_slow_commands_keep_nobody_from_being_acknowledged(slack: SlackStandIn, connect: Connect) -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def run(_request: Request, _context: Context) -> Answer:
        begun.release()
        assert go.wait(20)
        yield Say("late")

    connect(slash(run))
    for _ in range(30):
        assert slack.acting_as(ANA).command(PAYMENTS, "/trace-audit").ok
    for _ in range(30):
        assert begun.acquire(timeout=10)
    go.set()

    wait_for(lambda: len(told(slack)) == 30)
    assert slack.faults == []

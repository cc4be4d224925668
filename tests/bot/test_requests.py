"""Requests through the real Bolt app over Socket Mode: denied, cancelled, refused, reminded of, expired."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from msgspec import structs
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.app import build_app
from bot.channels import ChannelNames
from bot.demo.people import ANA, BO, FINOPS_LEAD, GUEST
from bot.demo.slack import TEAM_ID, Message, SlackStandIn
from bot.desk import Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from commands import COMMANDS
from commands._drawing import draw
from commands._grace import Grace
from commands._production import TwoPeople
from commands._requests import ask
from commands._types import Context, FixPolicy, Request
from commands.digest import DAILY
from commands.expire import expire
from commands.grace import grace
from commands.views.actions import APPROVE, CANCEL, DENY, EXEMPT, SHOW_PATCH
from commands.views.grace import NOT_THESE, PAGE
from commands.views.living import MENU
from storage.fixes import FixRequest, RequestState
from storage.models import THE_CLOCK, DecisionKind, Function, Inventory, MayWrite, PostKind, PostState, Source
from tests.bot.conftest import SetClock
from tests.bot.demo.slack.conftest import hang_up
from tests.e2e.scene import wait_for, words

PAYMENTS = "C07PAYM3NT5"
PRIYA = "U07A8N2RPAY"  # in the team's channel, and no approver
WRITES = {"role": "arn:aws:iam::111122223333:role/writes", "role_may_write": MayWrite.YES}


@dataclass
class Bot:
    """The Slack side of the bot, and one function of team payments that is untraced."""

    slack: SlackStandIn
    context: Context
    clock: SetClock
    function: Function
    outbox: Outbox

    def show(self, asked_by: str = "") -> FixRequest:
        """A message that shows the function's request, asked for by that person or by a digest alone."""
        store = self.context.store
        request = store.requests.open_for(self.function, self.clock())
        if asked_by:
            slash = Request(asked_by, self.clock(), Source.SLASH, workspace=TEAM_ID)
            assert ask(slash, self.context, request, "blind in OPS-12")
        kind = PostKind.REQUEST if asked_by else PostKind.DIGEST
        channel = "#team-payments"
        store.posts.create("shown", kind, channel, self.clock(), team="payments", requests=[request.id], text="asks")
        self.outbox.nudge()
        wait_for(lambda: all(post.state is PostState.SENT for post in store.posts.all()))
        return store.requests.get(request.id)

    def message(self) -> Message:
        """The one that shows the request, as Slack has it now."""
        return self.slack.workspace.messages(PAYMENTS)[0]

    def saying(self, text: str) -> str:
        """What the message says, once it says that."""
        wait_for(lambda: text in words(self.message()), what=text)
        return words(self.message())

    def buttons(self) -> list[str]:
        blocks = [block for block in self.message().blocks if block["type"] == "actions"]
        return [element["action_id"] for block in blocks for element in block["elements"]]

    def click(self, who: str, action: str) -> None:
        assert self.slack.acting_as(who).click(self.message(), action).ok

    def told(self, who: str, text: str) -> str:
        """What that person is told in private, with these words in it."""

        def look() -> str | None:
            heard = [words(one) for one in self.slack.workspace.ephemerals(PAYMENTS, who)]
            return next((one for one in heard if text in one), None)

        return wait_for(look, what=text)

    def modal_says(self, who: str, text: str) -> None:
        wait_for(lambda: text in str(self.slack.acting_as(who).modal()["blocks"]), what=text)

    def minute_passes(self) -> None:
        list(expire(Request(THE_CLOCK, self.clock(), Source.CLOCK), self.context))
        self.outbox.nudge()

    def kinds(self) -> list[DecisionKind]:
        return [row.kind for row in self.context.store.decisions.history(self.function.arn)]


@pytest.fixture
def start(
    slack: SlackStandIn, client: WebClient, context: Context, clock: SetClock, make_function: Callable[[str], Function]
) -> Iterator[Callable[..., Bot]]:
    ends: list[Callable[[], object]] = []

    def start(**policy: object) -> Bot:
        people = SlackPeople(client, TEAM_ID, [ANA, BO], {})
        ours = replace(context, people=people, policy=FixPolicy(**policy))
        function = make_function("refund-worker")
        ours.store.functions.save([function], clock())
        outbox = Outbox(ours, client, ChannelNames(client), draw)
        desk = Desk(ours, people, outbox)
        wire = WebClient(token=slack.app_token, base_url=slack.api_url)
        handler = SocketModeHandler(build_app(COMMANDS, desk, client, ""), slack.app_token, web_client=wire)
        handler.connect()
        slack.wait_until_connected()
        outbox.start()
        ends.extend((desk.stop, outbox.stop, lambda: end(handler)))
        return Bot(slack, ours, clock, function, outbox)

    def end(handler: SocketModeHandler) -> None:
        handler.client.auto_reconnect_enabled = False
        slack.drop_connections(goodbye=True)
        threading.Thread(target=hang_up, args=(handler,), daemon=True).start()

    yield start
    for each in ends:
        each()
    assert slack.faults == []


def test_a_request_is_denied_in_a_modal_and_its_message_loses_its_buttons(start: Callable[..., Bot]) -> None:
    bot = start()
    request = bot.show(asked_by=PRIYA)
    assert bot.buttons() == [APPROVE, DENY, EXEMPT, SHOW_PATCH, CANCEL]

    bot.click(BO, DENY)
    persona = bot.slack.acting_as(BO)
    assert f"Asked for by <@{PRIYA}>" in str(persona.modal()["blocks"])
    assert persona.submit(persona.modal()["id"], reason="no").errors
    assert persona.submit(persona.modal()["id"], reason="not <!here> before Friday").ok

    bot.modal_says(BO, f"*Denied* by <@{BO}>")
    said = bot.saying(f"*Denied* by <@{BO}>")
    assert "before Friday" in said
    assert "<!here>" not in said
    assert bot.buttons() == []
    assert bot.context.store.requests.get(request.id).state is RequestState.DENIED
    assert bot.kinds() == [DecisionKind.REQUESTED, DecisionKind.DENIED]


def test_who_asked_cancels_and_may_not_deny(start: Callable[..., Bot]) -> None:
    bot = start()
    bot.show(asked_by=PRIYA)

    bot.click(PRIYA, DENY)
    bot.told(PRIYA, "You are not an approver of payments")
    bot.click(PRIYA, CANCEL)

    bot.saying(f"*Cancelled* by <@{PRIYA}>")
    assert bot.buttons() == []
    assert bot.kinds() == [DecisionKind.REQUESTED, DecisionKind.REFUSED, DecisionKind.CANCELLED]


def test_who_may_not_approve_is_refused_and_the_attempt_is_kept_once(start: Callable[..., Bot]) -> None:
    bot = start()
    request = bot.show()

    for _ in range(2):
        bot.click(FINOPS_LEAD, APPROVE)
    bot.told(FINOPS_LEAD, "You are not an approver of payments")
    bot.click(GUEST, APPROVE)
    bot.told(GUEST, "Guests cannot use Lamplighter")

    heard = wait_for(lambda: bot.slack.workspace.ephemerals(PAYMENTS, FINOPS_LEAD)[1:])
    assert heard
    refused, guest = wait_for(lambda: bot.context.store.decisions.of_request(request.id)[:2])
    assert (refused.kind, refused.actor) == (DecisionKind.REFUSED, FINOPS_LEAD)
    assert (guest.kind, guest.actor) == (DecisionKind.REFUSED, GUEST)
    assert (refused.channel, refused.message) == (PAYMENTS, bot.message().ts)


def test_the_first_of_two_people_has_asked(start: Callable[..., Bot]) -> None:
    bot = start(two_people=TwoPeople.ALWAYS)
    request = bot.show()

    bot.click(ANA, APPROVE)

    assert f"another approver has to click: <@{BO}>" in bot.told(ANA, "takes two people")
    bot.saying(f"Asked for by <@{ANA}>")
    assert bot.buttons() == [MENU, APPROVE, DENY, EXEMPT, CANCEL]
    bot.click(ANA, APPROVE)
    bot.told(ANA, "you asked for this fix")
    kept = bot.context.store.requests.get(request.id)
    assert (kept.state, kept.asked_by) == (RequestState.OPEN, ANA)
    assert bot.kinds() == [DecisionKind.REQUESTED, DecisionKind.REFUSED]


def test_approvers_are_reminded_in_the_thread_and_then_the_request_expires(start: Callable[..., Bot]) -> None:
    bot = start()
    bot.show(asked_by=PRIYA)
    before = bot.message()
    bot.clock.forward(hours=22)

    for _ in range(2):
        bot.minute_passes()
    replies = wait_for(lambda: bot.slack.workspace.replies(PAYMENTS, before.ts), what="the reminder")
    assert len(replies) == 1
    assert f"<@{ANA}>, <@{BO}>" in replies[0].text
    assert bot.slack.acting_as(FINOPS_LEAD).click(before, APPROVE).ok  # it waits for an approver still
    bot.told(FINOPS_LEAD, "You are not an approver")

    bot.clock.forward(hours=2)
    assert bot.slack.acting_as(ANA).click(before, APPROVE).ok  # before the clock has come round
    bot.told(ANA, "Ask anew: `/trace-fix refund-worker 111122223333 eu-central-1`")
    bot.minute_passes()

    bot.saying("*Expired* at")
    assert bot.buttons() == []
    assert bot.kinds() == [DecisionKind.REQUESTED, DecisionKind.REFUSED, DecisionKind.EXPIRED]
    assert len(bot.slack.workspace.replies(PAYMENTS, before.ts)) == 1


def test_a_notice_of_the_grace_period_is_posted_and_stopped_with_a_reason(start: Callable[..., Bot]) -> None:
    bot = start(grace=Grace(days=7, teams=("payments",)))
    store, zone = bot.context.store, bot.context.zone
    made = [
        structs.replace(
            bot.function, arn=f"{bot.function.arn}-{number}", name=f"{bot.function.name}-{number}", **WRITES
        )
        for number in range(PAGE + 1)
    ]
    store.functions.save(made, bot.clock())
    bot.clock.forward(days=7)
    store.functions.save(made, bot.clock())
    seen = Inventory(tuple(made), (), ("111122223333",), ("eu-central-1",), 1)
    store.audits.record(seen, {}, source=Source.CLOCK, started_at=bot.clock(), finished_at=bot.clock())
    today = bot.clock().astimezone(zone).date()
    store.daily_runs.begin(DAILY, today, bot.clock())
    store.daily_runs.end(DAILY, today, bot.clock())

    tick = Request(THE_CLOCK, bot.clock(), Source.CLOCK)
    list(grace(tick, bot.context))
    wait_for(lambda: all(post.state is PostState.SENT for post in store.posts.all()))
    list(grace(tick, bot.context))
    [notice] = store.grace.announced()
    assert notice.posted_at == bot.clock()
    said = bot.saying("To be fixed on Tuesday, Dec 1, 2026: 16 Lambda functions")
    assert "1 more in this thread" in said
    assert "refund-worker-0" in said

    bot.click(PRIYA, NOT_THESE)
    bot.told(PRIYA, "Nothing was stopped: You are not an approver of payments")
    bot.click(ANA, NOT_THESE)
    persona = bot.slack.acting_as(ANA)
    wait_for(persona.modal, what="the form")
    assert persona.submit(persona.modal()["id"], reason="no").errors
    assert persona.submit(persona.modal()["id"], reason="they <!here> move this week").ok

    said = bot.saying(f"*Stopped* by <@{ANA}>")
    assert "move this week" in said
    assert "<!here>" not in said
    assert bot.buttons() == []
    denied = store.decisions.history(made[0].arn)[-1]
    assert (denied.kind, denied.actor) == (DecisionKind.DENIED, ANA)

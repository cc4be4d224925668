"""Exemptions through the real Bolt app over Socket Mode: by pattern, by two people, reminded of, extended, revoked."""

from collections.abc import Callable
from typing import Any

from bot.demo.people import ANA, BO, GUEST
from commands._types import Request
from commands.exemption_clock import turn
from commands.exemption_list import ROWS
from commands.views.actions import EXEMPT
from commands.views.exempt import NAMES, SCOPE
from commands.views.exemptions import CONFIRM, DENY, EXTEND, LET_END, NEXT
from storage.models import THE_CLOCK, DecisionKind, Function, PostKind, Source, Verdict
from tests.bot.test_requests import PAYMENTS, Bot, start  # noqa: F401 - a fixture
from tests.e2e.scene import wait_for, words

NAMED = {"text": {"type": "plain_text", "text": "by name"}, "value": "name"}


def others(bot: Bot, make_function: Callable[[str], Function], *names: str) -> None:
    bot.context.store.functions.save([make_function(name) for name in names], bot.clock())


def modal(bot: Bot, who: str, text: str) -> dict[str, Any]:
    """The open form, once it says that."""
    return wait_for(lambda: text in str((view := bot.slack.acting_as(who).modal())["blocks"]) and view, what=text)


def newest(bot: Bot) -> Any:
    return bot.slack.workspace.messages(PAYMENTS)[-1]


def minute_passes(bot: Bot) -> None:
    list(turn(Request(THE_CLOCK, bot.clock(), Source.CLOCK), bot.context))
    bot.outbox.nudge()


def actions(message: Any) -> list[str]:
    return [each["action_id"] for block in message.blocks if block["type"] == "actions" for each in block["elements"]]


def verdict(bot: Bot) -> Verdict:
    return bot.context.store.functions.get(bot.function.arn).verdict


def test_a_pattern_is_looked_at_in_the_form_and_then_granted(
    start: Callable[..., Bot],  # noqa: F811 - the fixture
    make_function: Callable[[str], Function],
) -> None:
    bot = start()
    others(bot, make_function, "refund-mailer", "charge")
    bot.show()
    ana = bot.slack.acting_as(ANA)

    bot.click(ANA, EXEMPT)
    view = modal(bot, ANA, "This function only")
    assert ana.click_in_view(view["id"], SCOPE, NAMED).ok
    modal(bot, ANA, "Nothing is looked at yet")
    assert ana.click_in_view(view["id"], NAMES, "refund-*").ok
    modal(bot, ANA, "*Covers 2 untraced functions:* `refund-mailer`, `refund-worker`.")
    assert ana.submit(view["id"], reason="x").errors == {"reason": "Say why in a few words."}
    assert ana.submit(view["id"], reason="made <!channel> by the platform").ok

    modal(bot, ANA, "2 functions named `refund-*` are exempt until")
    said = bot.saying("*Exempt until")
    assert "as one of the functions named `refund-*`" in said
    assert "<!channel>" not in said
    assert verdict(bot) is Verdict.EXEMPT


def test_a_pattern_that_was_typed_and_not_looked_at_is_shown_before_it_is_granted(
    start: Callable[..., Bot],  # noqa: F811 - the fixture
) -> None:
    bot = start()
    bot.show()
    ana = bot.slack.acting_as(ANA)
    bot.click(ANA, EXEMPT)
    view = modal(bot, ANA, "This function only")
    assert ana.click_in_view(view["id"], SCOPE, NAMED).ok
    modal(bot, ANA, "Nothing is looked at yet")

    assert ana.submit(view["id"], reason="made by the platform", **{NAMES: "refund-*"}).ok

    modal(bot, ANA, "has not been looked at yet")
    assert verdict(bot) is Verdict.UNTRACED
    assert ana.submit(view["id"]).ok
    modal(bot, ANA, "1 function named `refund-*` is exempt")


def test_a_second_person_confirms_in_the_channel_and_the_buttons_go(
    start: Callable[..., Bot],  # noqa: F811 - the fixture
) -> None:
    bot = start(exemption_two_people="always")
    bot.show()
    ana = bot.slack.acting_as(ANA)
    bot.click(ANA, EXEMPT)
    assert ana.submit(modal(bot, ANA, "takes two people")["id"], reason="moves in OPS-12").ok
    modal(bot, ANA, "Another approver than you has to confirm it")

    wait_for(lambda: actions(newest(bot)) == [CONFIRM, DENY])
    assert newest(bot).text.startswith(f"<@{ANA}> asks to exempt `refund-worker`")
    assert ana.click(newest(bot), CONFIRM).ok
    bot.told(ANA, "you asked for this")
    assert bot.slack.acting_as(GUEST).click(newest(bot), CONFIRM).ok
    bot.told(GUEST, "Guests cannot use Lamplighter")
    assert bot.slack.acting_as(BO).click(newest(bot), CONFIRM).ok

    bot.told(BO, "`refund-worker` is exempt until")
    wait_for(lambda: f"*Confirmed* by <@{BO}>" in words(newest(bot)))
    assert actions(newest(bot)) == []
    bot.saying("*Exempt until")
    asked, refused = DecisionKind.EXEMPTION_ASKED, DecisionKind.REFUSED
    assert bot.kinds() == [asked, refused, refused, DecisionKind.EXEMPTED]


def test_a_reminder_is_posted_once_and_extended_or_left(
    start: Callable[..., Bot],  # noqa: F811 - the fixture
) -> None:
    bot = start()
    bot.show()
    ana = bot.slack.acting_as(ANA)
    bot.click(ANA, EXEMPT)
    assert ana.submit(modal(bot, ANA, "This function only")["id"], reason="moves in OPS-12", until="2026-12-24").ok
    bot.saying("*Exempt until")
    bot.clock.forward(days=24)

    for _ in range(3):
        minute_passes(bot)
    wait_for(lambda: actions(newest(bot)) == [EXTEND, LET_END], what="the reminder")
    assert "its last day is" in newest(bot).text
    assert ana.click(newest(bot), LET_END).ok
    bot.told(ANA, "nobody is reminded of it again")
    wait_for(lambda: actions(newest(bot)) == [EXTEND])
    assert ana.click(newest(bot), EXTEND).ok
    view = modal(bot, ANA, "Why it was granted: moves in OPS-12")
    assert ana.submit(view["id"], until="2026-12-16").errors == {"until": "Choose a day after today."}
    assert ana.submit(view["id"], until="2027-02-01").ok

    modal(bot, ANA, "`refund-worker`: exempt until")
    wait_for(lambda: "was extended until" in words(newest(bot)))
    assert len(list(bot.context.store.posts.all(PostKind.EXEMPTION))) == 1
    assert bot.kinds()[-2:] == [DecisionKind.EXEMPTION_LEFT, DecisionKind.EXEMPTION_EXTENDED]


def test_the_list_turns_its_pages_and_a_revoked_exemption_shows_at_once(
    start: Callable[..., Bot],  # noqa: F811 - the fixture
    make_function: Callable[[str], Function],
) -> None:
    bot = start()
    bot.show()
    ana = bot.slack.acting_as(ANA)
    bot.click(ANA, EXEMPT)
    assert ana.submit(modal(bot, ANA, "This function only")["id"], reason="moves in OPS-12").ok
    bot.saying("*Exempt until")
    for number in range(ROWS):
        others(bot, make_function, f"f-{number}")
        arn = make_function(f"f-{number}").arn
        until = bot.clock().replace(month=12, day=number + 1)
        bot.context.store.exemptions.grant(arn, "why", BO, bot.clock(), until)

    assert ana.command(PAYMENTS, "/trace-exempt list").ok
    listed = wait_for(
        lambda: next(
            (one for one in bot.slack.workspace.ephemerals(PAYMENTS, ANA) if "13 exemptions" in one.text), None
        )
    )
    assert "refund-worker" not in words(listed)
    assert ana.click(listed, NEXT).ok
    bot.told(ANA, "`refund-worker` ")
    assert ana.command(PAYMENTS, "/trace-exempt revoke 1 called off").ok

    bot.told(ANA, "Revoked number 1, `refund-worker`: 1 function counts as untraced again.")
    assert f"revoked by <@{ANA}>" in bot.saying("*Not exempt any more*")
    assert verdict(bot) is Verdict.UNTRACED

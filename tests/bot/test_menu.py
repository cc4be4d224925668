"""The digest's menu through the real Bolt app: lists as files, snoozes, and where a tag is wrong."""

from collections.abc import Callable

from bot.demo.people import ANA
from commands.views.living import CSV, END_SNOOZE, MENU, NOT_OURS, SNOOZE
from commands.views.snooze import END_NOW, FOR, TEAM, WHAT
from storage.models import DecisionKind
from tests.bot.test_requests import PAYMENTS, PRIYA, Bot
from tests.bot.test_requests import start as start  # noqa: PLC0414 - a fixture, used by its name
from tests.e2e.scene import wait_for, words


def choose(bot: Bot, who: str, choice: str) -> str:
    """Use the menu as that person; the request that its choices carry."""
    request = bot.context.store.requests.open_for(bot.function, bot.clock()).id
    assert bot.slack.acting_as(who).click(bot.message(), MENU, f"{choice} {request}").ok
    return request


def save(bot: Bot, who: str, what: list[str], length: str) -> None:
    persona = bot.slack.acting_as(who)
    options = [{"value": each} for each in what]
    wait_for(lambda: persona.modal()["callback_id"] == "snooze")
    assert persona.submit(persona.modal()["id"], **{WHAT: options, FOR: {"value": length}}).ok


def test_the_list_comes_as_a_file_into_the_thread_once(start: Callable[..., Bot]) -> None:
    bot = start()
    bot.show()
    choose(bot, PRIYA, CSV)
    bot.told(PRIYA, "The list comes as a CSV file in the thread")
    choose(bot, ANA, CSV)
    bot.told(ANA, "is in the thread of this message")

    def files() -> list[str]:
        replies = bot.slack.workspace.replies(PAYMENTS, bot.message().ts)
        return [file.name for one in replies for file in one.files]

    assert wait_for(files) == ["payments-2026-11-23.csv"]


def test_whose_a_function_is_the_tags_say(start: Callable[..., Bot]) -> None:
    bot = start()
    bot.show()
    choose(bot, PRIYA, NOT_OURS)

    assert "set the tag `team` or `owner` to the right team" in bot.told(PRIYA, "Whose a function is")


def test_a_member_snoozes_a_function_and_ends_that_again(start: Callable[..., Bot]) -> None:
    bot = start()
    bot.show()
    choose(bot, PRIYA, SNOOZE)
    request = bot.context.store.requests.open_for(bot.function, bot.clock()).id
    save(bot, PRIYA, [request], "7")
    bot.modal_says(PRIYA, "1 function (`refund-worker`)")
    (snooze,) = bot.context.store.snoozes.in_force(bot.clock())
    assert (snooze.function_arn, snooze.team, snooze.by) == (bot.function.arn, "payments", PRIYA)
    assert (snooze.until - snooze.at).days == 7
    assert "`refund-worker`: snoozed until" in bot.saying("snoozed until")
    assert "1 Lambda function without active tracing" in words(bot.message())
    assert bot.buttons() == [MENU]

    assert bot.slack.acting_as(PRIYA).click(bot.message(), END_SNOOZE).ok

    bot.told(PRIYA, "The snooze of `refund-worker` has ended")
    assert bot.context.store.snoozes.in_force(bot.clock()) == []
    assert bot.kinds() == [DecisionKind.SNOOZED, DecisionKind.SNOOZE_ENDED]


def test_a_whole_team_is_snoozed_by_its_approvers_only(start: Callable[..., Bot]) -> None:
    bot = start()
    bot.show()
    choose(bot, PRIYA, SNOOZE)
    save(bot, PRIYA, [TEAM], "30")
    bot.modal_says(PRIYA, "A whole team is snoozed by an approver")
    assert bot.context.store.snoozes.in_force(bot.clock()) == []

    choose(bot, ANA, SNOOZE)
    save(bot, ANA, [TEAM], "30")
    bot.modal_says(ANA, "Snoozed until")
    (snooze,) = bot.context.store.snoozes.in_force(bot.clock())
    assert (snooze.function_arn, snooze.team) == (None, "payments")
    bot.saying("New messages for this team: snoozed until")
    assert bot.slack.acting_as(PRIYA).click(bot.message(), END_SNOOZE).ok
    bot.told(PRIYA, "An approver ends a team's snooze")

    choose(bot, ANA, SNOOZE)
    save(bot, ANA, [TEAM], END_NOW)
    bot.modal_says(ANA, "The snooze has ended: *payments*")
    assert bot.context.store.snoozes.in_force(bot.clock()) == []


def test_a_digest_that_was_replaced_has_its_menu_elsewhere(start: Callable[..., Bot]) -> None:
    bot = start()
    bot.show()
    bot.context.store._connection.change("update posts set newer = 1")
    choose(bot, PRIYA, CSV)

    bot.told(PRIYA, "This digest was replaced by a newer one")

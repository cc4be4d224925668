"""Killed between Slack's yes and its record: what a restart makes of a post of which nobody knows if it arrived."""

from pathlib import Path

import pytest

from bot.demo.people import ANA, people
from bot.demo.show import ROOT
from bot.demo.slack import BOT_USER_ID, Channel, SlackStandIn, Workspace
from storage.models import PostState
from tests.e2e import morning
from tests.e2e.morning import FINOPS, MONDAY, Bot, Trap, team
from tests.e2e.scene import wait_for, words

TEAMS = (team(20), team(21), team(22))


def channel(number: int) -> str:
    return f"C{number:09}"


def workspace(*, takes_an_id_once: bool) -> Workspace:
    channels = [Channel(FINOPS, "finops", members={ANA, BOT_USER_ID})]
    channels += [Channel(channel(n), f"team-{one}", members={ANA, BOT_USER_ID}) for n, one in enumerate(TEAMS)]
    made = Workspace(people(), channels)
    made.takes_an_id_once = takes_an_id_once
    return made


def settled(bot: Bot) -> bool:
    with bot.memory() as store:
        posts = [one for one in store.posts.all() if one.state is not PostState.ABANDONED]
        return store.daily_runs.ended("daily", MONDAY) and all(one.state is PostState.SENT for one in posts)


@pytest.mark.parametrize("takes_an_id_once", [True, False], ids=["an id is taken once", "ids mean nothing"])
def test_a_post_that_was_cut_short_is_sent_again_under_its_id(tmp_path: Path, takes_an_id_once: bool) -> None:
    fleet = [one for owner, owned in morning.functions().items() if owner in TEAMS for one in owned]
    with (
        SlackStandIn(ROOT / "manifest.yml", workspace(takes_an_id_once=takes_an_id_once)) as slack,
        Bot(tmp_path, slack) as bot,
    ):
        morning.remember(bot.database, fleet)
        Trap(slack, bot).at("message", 2)  # Slack has it, and the process never hears of that
        bot.start()
        bot.killed()
        with bot.memory() as store:
            assert [one.state for one in store.posts.all()].count(PostState.SENT) == 1
        bot.start()
        wait_for(lambda: settled(bot), 40)
        assert bot.stop() == 0

        assert {one.error for one in slack.calls} == {None}
        heads = [[one for one in slack.workspace.messages(channel(n)) if not one.thread_ts] for n in range(len(TEAMS))]
        ids = [call.args["client_msg_id"] for call in slack.calls_of("chat.postMessage")]
        assert len(ids) == len(set(ids)) + 1  # that one alone was sent twice, and under the same id both times
        if takes_an_id_once:
            assert [len(one) for one in heads] == [1, 1, 1]
            return
        # Without Slack's help it is there twice: the same words, and buttons that mean the same.
        assert sorted(len(one) for one in heads) == [1, 1, 2]
        first, second = next(one for one in heads if len(one) == 2)
        assert words(first) == words(second)
        with bot.memory() as store:
            assert store.posts.at(second.channel, second.ts)
            assert store.posts.at(first.channel, first.ts) is None

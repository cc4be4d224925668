"""A morning of 500 teams and 20,000 functions, with storms, closed channels and three hard ends of the process."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.demo.show import ROOT
from bot.demo.slack import Message, SlackStandIn, Workspace
from storage.models import PostState
from tests.e2e import morning
from tests.e2e.morning import ARCHIVED, CLEAN, CLOSED, FINOPS, MONDAY, PRIVATE, Bot, Trap, untraced
from tests.e2e.scene import wait_for, words

ROWS = 10  # of a list that is longer than a page, and of those that are news


def test_each_team_has_one_digest_that_is_right_whatever_the_morning_brings(tmp_path: Path) -> None:
    fleet = morning.functions()
    assert (len(fleet), sum(map(len, fleet.values()))) == (500, 20_000)
    with (
        SlackStandIn(ROOT / "manifest.yml", morning.workspace(), posts_per_minute=600) as slack,
        Bot(tmp_path, slack) as bot,
    ):
        morning.remember(bot.database, [one for owned in fleet.values() for one in owned])
        slack.storm(9)
        trap = Trap(slack, bot)
        for kind, nth, when in (
            ("message", 1, lambda: True),
            ("message", 150, lambda: True),
            ("call", 20, trap.refused),
        ):
            trap.at(kind, nth, when)
            bot.start()
            bot.killed()
        bot.start()
        wait_for(lambda: settled(bot), 60, "Slack to have it all")
        assert bot.stop() == 0

        assert slack.faults == []
        assert refusals(slack) <= {None, "ratelimited", "is_archived", "channel_not_found"}
        assert Counter(one.error for one in slack.calls)["ratelimited"] > 50
        for number, (team, owned) in enumerate(fleet.items()):
            here = slack.workspace.messages(f"C{number:09}")
            if number < CLEAN or team in CLOSED:
                assert here == []
                continue
            digest, *thread = here
            assert_right(digest, thread, team, untraced(owned))
        assert_fallback(slack.workspace, {team: untraced(fleet[team]) for team in CLOSED})


def settled(bot: Bot) -> bool:
    with bot.memory() as store:
        return store.daily_runs.ended("daily", MONDAY) and all(
            one.state is PostState.SENT and one.shown_version >= one.wanted_version for one in store.posts.all()
        )


def refusals(slack: SlackStandIn) -> set[str | None]:
    return {one.error for one in slack.calls}


def assert_right(digest: Message, thread: Sequence[Message], team: str, names: Sequence[str]) -> None:
    """The message, its buttons, and below it the whole list, once."""
    said, made = words(digest), str(digest.blocks)
    assert digest.in_channel
    assert f"{len(names)} Lambda functions without active tracing" in said
    assert f"Team *{team}*" in said
    assert {name for name in names if f"`{name}`" in said} == set(names[:ROWS])
    assert made.count("'approve-fix'") == min(len(names), ROWS)
    assert "review-fixes" in made
    assert "digest-menu" in made
    if len(names) <= ROWS:
        assert list(thread) == []
        return
    (reply,) = thread
    assert reply.thread_ts == digest.ts
    assert listed(reply) == list(names)


def listed(reply: Message) -> list[str]:
    if reply.files:
        (file,) = reply.files
        assert file.content is not None
        return [row["name"] for row in csv.DictReader(io.StringIO(file.content.decode()))]
    (table,) = reply.blocks
    return [row[0]["text"] for row in table["rows"][1:]]


def assert_fallback(workspace: Workspace, closed: dict[str, list[str]]) -> None:
    """Each closed channel's digest, with its list, and one line that mends it; nothing else."""
    top = [one for one in workspace.messages(FINOPS) if one.in_channel]
    lines = [one for one in top if one.text.startswith("I cannot post to")]
    digests = [one for one in top if one not in lines]
    assert (len(lines), len(digests)) == (len(closed), len(closed))
    for team, names in closed.items():
        (line,) = [one.text for one in lines if f"#team-{team} " in one.text]
        assert ("it is archived" in line) == (team in ARCHIVED)
        assert ("it is private and Lamplighter is not in it" in line) == (team == PRIVATE)
        (digest,) = [one for one in digests if f"Team *{team}*" in words(one)]
        replies = workspace.replies(FINOPS, digest.ts)
        assert_right(digest, replies, team, names)

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from msgspec import structs
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.people import ANA
from bot.demo.slack import BOT_USER_ID, Channel, SlackStandIn
from bot.outbox import Outbox
from commands._drawing import draw
from commands._teams import TeamSettings
from commands._types import Context
from commands.views.blocks import Block
from storage.models import Function, Post, PostKind, PostState
from tests.bot.conftest import SetClock
from tests.e2e.scene import wait_for, words

PAYMENTS = "C07PAYM3NT5"
FINOPS = "C06F1N0PSX2"


@pytest.fixture
def outbox(context: Context, client: WebClient) -> Iterator[Outbox]:
    made = Outbox(context, client, ChannelNames(client), draw)
    yield made
    made.stop()


def given_notice(context: Context, channel: str = "#team-payments", key: str = "n") -> Post:
    post = context.store.posts.create(key, PostKind.NOTICE, channel, context.clock(), text="hello")
    assert post
    return post


def given_digest(context: Context, *functions: Function) -> Post:
    context.store.functions.save(functions, context.clock())
    requests = [context.store.requests.open_for(one, context.clock()).id for one in functions]
    key = f"digest:payments:2026-11-23:{len(requests)}:1"
    post = context.store.posts.create(
        key, PostKind.DIGEST, "#team-payments", context.clock(), team="payments", requests=requests
    )
    assert post
    return post


def test_a_post_is_sent_to_the_channel_of_that_name_and_its_place_is_kept(
    context: Context, outbox: Outbox, slack: SlackStandIn
) -> None:
    post = given_notice(context)
    outbox.send_due()

    message = slack.workspace.messages(PAYMENTS)[-1]
    kept = context.store.posts.get(post.id)
    assert message.text == "hello"
    assert (kept.state, kept.posted_channel, kept.ts) == (PostState.SENT, PAYMENTS, message.ts)


@pytest.mark.parametrize("error", ["duplicate_message_not_found", "duplicate_channel_not_found"])
def test_a_message_whose_id_slack_has_seen_and_lost_is_sent_under_another(
    context: Context, outbox: Outbox, slack: SlackStandIn, clock: SetClock, error: str
) -> None:
    given_notice(context)
    slack.fail_next("chat.postMessage", error=error)
    outbox.send_due()
    clock.forward(minutes=6)

    wait_for(lambda: outbox.send_due() and slack.workspace.messages(PAYMENTS))

    first, second = (call.args["client_msg_id"] for call in slack.calls_of("chat.postMessage"))
    assert first != second


def test_the_other_id_stays_until_slack_loses_that_one_too(
    context: Context, outbox: Outbox, slack: SlackStandIn, clock: SetClock
) -> None:
    slack.workspace.takes_an_id_once = True
    given_notice(context)

    def goes_wrong(**how: object) -> str:
        before = len(slack.calls_of("chat.postMessage"))
        slack.fail_next("chat.postMessage", **how)
        wait_for(lambda: outbox.send_due() and len(slack.calls_of("chat.postMessage")) > before)
        clock.forward(minutes=6)
        return str(slack.calls_of("chat.postMessage")[-1].args["client_msg_id"])

    first = goes_wrong(error="duplicate_message_not_found")
    second = goes_wrong(error="internal_error", status=500, after_effect=True)  # Slack has it, and says that it has not
    third = goes_wrong(error="ratelimited", status=429, retry_after=1)
    outbox.send_due()
    wait_for(lambda: outbox.send_due() and context.store.posts.all()[0].state is PostState.SENT)

    fourth = slack.calls_of("chat.postMessage")[-1].args["client_msg_id"]
    assert first != second
    assert second == third == fourth
    assert [one.text for one in slack.workspace.messages(PAYMENTS)] == ["hello"]


def test_the_id_is_one_whether_slack_lists_its_channels_or_not(
    context: Context, outbox: Outbox, slack: SlackStandIn, clock: SetClock
) -> None:
    slack.workspace.takes_an_id_once = True
    given_notice(context)
    slack.fail_next("conversations.list", error="fatal_error", times=2)  # so that the channel is asked for by its name
    slack.fail_next("chat.postMessage", error="internal_error", status=500, after_effect=True)
    wait_for(lambda: outbox.send_due() and slack.calls_of("chat.postMessage"))
    slack.rates.forgive()
    clock.forward(minutes=6)
    outbox._channels._failed = None  # the ten seconds until it is asked again

    wait_for(lambda: outbox.send_due() and context.store.posts.all()[0].state is PostState.SENT)

    places = [call.args["channel"] for call in slack.calls_of("chat.postMessage")]
    assert places == ["#team-payments", PAYMENTS]
    assert [one.text for one in slack.workspace.messages(PAYMENTS)] == ["hello"]


def test_a_touched_post_is_drawn_again_in_place(
    context: Context, outbox: Outbox, slack: SlackStandIn, make_function: Callable[[str], Function]
) -> None:
    post = given_digest(context, make_function("refund-worker"))
    outbox.start()
    wait_for(lambda: slack.workspace.messages(PAYMENTS))
    request = context.store.posts.requests_of(post.id)[0]
    context.store.requests.claim(request, ANA, context.clock())
    context.store.posts.redraw_showing(request)
    outbox.nudge()

    wait_for(lambda: "Turning on" in words(slack.workspace.messages(PAYMENTS)[-1]))
    assert len(slack.workspace.messages(PAYMENTS)) == 1


def test_posts_of_one_channel_are_a_second_apart_and_others_do_not_wait(
    context: Context, outbox: Outbox, slack: SlackStandIn
) -> None:
    for number in range(3):
        given_notice(context, key=f"p{number}")
    given_notice(context, "#finops", key="f")
    outbox.start()

    wait_for(lambda: len(slack.workspace.messages(PAYMENTS)) == 3)

    times = [call.at for call in slack.calls_of("chat.postMessage") if call.args["channel"] == PAYMENTS]
    assert all(later - earlier >= 0.9 for earlier, later in itertools.pairwise(times))
    finops = next(call.at for call in slack.calls_of("chat.postMessage") if call.args["channel"] == FINOPS)
    assert finops < times[1]


def test_a_channel_of_two_names_takes_one_post_a_second_all_the_same(
    context: Context, outbox: Outbox, slack: SlackStandIn
) -> None:
    for number in range(2):
        given_notice(context, "#team-payments", key=f"name {number}")
        given_notice(context, PAYMENTS, key=f"id {number}")
        given_notice(context, "#Team-Payments", key=f"shouted {number}")
    outbox.start()

    wait_for(lambda: len(slack.workspace.messages(PAYMENTS)) == 6)

    assert gaps(slack) >= 0.9
    assert {call.error for call in slack.calls} == {None}


def test_a_reply_keeps_the_pace_of_the_channel_that_its_post_went_to(
    context: Context, outbox: Outbox, slack: SlackStandIn
) -> None:
    above = given_notice(context, "#team-payments", key="above")
    outbox.send_due()
    for number in range(2):  # meanwhile another channel was configured for the team
        context.store.posts.create(
            f"r{number}", PostKind.NOTICE, "#finops", context.clock(), text="below", thread=above.id
        )
        given_notice(context, PAYMENTS, key=f"beside {number}")
    outbox.start()

    wait_for(lambda: len(slack.workspace.messages(PAYMENTS)) == 5)

    assert gaps(slack) >= 0.9


def test_a_second_is_counted_from_when_slack_took_the_post(
    context: Context, client: WebClient, slack: SlackStandIn
) -> None:
    """Whatever a post took to be drawn: the next one may be quick."""

    def slowly_at_first(of: Context, post: Post) -> tuple[str, list[Block]]:
        until = time.monotonic() + (0.5 if post.key == "slow" else 0.0)
        while time.monotonic() < until:
            pass
        return draw(of, post)

    outbox = Outbox(context, client, ChannelNames(client), slowly_at_first)
    given_notice(context, key="slow")
    given_notice(context, key="then")
    outbox.start()

    wait_for(lambda: len(slack.workspace.messages(PAYMENTS)) == 2)
    outbox.stop()

    assert gaps(slack) >= 0.9


def gaps(slack: SlackStandIn, channel: str = PAYMENTS) -> float:
    """The shortest time between two posts, in seconds."""
    times = [call.at for call in slack.calls_of("chat.postMessage") if call.args["channel"] == channel]
    return min(later - earlier for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize("error", ["ratelimited", "missing_scope"])
def test_a_list_of_channels_that_slack_refuses_is_not_asked_for_by_each_post(
    context: Context, outbox: Outbox, slack: SlackStandIn, error: str
) -> None:
    status = 429 if error == "ratelimited" else 200
    slack.fail_next("conversations.list", error=error, status=status, retry_after=30, times=20)
    for number in range(5):
        given_notice(context, f"#team-{number}", key=f"{number}")
    outbox.send_due()
    outbox.send_due()

    assert len(slack.calls_of("conversations.list")) == 1


def test_retry_after_is_kept(context: Context, outbox: Outbox, slack: SlackStandIn, clock: SetClock) -> None:
    slack.fail_next("chat.postMessage", error="ratelimited", status=429, retry_after=30)
    post = given_notice(context)
    outbox.send_due()
    assert context.store.posts.get(post.id).error == "ratelimited"

    clock.forward(seconds=29)
    assert context.store.posts.due(clock()) == []
    clock.forward(seconds=2)
    assert [one.id for one in context.store.posts.due(clock())] == [post.id]


def test_a_second_channel_that_is_refused_holds_all_and_nothing_is_lost(
    context: Context, outbox: Outbox, slack: SlackStandIn, client: WebClient, clock: SetClock
) -> None:
    channels = ("#team-payments", "#team-search", "#team-identity", "#finops")
    posts = [given_notice(context, channel, key=channel) for channel in channels]
    for _ in range(2):
        slack.fail_next("chat.postMessage", error="ratelimited", status=429, retry_after=30)
    outbox.send_due()

    assert [context.store.posts.get(post.id).error for post in posts] == ["ratelimited", "ratelimited", "", ""]
    assert [context.store.posts.get(post.id).state for post in posts] == [PostState.WAITING] * 4
    outbox.send_due()
    assert len(slack.calls_of("chat.postMessage")) == 2

    clock.forward(seconds=31)
    Outbox(context, client, ChannelNames(client), draw).send_due()
    assert [context.store.posts.get(post.id).state for post in posts] == [PostState.SENT] * 4


def test_a_drawing_that_looks_the_same_asks_slack_for_nothing(
    context: Context, outbox: Outbox, slack: SlackStandIn, make_function: Callable[[str], Function]
) -> None:
    post = given_digest(context, make_function("refund-worker"))
    outbox.send_due()
    context.store.posts.redraw(post.id)
    outbox.start()

    kept = wait_for(lambda: (now := context.store.posts.get(post.id)).shown_version == now.wanted_version and now)
    assert kept.wanted_version == 2
    assert slack.calls_of("chat.update") == []


def test_a_message_that_takes_long_to_draw_rests_nine_times_as_long_and_keeps_back_no_other(
    context: Context, client: WebClient, slack: SlackStandIn
) -> None:
    drawn: list[tuple[str, float]] = []

    def compute(context: Context, post: Post) -> tuple[str, list[Block]]:
        began = time.thread_time()
        while post.key == "large" and post.state is PostState.SENT and time.thread_time() - began < 0.2:
            pass
        drawn.append((post.key, time.monotonic()))
        return f"{post.key} {len(drawn)}", []

    outbox = Outbox(context, client, ChannelNames(client), compute)
    large, small = given_notice(context, key="large"), given_notice(context, "#team-search", "small")
    wait_for(lambda: outbox.send_due() and len(drawn) == 2)
    drawn.clear()

    deadline = time.monotonic() + 6.0
    while time.monotonic() < deadline:  # both change all the time, as digests do while a batch is fixed
        for post in (large, small):
            context.store.posts.redraw(post.id)
        outbox.send_due()
        threading.Event().wait(0.02)
    meanwhile = drawn.copy()

    context.store.posts.redraw(large.id)
    outbox.start()
    outbox.stop()  # and before the bot ends, Slack has the newest of it
    newest = context.store.posts.get(large.id)
    assert newest.shown_version == newest.wanted_version

    times = [at for key, at in meanwhile if key == "large"]
    others = [at for key, at in meanwhile if key == "small"]
    assert len(times) >= 2
    assert (
        min(after - before for before, after in itertools.pairwise(times)) >= 1.8
    )  # its channel would take one a second
    assert len(others) >= 3  # a second apart, as always
    assert max(after - before for before, after in itertools.pairwise(others)) < 1.8


def test_what_is_drawn_anew_is_read_behind_who_works(context: Context, client: WebClient, slack: SlackStandIn) -> None:
    put_off, seen = context.store._connection._lock._asking, list[bool]()

    def look(_context: Context, post: Post) -> tuple[str, list[Block]]:
        seen.append(threading.get_ident() in put_off)
        return f"{post.key} {len(seen)}", []

    outbox, post = Outbox(context, client, ChannelNames(client), look), given_notice(context)
    outbox.send_due()
    context.store.posts.redraw(post.id)
    wait_for(lambda: outbox.send_due() and len(slack.calls_of("chat.update")) == 1)

    assert seen == [False, True]


def test_how_far_a_batch_is_stands_for_two_seconds(context: Context, client: WebClient, slack: SlackStandIn) -> None:
    drawn: list[float] = []

    def count(_context: Context, post: Post) -> tuple[str, list[Block]]:
        drawn.append(time.monotonic())
        return f"{post.key} {len(drawn)}", []

    outbox = Outbox(context, client, ChannelNames(client), count)
    post = context.store.posts.create("b", PostKind.BATCH, "#team-payments", context.clock(), text="b")
    assert post

    def goes_on() -> bool:
        context.store.posts.redraw(post.id)
        outbox.send_due()
        return len(drawn) == 4

    wait_for(goes_on)
    assert min(after - before for before, after in itertools.pairwise(drawn)) >= 1.9


@pytest.mark.parametrize("state", ["archived", "missing", "not a member"])
def test_a_closed_channel_sends_it_to_the_fallback_with_the_line_that_mends_it_once(
    context: Context, outbox: Outbox, slack: SlackStandIn, make_function: Callable[[str], Function], state: str
) -> None:
    name = "team-nowhere" if state == "missing" else "team-payments"
    if state == "archived":
        slack.workspace.put_channel(Channel(PAYMENTS, name, is_archived=True, members={BOT_USER_ID, ANA}))
    if state == "not a member":
        slack.workspace.put_channel(Channel(PAYMENTS, name, members={ANA}))
    for key in ("a", "b"):
        given_notice(context, f"#{name}", key=key)
    outbox.start()

    wait_for(lambda: len(slack.workspace.messages(FINOPS)) == 3)

    texts = [one.text for one in slack.workspace.messages(FINOPS)]
    assert sum(text == "hello" for text in texts) == 2
    assert sum(f"I cannot post to #{name}" in text for text in texts) == 1


def test_what_slack_lost_is_sent_after_a_restart(
    context: Context, outbox: Outbox, client: WebClient, slack: SlackStandIn, clock: SetClock
) -> None:
    slack.fail_next("chat.postMessage", status=500, error="internal_error")
    post = given_notice(context)
    outbox.send_due()
    assert context.store.posts.get(post.id).state is PostState.WAITING

    clock.forward(minutes=5)
    Outbox(context, client, ChannelNames(client), draw).send_due()

    assert [one.text for one in slack.workspace.messages(PAYMENTS)] == ["hello"]


def test_a_message_that_was_deleted_is_given_up(
    context: Context, outbox: Outbox, slack: SlackStandIn, make_function: Callable[[str], Function]
) -> None:
    post = given_digest(context, make_function("refund-worker"))
    outbox.send_due()
    slack.workspace.erase(slack.workspace.messages(PAYMENTS)[-1])
    (request,) = context.store.posts.requests_of(post.id)
    context.store.requests.claim(request, ANA, context.clock())
    context.store.posts.redraw_showing(request)
    outbox.start()

    wait_for(lambda: context.store.posts.get(post.id).state is PostState.ABANDONED)
    assert context.store.posts.get(post.id).state is PostState.ABANDONED


def test_a_digest_of_an_archived_channel_that_comes_back_gives_way_to_the_newer_one(
    context: Context, outbox: Outbox, slack: SlackStandIn, make_function: Callable[[str], Function]
) -> None:
    old = given_digest(context, make_function("refund-worker"))
    outbox.send_due()
    slack.workspace.put_channel(Channel(PAYMENTS, "team-payments", is_archived=True, members={BOT_USER_ID, ANA}))
    (request,) = context.store.posts.requests_of(old.id)
    context.store.requests.claim(request, ANA, context.clock())
    context.store.posts.redraw_showing(request)
    wait_for(lambda: outbox.send_due() and context.store.posts.get(old.id).state is PostState.ABANDONED)

    slack.workspace.put_channel(Channel(PAYMENTS, "team-payments", members={BOT_USER_ID, ANA}))
    new = given_digest(context, make_function("refund-worker"), make_function("ledger"))
    context.store.posts.retire_all("payments", new.id)
    outbox.start()

    wait_for(lambda: "was replaced by" in words(slack.workspace.messages(PAYMENTS)[0]))
    first, second = slack.workspace.messages(PAYMENTS)
    assert "'actions'" not in str(first.blocks)
    assert "'actions'" in str(second.blocks)


def test_a_reply_goes_into_the_thread_of_the_post_above(context: Context, outbox: Outbox, slack: SlackStandIn) -> None:
    above = given_notice(context, key="above")
    context.store.posts.create(
        "below", PostKind.NOTICE, "#team-payments", context.clock(), text="below", thread=above.id
    )
    outbox.start()

    top = wait_for(lambda: slack.workspace.messages(PAYMENTS))[0]
    replies = wait_for(lambda: [one for one in slack.workspace.replies(PAYMENTS, top.ts) if one.ts != top.ts])
    assert [one.text for one in replies] == ["below"]


CLOSED_CASES = [  # how it is, the team's name, what the settings say, and what the line has besides why
    ("archived", "payments", {}, "it is archived. Unarchive it, or map the team"),
    ("not a member", "payments", {}, "is not a member of it. Type `/invite` and my name there, or map"),
    ("missing", "nowhere", {"channels": {"nowhere": "#team-nowhere"}}, "If it is there, type `/invite`"),
    ("missing", "nowhere", {"groups": {"nowhere": "S0NOWHERE"}}, "If it is there, type `/invite`"),
    ("missing", "nowhere", {}, 'say so there: `[teams.aliases]` `payments = ["nowhere"]`'),
    ("missing", "no/where", {}, "`'no/where' = \"#channel\"`"),
]


@pytest.mark.parametrize(("state", "team", "said", "line"), CLOSED_CASES)
def test_a_digest_whose_channel_is_closed_comes_to_the_fallback_with_what_mends_it(
    context: Context,
    client: WebClient,
    slack: SlackStandIn,
    make_function: Callable[[str], Function],
    state: str,
    team: str,
    said: dict[str, dict[str, str]],
    line: str,
) -> None:
    closed(slack, state)
    told = replace(context, teams=TeamSettings(**said))
    for day in (1, 2):
        digest_of(told, team, structs.replace(make_function(f"refund-{day}"), team=team), day)
    outbox = Outbox(told, client, ChannelNames(client), draw)
    outbox.start()
    try:
        wait_for(lambda: len(slack.workspace.messages(FINOPS)) == 3)
    finally:
        outbox.stop()

    lines = [one.text for one in slack.workspace.messages(FINOPS) if one.text.startswith("I cannot post to")]
    assert len(lines) == 1
    assert line in lines[0]
    assert f"for team `{team}`" in lines[0]
    state_kept = context.store.owners.channels()
    assert state_kept[f"#team-{team}"].error in ("is_archived", "not_in_channel", "channel_not_found")
    assert state_kept["#finops"].error == ""


def test_a_channel_that_is_closed_again_after_it_was_mended_is_told_of_again(
    context: Context, outbox: Outbox, slack: SlackStandIn, clock: SetClock
) -> None:
    outbox.start()
    closed(slack, "not a member")
    given_notice(context, key="a")
    wait_for(lambda: len(slack.workspace.messages(FINOPS)) == 2)
    slack.workspace.put_channel(Channel(PAYMENTS, "team-payments", members={ANA, BOT_USER_ID}))
    clock.forward(days=1)
    given_notice(context, key="b")
    wait_for(lambda: context.store.owners.channels()["#team-payments"].error == "")

    clock.forward(days=1)
    closed(slack, "not a member")
    given_notice(context, key="c")
    outbox.nudge()

    wait_for(lambda: len(slack.workspace.messages(FINOPS)) == 4)
    assert sum("I cannot post to" in one.text for one in slack.workspace.messages(FINOPS)) == 2


def test_a_closed_channel_that_a_tag_names_is_said_to_be_named_by_it(
    context: Context, client: WebClient, slack: SlackStandIn, make_function: Callable[[str], Function]
) -> None:
    teams = TeamSettings(channel_tag="slack-channel", tagged=context.store.owners.channel_of)
    told = replace(context, teams=teams)
    tagged = structs.replace(make_function("refund"), channel="#nowhere")
    context.store.functions.save([tagged], context.clock())
    digest_of(told, "payments", tagged, 1)
    outbox = Outbox(told, client, ChannelNames(client), draw)
    outbox.start()
    try:
        wait_for(lambda: len(slack.workspace.messages(FINOPS)) == 2)
    finally:
        outbox.stop()

    (line,) = [one.text for one in slack.workspace.messages(FINOPS) if "I cannot post to #nowhere" in one.text]
    assert "The tag `slack-channel` of the team's functions names this channel." in line


def closed(slack: SlackStandIn, state: str) -> None:
    if state == "archived":
        slack.workspace.put_channel(Channel(PAYMENTS, "team-payments", is_archived=True, members={BOT_USER_ID, ANA}))
    if state == "not a member":
        slack.workspace.put_channel(Channel(PAYMENTS, "team-payments", members={ANA}))


def digest_of(context: Context, team: str, function: Function, day: int) -> None:
    context.store.functions.save([function], context.clock())
    request = context.store.requests.open_for(function, context.clock()).id
    channel = context.teams.channel_of(team)
    made = context.store.posts.create(
        f"digest:{team}:{day}:1", PostKind.DIGEST, channel, context.clock(), team=team, requests=[request]
    )
    assert made

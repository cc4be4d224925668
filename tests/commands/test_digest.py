"""The daily job, against the local AWS: which messages it leaves, and when it leaves none."""

from datetime import date

import pytest

from commands._telling import Day, tell
from commands._types import Progress, Request
from commands.aws.scope import Rules
from commands.digest import DAILY, NothingSeen, daily
from storage.models import THE_CLOCK, PostKind, Source
from tests.commands.conftest import ANA, HOME, OTHER, World

MONDAY = date(2026, 11, 23)


def the_day(world: World, day: date = MONDAY) -> Request:
    return Request(user=THE_CLOCK, now=world.clock(), source=Source.CLOCK, day=day)


def run(world: World, day: date = MONDAY) -> list[str]:
    replies = list(daily(the_day(world, day), world.context))
    assert all(isinstance(reply, Progress) for reply in replies)
    return [reply.text for reply in replies]


def digests(world: World) -> dict[str, str]:
    """Channels by key."""
    return {post.key: post.channel for post in world.store.posts.all(PostKind.DIGEST)}


def test_each_team_with_untraced_functions_gets_one_message_in_its_channel(world: World) -> None:
    world.function("refund")
    world.function("rank", team="Search Relevance")
    world.function("orphan", team=None, account=OTHER)
    world.function("all-lit", team="identity", mode="Active")

    said = run(world)

    assert digests(world) == {
        "digest:payments:2026-11-23:1": "#team-payments",
        "digest:search-relevance:2026-11-23:1": "#team-search-relevance",
        "digest::2026-11-23:1": "#finops",
    }
    assert "4 functions, 0 places not fully seen" in said[-1]
    assert world.store.daily_runs.ended(DAILY, MONDAY)


def test_an_exempt_function_is_left_out_until_its_last_day_is_over(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    world.store.exemptions.grant(
        arn, "moves", ANA, world.clock(), world.clock().replace(day=24, hour=0, minute=0, second=0)
    )
    run(world)
    assert digests(world) == {}

    world.clock.forward(days=1)
    run(world, date(2026, 11, 24))
    assert list(digests(world)) == ["digest:payments:2026-11-24:1"]


def test_twelve_functions_have_rows_and_of_more_the_first_ones_and_a_table_in_the_thread(world: World) -> None:
    for number in range(25):
        world.function(f"refund-{number:02}")

    run(world)

    (post,) = world.store.posts.all(PostKind.DIGEST)
    shown = [world.store.requests.get(one).function_name for one in world.store.posts.requests_of(post.id)]
    assert shown == [f"refund-{number:02}" for number in range(10)]  # all are new; ten of them have buttons
    (listed,) = world.store.posts.all(PostKind.LIST)
    assert listed.thread == post.id


def test_a_second_run_of_a_day_asks_nothing_and_leaves_nothing(world: World) -> None:
    world.function("refund")
    run(world)
    before, calls = digests(world), len(world.aws.calls)
    world.function("charge", team="search")
    world.clock.forward(hours=1)

    assert run(world) == []
    assert digests(world) == before
    assert len(world.aws.calls) == calls


def test_the_next_day_is_silent_where_nothing_changed(world: World) -> None:
    world.function("refund")
    run(world)
    (post,) = world.store.posts.all(PostKind.DIGEST)
    world.clock.forward(days=1)

    run(world, date(2026, 11, 24))

    assert world.store.posts.all() == [post]


def test_a_run_that_was_cut_short_before_its_audit_goes_on_at_the_next_start(world: World) -> None:
    world.function("refund")
    begun = iter(daily(the_day(world), world.context))
    next(begun)
    begun.close()
    assert not world.store.daily_runs.ended(DAILY, MONDAY)

    world.clock.forward(minutes=1)
    run(world)

    assert list(digests(world)) == ["digest:payments:2026-11-23:1"]


def test_a_run_that_was_cut_short_between_two_teams_tells_the_second_and_not_the_first_again(world: World) -> None:
    world.function("refund")
    world.function("rank", team="search")
    world.store.daily_runs.begin(DAILY, MONDAY, world.clock())
    tell(world.context, "payments", Day.of(world.context, world.audit(), MONDAY))

    world.clock.forward(minutes=1)
    run(world)

    assert sorted(digests(world)) == ["digest:payments:2026-11-23:1", "digest:search:2026-11-23:1"]
    assert world.store.daily_runs.ended(DAILY, MONDAY)


@pytest.mark.parametrize("what", ["lambda", "sts"])
def test_where_no_account_can_be_read_the_day_has_not_been_told(world: World, what: str) -> None:
    world.function("refund")
    world.aws.deny(service=what)

    with pytest.raises(NothingSeen, match=r"no account could be read, the first because: .*AccessDenied"):
        run(world)

    assert not world.store.daily_runs.ended(DAILY, MONDAY)
    assert world.store.posts.all() == []

    world.aws.forgive()
    world.clock.forward(minutes=15)
    run(world)
    assert list(digests(world)) == ["digest:payments:2026-11-23:1"]


def test_an_empty_account_is_a_day_that_was_told_though_the_list_of_accounts_broke_off(world: World) -> None:
    strangers = {f"15{number:010d}": f"stranger-{number}" for number in range(20)}
    world.aws.organizations.found(HOME, {HOME: "team", OTHER: "team", **strangers})
    world.aws.organizations.breaks_off = "AccessDeniedException"
    context = world.configured(accounts=None, organization=True, include=Rules(names=("team",)))

    list(daily(the_day(world), context))

    assert world.store.daily_runs.ended(DAILY, MONDAY)
    (notice,) = world.store.posts.all()
    assert "organization: only the first 20 accounts were listed" in notice.text


def test_an_empty_cloud_that_was_seen_whole_is_a_day_that_was_told(world: World) -> None:
    run(world)

    assert world.store.daily_runs.ended(DAILY, MONDAY)
    assert world.store.posts.all() == []


def test_what_was_not_seen_is_said_in_the_fallback_channel_once_a_day(world: World) -> None:
    world.function("refund")
    world.aws.deny(account=OTHER, service="lambda")
    begun = iter(daily(the_day(world), world.context))
    assert "not fully seen" in list(begun)[-1].text
    first = world.store.posts.all(PostKind.NOTICE)

    world.store._connection.change("update daily_runs set finished_at = null")  # as if it had been cut short at the end
    world.clock.forward(minutes=1)
    run(world)

    assert [(post.key, post.channel) for post in first] == [("notice:unseen:2026-11-23", "#finops")]
    assert OTHER in first[0].text
    assert HOME not in first[0].text
    assert world.store.posts.all(PostKind.NOTICE) == first

    world.clock.forward(days=1)
    run(world, date(2026, 11, 24))
    assert [post.key for post in world.store.posts.all(PostKind.NOTICE)][1:] == ["notice:unseen:2026-11-24"]


def test_a_long_list_of_what_was_not_seen_is_cut_to_what_slack_takes(world: World) -> None:
    world.function("refund")
    accounts = tuple(f"9000000000{number:02}" for number in range(14))
    context = world.configured(accounts=(HOME, *accounts))

    list(daily(the_day(world), context))

    text = world.store.posts.all(PostKind.NOTICE)[0].text
    assert len(text) <= 3000
    assert "and 4 more" in text

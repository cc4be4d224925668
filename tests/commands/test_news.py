"""What people are told of changes, and of what an audit could not see, against the local AWS."""

from datetime import date, timedelta

from commands._changes import last_known
from commands._drawing import draw
from commands._types import Request, Say
from commands.audit import audit
from commands.digest import daily
from storage.models import THE_CLOCK, Source, Verdict
from storage.news import ChangeKind
from tests.commands.conftest import ANA, HOME, OTHER, World
from tests.commands.test_changes import delete, fixed, told

MONDAY = date(2026, 11, 23)
FIXED, REGRESSED, GONE = ChangeKind.FIXED, ChangeKind.REGRESSED, ChangeKind.GONE


def answer(world: World, text: str = "") -> str:
    """All words that `/trace-audit` answers with."""
    world.clock.forward(minutes=1)
    replies = list(audit(world.asks(text=text, source=Source.SLASH), world.context))
    said = next(reply for reply in replies if isinstance(reply, Say))
    return f"{said.text} {said.blocks}"


def run_daily(world: World, day: date = MONDAY) -> None:
    world.clock.forward(minutes=1)
    list(daily(Request(user=THE_CLOCK, now=world.clock(), source=Source.CLOCK, day=day), world.context))
    world.clock.forward(minutes=1)


def digest(world: World, key: str) -> str:
    post = world.store.posts.find(key)
    assert post
    return str(draw(world.context, post)[1])


def test_a_regression_says_who_had_fixed_it_and_when_wherever_the_function_is_shown(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    fixed(world, arn)
    when = world.history(arn)[-1].at
    world.audit()
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())

    taken = world.audit()

    (change,) = world.store.changes.since_last(taken.id).changes
    assert (change.kind, change.detail["fixed_by"], change.fixed_at) == (REGRESSED, ANA, when)
    assert f"fixed by <@{ANA}> on" in answer(world, "refund")


def test_a_function_that_others_traced_regresses_without_a_name(world: World) -> None:
    arn = world.function("refund", mode="Active")
    world.audit()
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())

    (change,) = world.store.changes.since_last(world.audit().id).changes

    assert (change.kind, change.detail) == (REGRESSED, {})
    card = answer(world, "refund")
    assert "Untraced again" in card
    assert "fixed by" not in card


def test_a_function_that_a_look_finds_gone_is_told_by_the_next_audit(world: World) -> None:
    world.function("refund")
    world.audit()
    delete(world, "refund")
    assert "no longer exists" in answer(world, "refund")

    assert told(world, world.audit()) == {"refund": GONE}
    assert told(world, world.audit()) == {}


def test_an_audit_of_one_account_tells_of_that_one_and_makes_nothing_old(world: World) -> None:
    here, there = world.function("here"), world.function("there", account=OTHER)
    world.audit()
    world.aws.seed_tracing_mode(here, "Active", world.clock())
    world.aws.seed_tracing_mode(there, "Active", world.clock())

    narrow = world.audit(accounts=(HOME,))

    assert told(world, narrow) == {"here": FIXED}
    assert last_known(world.context, narrow) == []
    assert "not seen since" not in answer(world, "there")
    # The look that /trace-audit took at one function told nobody else of it.
    assert told(world, world.audit()) == {"here": FIXED, "there": FIXED}


def test_an_account_that_is_not_seen_keeps_its_last_known_state_with_its_age(world: World) -> None:
    here, there = world.function("here"), world.function("there", account=OTHER)
    seen_at = world.audit().started_at
    world.clock.forward(days=2)
    world.aws.deny(account=OTHER, service="lambda")

    taken = world.audit()

    (kept,) = last_known(world.context, taken)
    assert (kept.function.arn, kept.function.verdict, kept.seen_at) == (there, Verdict.UNTRACED, seen_at)
    assert taken.functions == 1
    assert told(world, taken) == {}
    everything, team = answer(world), answer(world, "payments")
    for said in (everything, team):
        assert "Not counted: 1 function last seen" in said
        assert "0 of 1 traced" in said
    assert "`there`" in team
    assert "Nov 23, 2026 12:01 UTC>, not seen since" in team
    assert "untraced, as of" in answer(world, "there")
    assert "not seen since" not in answer(world, "here")
    assert world.known(here)

    world.aws.forgive()
    assert last_known(world.context, world.audit()) == []
    assert "not seen since" not in answer(world, "there")


def test_a_digest_says_what_changed_for_its_team_since_the_day_before_and_names_what_was_lost(world: World) -> None:
    arn, other = world.function("refund", role="mute"), world.function("rank", team="search", mode="Active")
    world.function("charge")
    run_daily(world)
    assert "Since the digest before" not in digest(world, "digest:payments:2026-11-23:1")
    fixed(world, arn)
    world.audit()
    world.clock.forward(days=1)
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())
    world.aws.seed_tracing_mode(other, "PassThrough", world.clock())
    world.function("fresh")
    run_daily(world, MONDAY + timedelta(days=1))

    shown = digest(world, "digest:payments:2026-11-24:1")

    # Fixed and lost again within a day: that leaves what was there the day before, so only `fresh` is news.
    assert "Since the digest before: 1 new" in shown
    assert "rank" not in shown
    theirs = digest(world, "digest:search:2026-11-24:1")
    assert "Since the digest before: 1 regressed. Untraced again: `rank`" in theirs
    assert "Since the digest before" not in digest(world, "digest:payments:2026-11-23:1")


def test_a_digest_names_who_had_fixed_what_was_lost(world: World) -> None:
    arn = world.function("refund")
    run_daily(world)
    fixed(world, arn)
    run_daily(world, MONDAY + timedelta(days=1))
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())
    run_daily(world, MONDAY + timedelta(days=2))

    shown = digest(world, "digest:payments:2026-11-25:1")
    assert f"1 regressed. Untraced again: `refund` (fixed by <@{ANA}> on" in shown
    assert "*Untraced again*" in shown
    run_daily(world, MONDAY + timedelta(days=3))
    assert world.store.posts.find("digest:payments:2026-11-26:1") is None  # nothing has changed since
    assert "*Untraced again*" in digest(world, "digest:payments:2026-11-25:1")


def test_a_digest_says_how_old_it_is_what_it_shows_of_an_account_that_was_not_seen(world: World) -> None:
    world.function("there", account=OTHER)
    run_daily(world)
    world.clock.forward(days=1)
    world.aws.deny(account=OTHER, service="lambda")
    run_daily(world, MONDAY + timedelta(days=1))

    shown = digest(world, "digest:payments:2026-11-23:1")

    assert "not seen since" in shown
    assert "Not counted: 1 function last seen at" in shown

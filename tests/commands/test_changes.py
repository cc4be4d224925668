"""What an audit tells beside the one before, against the local AWS."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from commands import _decide
from commands._audits import look_again, take_audit
from commands._changes import NOT_THE_SAME
from commands._drawing import draw
from commands.exempt import grant
from commands.fix import approve
from commands.views.text import day
from storage.fixes import RequestState
from storage.models import THE_CLOCK, Audit, DecisionKind, PostKind, Source, Verdict
from storage.news import ChangeKind
from tests.commands.conftest import ANA, BERLIN, BO, HOME, MODIFIED, OTHER, VIRGINIA, World
from tests.commands.views.test_views import words

NEW, FIXED, REGRESSED, GONE, RETURNED = ChangeKind


def told(world: World, taken: Audit) -> dict[str, ChangeKind]:
    """By the function's name."""
    return {one.function_name: one.kind for one in world.store.changes.since_last(taken.id).changes}


def delete(world: World, name: str) -> None:
    world.lambdas().delete_function(FunctionName=name)


def durable(world: World, name: str) -> str:
    """A durable function: no update can make one of one that is not."""
    return made(world, name, DurableConfig={"RetentionPeriodInDays": 7, "ExecutionTimeout": 3600})


def made(world: World, name: str, tags: dict[str, str] | None = None, **more: Any) -> str:
    spec = {
        "FunctionName": name,
        "Role": f"arn:aws:iam::{HOME}:role/writes",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Code": {"ZipFile": b""},
        "Tags": {"team": "payments"} | (tags or {}),
    }
    return world.aws.seed_function(HOME, BERLIN, spec | more, MODIFIED)


def of_stack(number: int) -> dict[str, str]:
    identity = f"arn:aws:cloudformation:{BERLIN}:{HOME}:stack/shop/{number}"
    return {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:stack-id": identity}


def exempted(world: World, arn: str) -> None:
    fields = {"reason": "moves in OPS-12", "until": "2027-01-31"}
    asked = world.request(arn)
    list(grant(world.asks(source=Source.FORM, value=asked.id, fields=fields), world.context))
    assert world.known(arn).verdict is Verdict.EXEMPT


def fixed(world: World, arn: str) -> None:
    world.clock.forward(minutes=1)
    list(approve(world.asks(value=world.request(arn).id), world.context))
    assert world.known(arn).verdict is Verdict.TRACED


def undone(world: World, arn: str) -> None:
    """By somebody, some time after the fix, as an undo leaves it."""
    world.clock.forward(minutes=1)
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())
    _decide.record(world.context, DecisionKind.UNDONE, arn, actor=BO, before="Active", after="PassThrough")


def drawn(world: World, arn: str) -> str:
    """A message that shows the function, as people read it."""
    return words(draw(world.context, world.post(world.request(arn)))[1])


def test_a_first_audit_is_a_baseline_and_tells_no_news(world: World) -> None:
    world.function("refund")

    first = world.audit()

    assert world.store.changes.since_last(first.id).audit_id is None
    assert told(world, first) == {}
    assert told(world, world.audit()) == {}


def test_each_audit_tells_what_is_new_fixed_regressed_gone_and_returned(world: World) -> None:
    dark, lit, old, comes_back = (
        world.function("dark"),
        world.function("lit", mode="Active"),
        world.function("old"),
        world.function("comes-back"),
    )
    world.audit()
    delete(world, "comes-back")
    assert told(world, world.audit()) == {"comes-back": GONE}

    world.function("fresh", account=OTHER, region=VIRGINIA)
    world.aws.seed_tracing_mode(dark, "Active", world.clock())
    world.aws.seed_tracing_mode(lit, "PassThrough", world.clock())
    delete(world, "old")
    world.function("comes-back")
    third = world.audit()

    changes = {"fresh": NEW, "dark": FIXED, "lit": REGRESSED, "old": GONE, "comes-back": RETURNED}
    assert told(world, third) == changes
    since = world.store.changes.since_last(third.id)
    assert since.audit_id == third.id - 1
    assert {one.function_arn for one in since.of(GONE)} == {old}
    assert {one.function_arn for one in since.of(RETURNED)} == {comes_back}
    assert told(world, world.audit()) == {}


def test_an_account_that_is_added_is_looked_at_for_the_first_time_and_is_no_news(world: World) -> None:
    world.function("refund")
    world.function("far", account=OTHER)
    world.audit(world.configured(accounts=(HOME,)))

    assert told(world, world.audit()) == {}

    world.function("later", account=OTHER)
    assert told(world, world.audit()) == {"later": NEW}


def test_a_fix_of_lamplighter_is_told_by_the_next_audit(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()

    fixed(world, arn)

    assert told(world, world.audit()) == {"refund": FIXED}
    assert told(world, world.audit()) == {}


def test_a_fixed_function_that_comes_back_untraced_is_shown_with_who_had_fixed_it_and_when(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    fixed(world, arn)
    world.audit()
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())

    assert told(world, world.audit()) == {"refund": REGRESSED}

    shown, fix = drawn(world, arn), world.store.decisions.last_fix(arn)
    assert "*Untraced again* since" in shown
    assert f"(fixed by <@{ANA}> on {day(fix.at)})" in shown


@pytest.mark.parametrize("looked", [True, False], ids=["looked at by the undo", "not looked at"])
def test_a_fix_that_a_person_took_back_is_no_regression(world: World, looked: bool) -> None:
    arn = world.function("refund")
    world.audit()
    fixed(world, arn)
    assert told(world, world.audit()) == {"refund": FIXED}

    undone(world, arn)
    if looked:
        look_again(world.context, world.known(arn))

    assert told(world, world.audit()) == {}
    assert world.known(arn).verdict is Verdict.UNTRACED
    assert "again" not in drawn(world, arn)
    assert told(world, world.audit()) == {}


def test_what_is_lost_after_an_undo_and_a_new_fix_is_a_regression_of_the_new_fix(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    fixed(world, arn)
    world.audit()
    undone(world, arn)
    world.audit()
    fixed(world, arn)
    second = world.store.decisions.last_fix(arn)
    world.audit()
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())

    (change,) = world.store.changes.since_last(world.audit().id).changes

    assert (change.kind, change.fixed_at) == (REGRESSED, second.at)


def test_what_somebody_else_turned_on_after_an_undo_and_lost_is_a_regression_of_nobodys_fix(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    fixed(world, arn)
    world.audit()
    undone(world, arn)
    world.audit()
    world.aws.seed_tracing_mode(arn, "Active", world.clock())
    assert told(world, world.audit()) == {"refund": FIXED}
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())

    (change,) = world.store.changes.since_last(world.audit().id).changes

    assert (change.kind, change.detail) == (REGRESSED, {})


def test_a_regression_that_was_mended_and_undone_is_told_no_more(world: World) -> None:
    arn = world.function("refund", mode="Active")
    world.audit()
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())
    assert told(world, world.audit()) == {"refund": REGRESSED}
    assert "*Untraced again*" in drawn(world, arn)
    fixed(world, arn)

    undone(world, arn)
    world.audit()

    assert "again" not in drawn(world, arn)


def test_between_two_verdicts_unknown_changes_nothing(world: World) -> None:
    arn = world.function("refund", mode="Active")
    world.audit()
    world.aws.deny(account=HOME, service="iam")
    unknown = world.audit()
    assert world.known(arn).verdict is Verdict.UNKNOWN
    assert told(world, unknown) == {}

    world.aws.forgive()
    assert told(world, world.audit()) == {}

    world.aws.deny(account=HOME, service="iam")
    world.audit()
    world.aws.forgive()
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())
    assert told(world, world.audit()) == {"refund": REGRESSED}


def test_an_exemption_and_its_end_are_decisions_and_no_changes(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    exempted(world, arn)
    assert told(world, world.audit()) == {}

    world.clock.forward(days=90)

    ended = world.audit()
    assert world.known(arn).verdict is Verdict.UNTRACED
    assert told(world, ended) == {}


@pytest.mark.parametrize("seen_gone", [True, False], ids=["gone in an audit", "between two audits"])
def test_what_was_agreed_for_a_function_does_not_hold_for_the_one_made_under_its_name(
    world: World, seen_gone: bool
) -> None:
    arn = world.function("refund")
    world.audit()
    exempted(world, arn)
    world.audit()
    delete(world, "refund")
    if seen_gone:
        world.audit()
    durable(world, "refund")

    taken = world.audit()

    (change,) = world.store.changes.since_last(taken.id).changes
    assert (change.kind, change.after) == (RETURNED if seen_gone else NEW, Verdict.UNTRACED)
    assert change.detail["made_anew"]
    assert world.known(arn).verdict is Verdict.UNTRACED
    assert world.store.exemptions.in_force(world.clock()) == {}
    lapsed = world.history(arn)[-1]
    assert (lapsed.kind, lapsed.actor, lapsed.reason) == (DecisionKind.LAPSED, THE_CLOCK, NOT_THE_SAME)
    assert lapsed.detail["made_anew"] == change.detail["made_anew"]
    assert world.store.functions.since(arn) == world.store.functions.made_at(arn) == taken.started_at
    assert world.store.audits.coverage(taken.id)["payments"].untraced == 1
    assert told(world, world.audit()) == {}


def test_a_stack_that_was_deleted_and_made_anew_has_another_function(world: World) -> None:
    arn = made(world, "refund", of_stack(1))
    world.audit()
    exempted(world, arn)
    delete(world, "refund")
    made(world, "refund", of_stack(2))

    (change,) = world.store.changes.since_last(world.audit().id).changes

    assert (change.kind, change.after) == (NEW, Verdict.UNTRACED)
    assert change.detail["made_anew"] == "Its CloudFormation stack shop was deleted and made anew."


def test_tags_that_cannot_be_read_for_a_while_make_no_other_function(world: World) -> None:
    arn = made(world, "refund", of_stack(1))
    world.audit()
    exempted(world, arn)
    world.aws.deny(service="resourcegroupstaggingapi")
    assert told(world, world.audit()) == {}
    world.aws.forgive()

    assert told(world, world.audit()) == {}
    assert world.known(arn).verdict is Verdict.EXEMPT


def test_a_request_for_a_function_is_not_one_for_the_function_made_under_its_name(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    post = world.post(asked)
    delete(world, "refund")
    durable(world, "refund")

    world.audit()

    ended = world.store.requests.get(asked.id)
    assert (ended.state, ended.outcome) == (RequestState.RESOLVED, NOT_THE_SAME)
    assert world.is_to_be_redrawn(post)
    assert world.request(arn).id != asked.id


def test_an_approval_does_not_reach_a_function_that_was_made_after_the_one_that_was_shown(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    delete(world, "refund")
    durable(world, "refund")
    world.clock.forward(minutes=1)

    list(approve(world.asks(value=asked.id), world.context))

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.FAILED
    assert NOT_THE_SAME in ended.outcome
    assert world.writes() == []
    assert told(world, world.audit()) == {"refund": NEW}


def test_a_version_that_was_published_twice_was_published_by_two_functions(world: World) -> None:
    arn = world.served_untraced("refund")
    world.audit()
    delete(world, "refund")
    world.function("refund", mode="Active")
    version = world.aws.seed_version(arn, MODIFIED)
    world.aws.seed_alias(arn, "live", version)

    (change,) = world.store.changes.since_last(world.audit().id).changes

    assert (change.kind, change.before, change.after) == (NEW, None, Verdict.TRACED)
    assert change.detail["made_anew"] == "Its version 1 was published as PassThrough and is Active now."


def test_a_fix_of_an_earlier_function_is_not_what_a_later_one_lost(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    fixed(world, arn)
    world.audit()
    delete(world, "refund")
    world.audit()
    world.function("refund", mode="Active")
    world.audit()
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())

    (change,) = world.store.changes.since_last(world.audit().id).changes

    assert (change.kind, change.detail) == (REGRESSED, {})


def test_an_account_that_comes_back_into_the_settings_brings_the_same_functions(world: World) -> None:
    arn = world.function("far", account=OTHER)
    lit = world.function("lit", account=OTHER, mode="Active")
    world.audit()
    exempted(world, arn)
    without = world.audit(world.configured(accounts=(HOME,)))
    assert told(world, without) == {}
    assert world.store.functions.get(arn) is None
    world.aws.seed_tracing_mode(lit, "PassThrough", world.clock())

    again = world.audit()

    assert world.known(arn).verdict is Verdict.EXEMPT
    assert told(world, again) == {"lit": REGRESSED}


def test_a_fix_that_ends_while_an_audit_is_under_way_is_no_regression_and_told_by_the_next(world: World) -> None:
    arn = world.function("refund")
    world.audit()

    def fix_meanwhile(_done: int, _total: int, _where: str) -> None:
        if world.known(arn).verdict is Verdict.UNTRACED:
            world.clock.forward(seconds=5)
            world.aws.seed_tracing_mode(arn, "Active", world.clock())
            look_again(world.context, world.known(arn))

    during = world.audit(on_progress=fix_meanwhile)

    assert world.known(arn).verdict is Verdict.TRACED
    assert told(world, during) == {}
    assert told(world, world.audit()) == {"refund": FIXED}


def test_after_the_clock_was_set_back_changes_are_told_all_the_same(world: World) -> None:
    arn = world.function("refund", mode="Active")
    world.audit()
    world.clock.forward(hours=-2)
    world.aws.seed_tracing_mode(arn, "PassThrough", world.clock())

    assert told(world, world.audit()) == {"refund": REGRESSED}
    assert told(world, world.audit()) == {}


def test_an_audit_of_everything_tells_what_one_of_an_account_told_since(world: World) -> None:
    here = world.function("here", mode="Active")
    first = world.audit()
    world.aws.seed_tracing_mode(here, "PassThrough", world.clock())
    world.audit(accounts=(HOME,))

    whole = world.audit()

    assert told(world, whole) == {"here": REGRESSED}
    assert world.store.changes.since_last(whole.id).audit_id == first.id


def test_what_happened_while_an_account_was_not_seen_is_told_when_it_is(world: World) -> None:
    there, lit = world.function("there", account=OTHER), world.function("lit", account=OTHER, mode="Active")
    world.audit()
    world.aws.deny(account=OTHER, service="lambda")
    world.audit()
    world.aws.seed_tracing_mode(lit, "PassThrough", world.clock())
    world.aws.seed_tracing_mode(there, "Active", world.clock())
    world.aws.forgive()

    assert told(world, world.audit()) == {"there": FIXED, "lit": REGRESSED}


def test_two_clicks_on_a_message_of_before_are_told_that_the_function_is_another(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    delete(world, "refund")
    durable(world, "refund")
    world.audit()

    replies: list[Any] = [*approve(world.asks(value=asked.id), world.context)]
    replies += approve(world.asks(BO, value=asked.id), world.context)

    assert [NOT_THE_SAME in reply.text for reply in replies] == [True, True]
    assert world.store.posts.all(PostKind.NOTICE) == []


def test_an_audit_of_another_process_that_began_later_and_ended_earlier_is_believed(world: World) -> None:
    arn, doomed = world.function("refund"), world.function("doomed")
    world.audit()
    elsewhere = replace(world.configured(), one_audit=threading.Lock())
    ran: list[Audit] = []

    def audit_elsewhere() -> None:
        ran.append(take_audit(elsewhere, source=Source.TERMINAL))

    def meanwhile(_done: int, _total: int, where: str) -> None:
        if where == f"{OTHER} {VIRGINIA}" and not ran:
            world.clock.forward(seconds=5)
            world.aws.seed_tracing_mode(arn, "Active", world.clock())
            delete(world, "doomed")
            other = threading.Thread(target=audit_elsewhere)
            other.start()
            other.join(30)
            world.clock.forward(seconds=5)

    slow = world.audit(on_progress=meanwhile)

    assert told(world, ran[0]) == {"refund": FIXED, "doomed": GONE}
    assert told(world, slow) == {}
    assert world.known(arn).verdict is Verdict.TRACED
    assert world.store.functions.get(doomed) is None

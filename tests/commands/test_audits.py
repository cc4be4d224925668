"""What an audit leaves in memory, against the local AWS."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commands._audits import OUT_OF_SIGHT, look_again, take_audit
from commands._production import Production
from commands._types import Context, FixPolicy
from commands.aws.accounts import Cloud
from commands.aws.errors import Gone
from commands.aws.scope import Rules
from commands.exempt import grant
from storage.fixes import RequestState
from storage.models import ORGANIZATION, CheckName, Coverage, DecisionKind, Source, Verdict
from tests.commands.conftest import ANA, HOME, OTHER, VIRGINIA, World


def test_every_function_has_a_verdict_and_the_audit_its_totals_by_team(world: World) -> None:
    dark = world.function("refund")
    lit = world.function("charge", mode="Active")
    silent = world.function("export", mode="Active", role="mute", team="data")
    far = world.function("far", account=OTHER, region=VIRGINIA, team=None)

    taken = world.audit()

    verdicts = {arn: world.known(arn).verdict for arn in (dark, lit, silent, far)}
    assert verdicts == {
        dark: Verdict.UNTRACED,
        lit: Verdict.TRACED,
        silent: Verdict.UNTRACED,
        far: Verdict.UNTRACED,
    }
    assert (taken.functions, taken.accounts, taken.not_scanned) == (4, 2, ())
    coverage = world.store.audits.coverage(taken.id)
    assert {team: (counts.traced, counts.untraced) for team, counts in coverage.items()} == {
        "payments": (1, 1),
        "data": (0, 1),
        None: (0, 1),
    }
    assert world.store.audits.latest() == taken


def test_an_exemption_that_is_granted_while_aws_is_asked_is_not_overwritten(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    said: list[str] = []

    def grant_meanwhile(_done: int, _total: int, _where: str) -> None:
        if not said:
            fields = {"reason": "moves in OPS-12", "until": "2026-12-24"}
            request = world.asks(ANA, source=Source.FORM, value=asked.id, fields=fields)
            said.extend(reply.text for reply in grant(request, world.context))

    taken = world.audit(on_progress=grant_meanwhile)

    assert "is exempt until" in said[0]
    assert world.known(arn).verdict is Verdict.EXEMPT
    assert world.store.audits.coverage(taken.id)["payments"].exempt == 1
    assert world.store.requests.get(asked.id).state is RequestState.RESOLVED


def test_an_exemption_that_has_run_out_no_longer_counts(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    until = world.clock() + timedelta(days=1)
    world.store.exemptions.grant(arn, "moves", ANA, world.clock(), until)
    world.audit()
    assert world.known(arn).verdict is Verdict.EXEMPT

    world.clock.forward(days=1)
    world.audit()

    assert world.known(arn).verdict is Verdict.UNTRACED


def test_a_deleted_function_is_gone_its_request_ended_and_its_message_drawn_again(world: World) -> None:
    arn, stays = world.function("refund"), world.function("charge")
    world.audit()
    asked, other = world.request(arn), world.request(stays)
    post, kept = world.post(asked), world.post(other)
    world.lambdas().delete_function(FunctionName="refund")

    world.audit()

    assert world.store.functions.get(arn) is None
    ended = world.store.requests.get(asked.id)
    assert (ended.state, ended.outcome) == (RequestState.RESOLVED, OUT_OF_SIGHT)
    assert world.is_to_be_redrawn(post)
    assert [(row.kind, row.reason) for row in world.history(arn)] == [(DecisionKind.RESOLVED, OUT_OF_SIGHT)]
    assert world.store.requests.get(other.id).state is RequestState.OPEN
    assert not world.is_to_be_redrawn(kept)


def test_a_function_that_others_traced_ends_its_request_and_has_its_message_drawn_again(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    post = world.post(asked)
    world.aws.seed_tracing_mode(arn, "Active", world.clock())

    world.audit()

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.RESOLVED
    assert "outside of Lamplighter" in ended.outcome
    assert world.is_to_be_redrawn(post)


def test_a_function_that_comes_back_is_there_again(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    world.lambdas().delete_function(FunctionName="refund")
    world.audit()
    world.function("refund")

    world.audit()

    assert world.known(arn).verdict is Verdict.UNTRACED


def test_an_account_that_was_taken_out_of_the_settings_is_gone_after_a_whole_audit_and_not_before(
    world: World,
) -> None:
    here, there = world.function("refund"), world.function("far", account=OTHER)
    world.audit()
    asked = world.request(there)
    less = world.configured(accounts=(HOME,))

    world.audit(less, accounts=(HOME,))
    assert world.known(there)

    world.audit(less)
    assert world.store.functions.get(there) is None
    assert world.known(here)
    assert world.store.requests.get(asked.id).state is RequestState.RESOLVED


@pytest.fixture
def everybody(world: World) -> Context:
    """The audit of an organization in which OTHER comes on the second page, and these two alone are teams."""
    strangers = {f"15{number:010d}": f"stranger-{number}" for number in range(20)}
    world.aws.organizations.found(HOME, {HOME: "team-home", OTHER: "team-other", **strangers})
    return world.configured(accounts=None, organization=True, include=Rules(names=("team-*",)))


def test_who_is_missing_from_a_list_of_accounts_that_broke_off_is_kept_as_it_was(
    world: World, everybody: Context
) -> None:
    here, there = world.function("refund"), world.function("far", account=OTHER)
    world.audit(everybody)
    world.lambdas().delete_function(FunctionName="refund")
    world.aws.organizations.breaks_off = "AccessDeniedException"

    taken = world.audit(everybody)

    assert [row.account for row in taken.not_scanned] == [ORGANIZATION]
    assert world.known(there)
    assert world.store.functions.get(here) is None


def test_an_account_of_which_it_could_not_be_decided_whether_it_is_meant_is_kept_as_it_was(
    world: World, everybody: Context
) -> None:
    there = world.function("far", account=OTHER)
    world.audit(everybody)
    world.aws.deny(action="ListTagsForResource")
    settings = replace(everybody.cloud.settings, exclude=Rules(tags=("audit=no",)))

    taken = world.audit(replace(everybody, cloud=Cloud(settings)))

    assert {row.account for row in taken.not_scanned} == {HOME, OTHER}
    assert taken.accounts == 2
    assert world.known(there)


def test_an_account_that_left_the_organization_or_is_suspended_is_gone_without_a_word(
    world: World, everybody: Context
) -> None:
    there = world.function("far", account=OTHER)
    world.audit(everybody)
    world.aws.organizations.member(OTHER).state = "SUSPENDED"

    taken = world.audit(everybody)

    assert (taken.accounts, taken.not_scanned) == (1, ())
    assert world.store.functions.get(there) is None


def test_a_region_that_was_taken_out_of_the_settings_is_gone(world: World) -> None:
    here, there = world.function("refund"), world.function("far", region=VIRGINIA)
    world.audit()

    world.audit(world.configured(regions=("eu-central-1",)))

    assert world.store.functions.get(there) is None
    assert world.known(here)


@pytest.mark.parametrize("service", [None, "lambda", "sts"])
def test_what_could_not_be_seen_is_kept_as_it_was_and_said(world: World, service: str | None) -> None:
    there = world.function("far", account=OTHER)
    world.audit()
    asked = world.request(there)
    if service == "sts":
        world.aws.deny(service="sts", action="AssumeRole")
    else:
        world.aws.deny(account=OTHER, service=service)

    taken = world.audit(world.configured())  # as after a restart, without credentials at hand

    assert OTHER in {place.account for place in taken.not_scanned}
    assert world.known(there).verdict is Verdict.UNTRACED
    assert world.store.requests.get(asked.id).state is RequestState.OPEN


def test_who_waits_for_another_audit_is_given_that_one(world: World) -> None:
    world.function("refund")
    given, reached = [], threading.Event()

    def second() -> None:
        given.append(take_audit(world.context, source=Source.SLASH).id)

    waiting = threading.Thread(target=second)

    def asked() -> None:
        if threading.current_thread() is waiting:
            reached.set()

    def ask_too(_done: int, _total: int, _where: str) -> None:
        if not reached.is_set():
            waiting.start()
            assert reached.wait(10)
            world.clock.forward(seconds=5)

    world.clock.asked = asked
    first = world.audit(on_progress=ask_too)
    waiting.join(20)

    assert given == [first.id]
    assert sum(call.action == "AssumeRole" for call in world.aws.calls) == 2


def test_who_asks_after_an_audit_has_ended_is_given_a_new_one_unless_a_fresh_one_will_do(world: World) -> None:
    first = world.audit()
    world.clock.forward(seconds=30)

    assert take_audit(world.context, source=Source.SLASH, fresh=timedelta(seconds=60)) == first
    assert take_audit(world.context, source=Source.SLASH).id != first.id


def test_an_audit_of_one_account_is_not_taken_for_the_latest(world: World) -> None:
    here, there = world.function("refund"), world.function("far", account=OTHER)
    whole = world.audit()
    world.aws.seed_tracing_mode(here, "Active", world.clock())

    narrow = world.audit(accounts=(HOME,))

    assert (narrow.accounts, narrow.functions) == (1, 1)
    assert world.store.audits.latest() == whole
    assert world.known(here).verdict is Verdict.TRACED
    assert world.known(there).verdict is Verdict.UNTRACED
    again = take_audit(world.context, source=Source.SLASH, fresh=timedelta(minutes=5))
    assert again == whole


def test_an_audit_of_one_region_leaves_other_regions_alone(world: World) -> None:
    there = world.function("far", region=VIRGINIA)
    world.audit()

    world.audit(regions=("eu-central-1",))

    assert world.known(there)


def test_an_account_that_is_not_configured_is_said_and_not_asked(world: World) -> None:
    taken = world.audit(accounts=("999999999999",))

    assert [(row.account, row.reason) for row in taken.not_scanned] == [
        ("999999999999", "is not among the configured accounts")
    ]


def test_after_the_clock_was_set_back_an_audit_of_the_future_is_not_taken_for_a_fresh_one(world: World) -> None:
    first = world.audit()
    world.clock.forward(hours=-2)

    again = take_audit(world.context, source=Source.SLASH, fresh=timedelta(seconds=60))

    assert again.id != first.id
    assert again.finished_at < first.finished_at


def test_a_look_at_one_function_knows_which_of_its_callers_are_still_untraced(world: World) -> None:
    def starved(arn: str) -> bool:
        found = look_again(world.context, world.known(arn)).findings
        return CheckName.STARVED in {finding.check for finding in found}

    refund = world.function("refund", mode="Active")
    caller = world.function("caller", variables={"REFUND_FUNCTION": "refund"})
    world.audit()
    assert starved(refund)

    world.aws.seed_tracing_mode(caller, "Active", world.clock())
    look_again(world.context, world.known(caller))
    assert not starved(refund)


def test_a_function_that_is_gone_when_it_is_looked_at_ends_its_request_at_once(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked, function = world.request(arn), world.known(arn)
    world.lambdas().delete_function(FunctionName="refund")

    with pytest.raises(Gone):
        look_again(world.context, function)

    assert world.store.functions.get(arn) is None
    assert world.store.requests.get(asked.id).state is RequestState.RESOLVED


@pytest.mark.parametrize(
    ("service", "action"), [("resourcegroupstaggingapi", "GetResources"), ("lambda", "ListTags")], ids=["all", "one"]
)
def test_where_tags_cannot_be_read_a_function_keeps_its_team(world: World, service: str, action: str) -> None:
    arn = world.function("refund")
    world.audit()
    world.aws.deny(service=service, action=action)

    if service == "lambda":
        world.clock.forward(minutes=1)
        look_again(world.context, world.known(arn))
    else:
        assert "tags could not be read" in world.audit().not_scanned[0].reason

    assert world.known(arn).team == "payments"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UnknownOperationException", 404),
        ("InvalidAction", 400),
        ("NotImplemented", 501),
        ("AccessDenied", 403),
    ],
)
@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("cloudwatch", "ListMetrics"),
        ("lambda", "ListEventSourceMappings"),
        ("resourcegroupstaggingapi", "GetResources"),
    ],
)
def test_a_call_that_does_not_work_costs_what_it_would_have_said_and_no_more(
    world: World, service: str, action: str, code: str, status: int
) -> None:
    arn = world.function("refund")
    traced = world.function("charge", mode="Active")
    world.audit()
    world.aws.fail(code, status, service=service, action=action)

    world.audit()

    assert world.known(arn).verdict is Verdict.UNTRACED
    assert world.known(arn).team == "payments"
    assert world.known(traced).verdict is Verdict.TRACED


@pytest.mark.parametrize(("code", "status"), [("UnknownOperationException", 404), ("NotImplemented", 501)])
def test_a_look_at_one_function_does_without_what_aws_does_not_offer(world: World, code: str, status: int) -> None:
    arn = world.function("refund", mode="Active")
    world.audit()
    for service, action in (
        ("cloudwatch", "ListMetrics"),
        ("lambda", "ListEventSourceMappings"),
        ("lambda", "ListTags"),
    ):
        world.aws.fail(code, status, service=service, action=action)
    world.clock.forward(minutes=1)

    seen = look_again(world.context, world.known(arn))

    assert (seen.verdict, seen.team) == (Verdict.TRACED, "payments")


@pytest.mark.parametrize("narrow", [{}, {"accounts": (HOME,)}], ids=["whole", "a part"])
def test_a_whole_audit_keeps_the_totals_of_production_where_something_says_what_that_is(
    world: World, narrow: dict[str, Any]
) -> None:
    world.function("live", mode="Active")
    world.function("test")
    rule = replace(world.context, policy=FixPolicy(production=Production(names=("live*",))))
    taken = world.audit(rule, **narrow)
    store = world.store

    assert Coverage.sum(store.audits.coverage(taken.id).values()) == Coverage(1, 1)
    kept = store.measures.coverage_of(taken.id, production=True)
    assert kept == (None if narrow else {"payments": Coverage(1), None: Coverage()})


def test_without_a_rule_nothing_is_kept_of_production(world: World) -> None:
    world.function("live", mode="Active")

    assert world.store.measures.coverage_of(world.audit().id, production=True) is None


def test_a_rule_that_names_nothing_keeps_that_nothing_was(world: World) -> None:
    world.function("test")
    rule = replace(world.context, policy=FixPolicy(production=Production(names=("live*",))))

    assert world.store.measures.coverage_of(world.audit(rule).id, production=True) == {None: Coverage()}

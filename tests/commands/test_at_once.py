"""Everybody at once: clicks, forms, denials, cancellations, stops and restarts on the same functions as a batch."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from commands._batch import run_batch
from commands._carry_back import carry_back
from commands._carry_out import carry_out
from commands._production import TwoPeople
from commands._together import approve_together
from commands._types import Context, FixPolicy, Reply
from commands.deny import cancel, deny
from commands.fix import approve
from commands.stop import stop
from commands.undo import undo
from commands.views.form import REASON
from storage.fixes import RequestState
from storage.models import DecisionKind
from tests.commands.conftest import ANA, BO, World

PEOPLE = (ANA, BO, "U0CEM", "U0DEE", "U0EDA")
FIXED = [DecisionKind.APPROVED, DecisionKind.APPLIED]
ENDS = {DecisionKind.APPLIED, DecisionKind.DENIED, DecisionKind.CANCELLED}


@pytest.fixture
def delays() -> dict[str, timedelta]:
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@pytest.fixture
def context(context: Context) -> Context:
    return replace(context, policy=FixPolicy(fixes_per_second=0))


def at_once(*runs: Callable[[], object]) -> None:
    gate = threading.Barrier(len(runs))

    def run(one: Callable[[], object]) -> object:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(runs)) as pool:
        for one in [pool.submit(run, one) for one in runs]:
            one.result()


def functions(world: World) -> list[str]:
    """Ten, of which five share a role that lacks the permission."""
    world.people.of_team = {"payments": PEOPLE}
    arns = [world.function(f"f{number}", role="mute" if number % 2 else "writes") for number in range(10)]
    world.audit()
    return arns


def updates(world: World) -> int:
    return sum(one.startswith("UpdateFunctionConfiguration") for one in world.writes())


def test_fifty_clicks_while_a_batch_of_the_same_functions_runs_are_ten_fixes(world: World) -> None:
    arns = functions(world)
    asked = [world.request(arn) for arn in arns]
    came = approve_together(world.asks(ANA), world.context, "payments", [one.id for one in asked])
    assert came.batch
    number = came.batch.id

    def click(turn: int) -> list[Reply]:
        return list(approve(world.asks(PEOPLE[turn % 5], value=asked[turn // 5].id), world.context))

    def take_up() -> None:
        run_batch(world.context, number)
        for one in asked:
            list(carry_out(world.context, one.id, again=True))

    clicks = [lambda turn=turn: click(turn) for turn in range(50)]
    at_once(lambda: run_batch(world.context, number), take_up, *clicks)

    assert {world.mode(arn) for arn in arns} == {"Active"}
    assert (updates(world), world.writes().count("AttachRolePolicy")) == (10, 1)
    assert [[row.kind for row in world.history(arn)] for arn in arns] == [FIXED] * 10
    assert world.store.batches.unfinished() == []
    assert world.store.decisions.verify() is None


def test_a_stop_in_the_midst_of_clicks_and_a_batch_leaves_no_function_unaccounted_for(world: World) -> None:
    arns = functions(world)
    asked = [world.request(arn) for arn in arns]
    came = approve_together(world.asks(ANA), world.context, "payments", [one.id for one in asked])
    assert came.batch
    batch = came.batch

    def click(turn: int) -> list[Reply]:
        return list(approve(world.asks(PEOPLE[turn % 5], value=asked[turn % 10].id), world.context))

    clicks = [lambda turn=turn: click(turn) for turn in range(20)]
    stops = [lambda who=who: list(stop(world.asks(who, value=batch.token), world.context)) for who in PEOPLE]
    at_once(lambda: run_batch(world.context, batch.id), *stops, *clicks)

    applied = 0
    for arn, one in zip(arns, asked, strict=True):
        kinds, state = [row.kind for row in world.history(arn)], world.store.requests.get(one.id).state
        assert kinds in (FIXED, [*FIXED[:1], DecisionKind.STOPPED], [FIXED[0], DecisionKind.STOPPED, *FIXED])
        assert (state, world.mode(arn)) in ((RequestState.APPLIED, "Active"), (RequestState.OPEN, "PassThrough"))
        assert (state is RequestState.APPLIED) is (kinds[-1] is DecisionKind.APPLIED)
        applied += state is RequestState.APPLIED
    assert updates(world) == applied
    whole = [row for row in world.store.decisions.all() if row.kind is DecisionKind.STOPPED and not row.function_arn]
    assert len(whole) <= 1
    assert world.store.batches.unfinished() == []


def test_of_approval_denial_and_cancellation_at_once_one_counts(world: World) -> None:
    arns = functions(world)
    asked = [world.request(arn) for arn in arns]
    for one in asked:
        world.store.requests.ask(one.id, BO, "blind", world.clock() + timedelta(hours=24))

    def one_each(request_id: str) -> tuple[Callable[[], object], ...]:
        no = {REASON: "not now"}
        return (
            lambda: list(approve(world.asks(ANA, value=request_id), world.context)),
            lambda: list(deny(world.asks("U0CEM", value=request_id, fields=no), world.context)),
            lambda: list(cancel(world.asks(BO, value=request_id), world.context)),
        )

    at_once(*(run for one in asked for run in one_each(one.id)))

    fixed = 0
    for arn in arns:
        kinds = [row.kind for row in world.history(arn)]
        assert len(ENDS.intersection(kinds)) == 1, kinds
        assert len(kinds) == (2 if DecisionKind.APPLIED in kinds else 1)
        assert (world.mode(arn) == "Active") is (DecisionKind.APPLIED in kinds)
        fixed += DecisionKind.APPLIED in kinds
    assert updates(world) == fixed


def test_two_people_are_two_people_whichever_way_is_taken(world: World) -> None:
    arns = functions(world)
    asked = [world.request(arn) for arn in arns]
    strict = replace(world.context, policy=FixPolicy(two_people=TwoPeople.ALWAYS, fixes_per_second=0))
    ids = [one.id for one in asked]

    def alone(turn: int) -> object:
        if turn % 3 == 0:
            return approve_together(world.asks(ANA), strict, "payments", ids)
        if turn % 3 == 1:
            return list(cancel(world.asks(ANA, value=ids[turn % 10]), strict))
        return list(approve(world.asks(ANA, value=ids[turn % 10]), strict))

    at_once(*(lambda turn=turn: alone(turn) for turn in range(30)))

    assert world.writes() == []
    assert world.store.batches.unfinished() == []
    assert not [row for row in world.store.decisions.all() if row.kind is DecisionKind.APPROVED]


def test_undos_and_fixes_of_one_role_at_once_leave_no_function_active_without_its_permission(world: World) -> None:
    arns = [world.function(f"f{number}", role="mute") for number in range(6)]
    world.audit()
    asked = [world.request(arn) for arn in arns]
    for one in asked[:3]:
        list(approve(world.asks(ANA, value=one.id), world.context))

    undos = [
        lambda one=one, who=who: list(undo(world.asks(who, value=one.id), world.context))
        for one in asked[:3]
        for who in (ANA, BO)
    ]
    fixes = [lambda one=one: list(approve(world.asks(ANA, value=one.id), world.context)) for one in asked[3:]]
    restarts = [lambda one=one: list(carry_back(world.context, one.id)) for one in asked[:3]]
    at_once(*undos, *fixes, *restarts)

    policies = world.role_client().list_attached_role_policies(RoleName="mute")["AttachedPolicies"]
    active = [arn for arn in arns if world.mode(arn) == "Active"]
    assert bool(policies) is bool(active)
    for arn, one in zip(arns, asked, strict=True):
        ended, kinds = world.store.requests.get(one.id), [row.kind for row in world.history(arn)]
        assert (ended.state is RequestState.APPLIED) is (arn in active)
        assert ended.state in (RequestState.APPLIED, RequestState.UNDONE, RequestState.FAILED)
        assert kinds.count(DecisionKind.UNDO) == kinds.count(DecisionKind.UNDONE) == (one in asked[:3])
    assert world.store.decisions.verify() is None

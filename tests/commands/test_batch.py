"""Many fixes at once, from the modal to what AWS says afterwards, against the local AWS."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from commands._batch import lock_of, run_batch
from commands._carry_out import carry_out
from commands._drawing import draw
from commands._types import Background, Context, FixPolicy, OpenForm, Reply, Say
from commands.fix import approve
from commands.review import open_review, submit
from commands.stop import stop
from commands.views.review import ALL, CHOSEN
from storage.fixes import Batch, FixRequest, RequestState
from storage.models import DecisionKind, Post, PostKind, Verdict
from tests.commands.conftest import ANA, BERLIN, BO, EVE, HOME, VIRGINIA, World, trusting
from tests.commands.views.test_views import words

UNPACED = FixPolicy(fixes_per_second=0)
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "xray:*", "Resource": "*"}]}


@pytest.fixture
def delays() -> dict[str, timedelta]:
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@pytest.fixture
def context(context: Context) -> Context:
    return replace(context, policy=UNPACED)


def form(world: World, who: str = ANA) -> dict[str, Any]:
    """The modal as it stands once it is filled."""
    first = world.store.requests.open_for(world.store.functions.of_team("payments", Verdict.UNTRACED)[0], world.clock())
    *_, last = open_review(world.asks(who, value=first.id), world.context)
    assert isinstance(last, OpenForm)
    return last.view


def send(world: World, view: dict[str, Any], who: str = ANA, **fields: str) -> list[Reply]:
    given = {ALL: "", CHOSEN: ""} | fields
    return list(submit(world.asks(who, value=view["private_metadata"], fields=given, channel=""), world.context))


def approved(world: World, who: str = ANA) -> tuple[Batch, Background]:
    """All of the team's functions, approved together and not begun."""
    said, background = send(world, form(world, who), who, **{ALL: "all"})
    assert isinstance(said, Say)
    assert isinstance(background, Background), said
    return world.store.batches.unfinished()[-1], background


def states(world: World, arns: Sequence[str]) -> dict[str, RequestState]:
    return {arn: newest(world, arn).state for arn in arns}


def newest(world: World, arn: str) -> FixRequest:
    return world.store.requests.get(world.history(arn)[-1].request_id)


def message(world: World, post: Post | int) -> str:
    number = post if isinstance(post, int) else post.id
    text, blocks = draw(world.context, world.store.posts.get(number))
    return f"{text}\n{words(blocks)}"


def attaches(world: World) -> list[str]:
    return [call.action for call in world.aws.calls if call.action == "AttachRolePolicy"]


def updates(world: World) -> int:
    """How often AWS was told to trace a function."""
    return sum(call.action.startswith("UpdateFunctionConfiguration") for call in world.aws.calls)


def fixed(world: World) -> list[str]:
    """The names of what was changed, in that order; each was one update."""
    rows = [row for row in world.store.decisions.all() if row.kind is DecisionKind.APPLIED]
    assert updates(world) == len(rows)
    return [row.function_arn.rsplit(":", 1)[-1] for row in rows]


def test_three_hundred_with_ten_bad_roles_give_290_fixes_and_ten_reasons(world: World) -> None:
    service = trusting(Service="lambda.amazonaws.com")
    world.aws.create_role(HOME, "refuses", service, inline={"no-xray": DENY})
    for number in range(10):
        world.aws.create_role(HOME, f"mute-{number}", service)
    good, bad = [], []
    for number in range(300):
        region = (BERLIN, VIRGINIA)[number % 2]
        if number % 30 == 7:
            bad.append(world.function(f"f{number:03}", role="refuses", region=region))
        else:
            role = f"mute-{number % 10}" if number % 3 else "writes"
            good.append(world.function(f"f{number:03}", role=role, region=region))
    world.audit()

    batch, background = approved(world)
    background.run()

    assert {world.mode(arn) for arn in good} == {"Active"}
    assert {world.mode(arn) for arn in bad} == {"PassThrough"}
    assert set(states(world, good).values()) == {RequestState.APPLIED}
    assert set(states(world, bad).values()) == {RequestState.FAILED}
    assert len(good) == 290
    assert all("refuses" in newest(world, arn).outcome for arn in bad)
    assert len(attaches(world)) == 10  # of the roles that may not write, each once
    assert sorted(fixed(world)) == sorted(arn.rsplit(":", 1)[-1] for arn in good)
    shown = message(world, batch.post)
    assert "290 of 300 Lambda functions fixed" in shown
    assert "290 done · 10 failed" in shown
    assert shown.count("*not fixed*") == 10
    pages = [post for post in world.store.posts.all(PostKind.BATCH) if post.thread == batch.post]
    told = "\n".join(message(world, page) for page in pages)
    assert (len(pages), told.count("Active since"), told.count("*not fixed*")) == (12, 290, 10)
    assert world.store.batches.unfinished() == []
    assert world.store.decisions.verify() is None


def test_callers_are_fixed_before_what_they_call_and_a_failure_of_a_caller_holds_nobody_back(world: World) -> None:
    world.aws.create_role(HOME, "refuses", trusting(Service="lambda.amazonaws.com"), inline={"no-xray": DENY})
    root, leaf = world.function("z-root", region=VIRGINIA), world.function("a-leaf")
    middle, bad = world.function("m-middle"), world.function("y-bad", role="refuses")
    world.audit()
    for called, caller in ((middle, root), (leaf, middle), (leaf, bad)):
        known = world.known(called)
        seen = structs.replace(known, untraced_callers=(*known.untraced_callers, caller))
        world.store.functions.save([seen], world.clock())

    _, background = approved(world)
    background.run()

    assert fixed(world) == ["z-root", "m-middle", "a-leaf"]
    assert states(world, [bad]) == {bad: RequestState.FAILED}


def test_a_role_that_ten_functions_share_gets_one_policy(world: World) -> None:
    arns = [world.function(f"f{number}", role="mute") for number in range(10)]
    world.audit()

    _, background = approved(world)
    background.run()

    assert attaches(world) == ["AttachRolePolicy"]
    assert {world.mode(arn) for arn in arns} == {"Active"}


def test_a_stop_in_the_middle_ends_what_has_begun_and_opens_the_rest(world: World) -> None:
    arns = [world.function(f"f{number:02}", role="mute") for number in range(12)]  # one role: one after another
    world.audit()
    batch, background = approved(world)
    stopped = threading.Event()
    replies: list[Reply] = []

    def at_the_third(*_: object) -> None:
        if updates(world) >= 3 and not stopped.is_set():
            stopped.set()
            replies.extend(stop(world.asks(BO, value=batch.token), world.context))

    world.clock.asked = at_the_third
    background.run()
    world.clock.asked = lambda: None

    active = [arn for arn in arns if world.mode(arn) == "Active"]
    assert 3 <= len(active) <= 4
    rest = [arn for arn in arns if arn not in active]
    assert [reply.text for reply in replies if isinstance(reply, Say)] == [
        f"Stopped. {len(rest)} functions had not begun and can be approved again."
    ]
    for arn in rest:
        asked = newest(world, arn)
        assert (asked.state, asked.approved_by, asked.batch) == (RequestState.OPEN, "", None)
        assert [row.kind for row in world.history(arn)] == [DecisionKind.APPROVED, DecisionKind.STOPPED]
        assert world.history(arn)[-1].actor == BO
    ended = world.store.batches.get(batch.id)
    assert (ended.stopped_by, ended.finished_at is not None) == (BO, True)
    assert f"{len(rest)} not begun and open again" in message(world, batch.post)
    again = list(stop(world.asks(ANA, value=batch.token), world.context))
    assert [reply.text.startswith(f"<@{BO}> stopped it already") for reply in again if isinstance(reply, Say)] == [True]
    list(approve(world.asks(ANA, value=newest(world, rest[0]).id), world.context))
    assert world.mode(rest[0]) == "Active"


def test_who_may_not_approve_stops_nothing(world: World) -> None:
    arns = [world.function(f"f{number}") for number in range(2)]
    world.audit()
    batch, _ = approved(world)

    (reply,) = stop(world.asks(EVE, value=batch.token), world.context)

    assert isinstance(reply, Say)
    assert reply.text == "Nothing was stopped: You are not an approver."
    assert set(states(world, arns).values()) == {RequestState.RUNNING}
    (unknown,) = stop(world.asks(ANA, value="another's"), world.context)
    assert isinstance(unknown, Say)
    assert "another installation" in unknown.text


def test_a_batch_that_was_cut_short_goes_on_where_aws_is(world: World) -> None:
    arns = [world.function(f"f{number}", role="mute") for number in range(4)]
    arns += [world.function(f"g{number}", region=VIRGINIA) for number in range(4)]
    world.audit()
    batch, _ = approved(world)
    first, *_ = world.store.batches.members(batch.post)
    assert world.store.batches.begin(batch.id, first.id)
    steps = carry_out(world.context, first.id)
    while not attaches(world):
        next(steps)
    steps.close()  # the end of the process, as far as memory and AWS can tell
    assert world.store.requests.get(first.id).state is RequestState.RUNNING

    for one in world.store.batches.unfinished():
        run_batch(world.context, one.id)

    assert {world.mode(arn) for arn in arns} == {"Active"}
    assert len(attaches(world)) == 1
    assert sorted(fixed(world)) == sorted(arn.rsplit(":", 1)[-1] for arn in arns)
    for arn in arns:
        assert [row.kind for row in world.history(arn)] == [DecisionKind.APPROVED, DecisionKind.APPLIED]
    run_batch(world.context, batch.id)  # a take-up that comes too late changes nothing
    assert len(fixed(world)) == len(arns)


def test_at_the_end_of_the_process_nothing_more_begins_and_the_next_one_goes_on(world: World) -> None:
    arns = [world.function(f"f{number}", role="mute") for number in range(5)]
    world.audit()
    batch, background = approved(world)

    def at_the_second(*_: object) -> None:
        if updates(world) >= 2:
            world.context.ending.set()

    world.clock.asked = at_the_second
    background.run()
    world.clock.asked = lambda: None

    assert 2 <= len(fixed(world)) <= 3
    assert world.store.batches.unfinished() == [batch]
    assert not [one for one in world.store.batches.running(batch.id) if not one.queued]  # what had begun was ended
    world.context.ending.clear()
    run_batch(world.context, batch.id)
    assert {world.mode(arn) for arn in arns} == {"Active"}
    assert len(fixed(world)) == 5


def test_fifty_clicks_by_five_people_on_ten_functions_are_ten_fixes(world: World) -> None:
    people = [ANA, BO, "U0CEM", "U0DEE", "U0EDA"]
    world.people.of_team = {"payments": tuple(people)}
    arns = [world.function(f"f{number}", role="mute" if number % 2 else "writes") for number in range(10)]
    world.audit()
    view = form(world)
    start = threading.Barrier(50)

    def click(number: int) -> list[Reply]:
        who, asked = people[number % 5], world.store.requests.live(arns[number // 5])
        assert asked
        start.wait()
        if number % 7 == 0:  # everything at once, in the modal
            return send(world, view, who, **{ALL: "all"})
        return list(approve(world.asks(who, value=asked.id), world.context))

    with ThreadPoolExecutor(50) as pool:
        replies = [reply for answer in pool.map(click, range(50)) for reply in answer]
    for reply in replies:
        if isinstance(reply, Background):
            reply.run()

    assert {world.mode(arn) for arn in arns} == {"Active"}
    assert sorted(fixed(world)) == [f"f{number}" for number in range(10)]
    assert len(attaches(world)) == 1
    for arn in arns:
        assert [row.kind for row in world.history(arn)] == [DecisionKind.APPROVED, DecisionKind.APPLIED]
    assert world.store.decisions.verify() is None


def test_starts_keep_to_the_pace_of_each_account_and_region(world: World) -> None:
    for number in range(4):
        world.function(f"f{number}", region=(BERLIN, VIRGINIA)[number % 2])
    world.audit()
    paced = replace(world.context, policy=FixPolicy(fixes_per_second=0.2))
    batch, _ = approved(world)
    began = threading.Event()
    runner = threading.Thread(target=run_batch, args=[paced, batch.id])

    world.clock.asked = lambda: began.set() if updates(world) >= 2 else None
    runner.start()
    assert began.wait(20)
    paced.ending.set()  # the third start of five seconds later is not waited for
    runner.join(20)

    assert not runner.is_alive()
    assert {call.region for call in world.aws.calls if call.action.startswith("UpdateFunctionConfiguration")} == {
        BERLIN,
        VIRGINIA,
    }
    assert len(fixed(world)) == 2
    assert not world.context.in_hand.held(lock_of(batch.id))


def test_what_another_claimed_meanwhile_is_said_and_the_rest_is_taken(world: World) -> None:
    arns = [world.function(f"f{number}") for number in range(3)]
    world.audit()
    view = form(world)
    asked = [world.request(arn) for arn in arns]
    world.store.requests.claim(asked[0].id, BO, world.clock())

    said, background = send(world, view, **{CHOSEN: ",".join(one.id for one in asked)})

    assert isinstance(said, Say)
    assert "*2 functions approved.* Progress and results are in #team-payments." in said.text
    assert f"`f0` is being fixed already, approved by <@{BO}>" in said.text
    assert isinstance(background, Background)
    rows = [row for row in world.store.decisions.all() if row.kind is DecisionKind.BATCH]
    assert [(row.actor, len(list(row.detail["requests"]))) for row in rows] == [(ANA, 2)]  # type: ignore[call-overload]  # JSON


def test_a_function_of_another_team_needs_that_teams_approver(world: World) -> None:
    arns = [world.function(f"f{number}") for number in range(2)]
    world.audit()
    view = form(world)
    asked = [world.request(arn) for arn in arns]
    world.people.of_team = {"search": (BO,)}
    world.lambdas().tag_resource(Resource=arns[0], Tags={"team": "search"})
    world.audit()

    said, _ = send(world, view, **{CHOSEN: ",".join(one.id for one in asked)})

    assert isinstance(said, Say)
    assert "*1 function approved.*" in said.text
    assert "`f0`: Nothing was changed: You are not an approver." in said.text
    assert [(row.kind, row.actor) for row in world.history(arns[0])] == [(DecisionKind.REFUSED, ANA)]
    assert world.store.requests.get(asked[0].id).state is RequestState.OPEN

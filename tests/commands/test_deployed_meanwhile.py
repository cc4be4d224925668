"""Events beside audits, fixes and exemptions of the same functions, hostile ones, and those that nobody can keep."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.demo.aws.trail import event
from commands import fix
from commands._audits import keep_audit
from commands._renamed import follow_names
from commands._teams import TeamSettings
from commands.aws import events, inventory
from commands.aws.accounts import Cloud
from commands.deployed import MOST_ATTEMPTS
from storage.digests import Why
from storage.fixes import RequestState
from storage.models import Inventory, PostState, Source, Verdict
from tests.commands.conftest import ANA, BERLIN, HOME, NOON, SETTINGS
from tests.commands.test_deployed import Listener, arn
from tests.commands.test_deployed import listener as listener  # noqa: PLC0414 - a fixture, used by its name
from tests.commands.test_digest import digests, run

TUESDAY = date(2026, 11, 24)
RENAMED = TeamSettings(aliases={"pay": "payments"})


def all_sent(listener: Listener) -> None:
    for post in listener.store.posts.all():
        if post.state is PostState.WAITING:
            listener.sent(post)


def what_aws_says(listener: Listener) -> Inventory:
    context = listener.world.context
    return inventory.take_inventory(
        context.cloud, accounts=None, regions=None, tag_keys=context.teams.tag_keys, on_progress=None
    )


class SlowCloud(Cloud):
    """AWS takes its time, in which something happens: after it was asked, and before what it said is kept."""

    meanwhile: Callable[[], object] | None = None

    @contextmanager
    def acting_as(self, account: str) -> Iterator[None]:
        with super().acting_as(account):
            yield
        happens, self.meanwhile = self.meanwhile, None
        if happens:
            happens()


def meanwhile(listener: Listener, happens: Callable[[], object]) -> None:
    cloud = SlowCloud(SETTINGS)
    cloud.meanwhile = happens
    listener.context = replace(listener.context, cloud=cloud)


@pytest.mark.parametrize("seen_by_the_audit", [False, True])
def test_an_audit_that_runs_meanwhile_tells_nothing_again(listener: Listener, *, seen_by_the_audit: bool) -> None:
    world = listener.world
    world.function("old")
    run(world)
    all_sent(listener)
    world.clock.forward(days=1, minutes=-5)
    started = world.clock()
    seen = what_aws_says(listener)
    world.clock.forward(seconds=30)
    listener.made("refund")
    if seen_by_the_audit:
        seen = what_aws_says(listener)
    listener.hear()
    assert len(listener.posts()) == 1
    keep_audit(world.context, seen, started, source=Source.CLOCK)
    assert world.known(arn("refund")).verdict is Verdict.UNTRACED

    world.clock.forward(minutes=4)
    run(world, TUESDAY)
    all_sent(listener)
    world.clock.forward(days=1)
    run(world, date(2026, 11, 25))
    assert len(digests(world)) == 1


def test_an_audit_that_saw_it_before_does_not_hide_that_it_was_switched_off(listener: Listener) -> None:
    world = listener.world
    world.function("refund", mode="Active")
    world.audit()
    started, seen = world.clock(), what_aws_says(listener)
    world.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "PassThrough"})
    listener.receive()
    world.clock.forward(seconds=21)
    keep_audit(world.context, seen, started, source=Source.CLOCK)
    listener.look()

    assert listener.only()[1].startswith("`refund` had its tracing switched off")


def test_what_is_exempted_while_aws_is_asked_is_not_told_of(listener: Listener) -> None:
    world, store = listener.world, listener.store
    world.function("refund", mode="Active")
    world.audit()
    world.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "PassThrough"})
    end = world.clock() + timedelta(days=9)
    meanwhile(listener, lambda: store.exemptions.grant(arn("refund"), "moves", ANA, world.clock(), end))
    listener.hear()

    assert listener.posts() == []
    assert store.events.watching() == 0


def test_a_fix_that_ends_while_aws_is_asked_stays_as_it_ended(listener: Listener) -> None:
    world, store = listener.world, listener.store
    listener.made("refund")
    listener.hear()
    all_sent(listener)
    (asked,) = store.posts.requests_of(listener.posts()[0].id)
    world.aws.settle()
    world.lambdas().update_function_configuration(FunctionName="refund", MemorySize=512)
    world.aws.settle()

    def fixed() -> None:
        world.clock.forward(seconds=1)
        list(fix.approve(world.asks(value=asked), listener.context))

    meanwhile(listener, fixed)
    listener.hear()
    world.aws.settle()
    listener.hear()

    assert world.known(arn("refund")).verdict is Verdict.TRACED
    assert store.requests.get(asked).state is RequestState.APPLIED
    assert "none is untraced any more" in listener.only()[1]


def test_a_team_that_gets_another_name_is_not_told_again(listener: Listener) -> None:
    world = listener.world
    world.function("old", team="pay")
    run(world)
    listener.made("refund", team="pay")
    listener.hear()
    all_sent(listener)
    listener.context = world.context = replace(world.context, teams=RENAMED)
    follow_names(world.context)
    world.clock.forward(hours=20)
    run(world, TUESDAY)

    assert len(digests(world)) == 1
    assert listener.store.deployments.of_post(listener.posts()[0].id)[arn("refund")].team == "payments"


def test_a_clock_that_is_set_back_does_not_keep_anything_waiting(listener: Listener) -> None:
    world = listener.world
    world.clock.forward(hours=3)
    listener.made("refund")
    world.aws.fail("ServiceException", 500, service="lambda", action="GetFunctionConfiguration")
    listener.hear()
    listener.made("capture")
    listener.receive()
    world.aws.forgive()
    world.clock.forward(hours=-3)
    listener.look()
    world.clock.forward(seconds=21)
    listener.look()

    assert set(listener.store.deployments.of_post(listener.only()[0].id)) == {arn("refund"), arn("capture")}


def test_40_teams_get_a_message_each_and_every_function_is_in_one(listener: Listener) -> None:
    for number in range(300):
        listener.made(f"f-{number:03}", team=f"team-{number % 40:02}")
    listener.hear()

    posts = listener.posts()
    assert len({post.team for post in posts}) == len(posts) == 40
    assert sum(len(listener.store.deployments.of_post(post.id)) for post in posts) == 300


def of_lambda(asked: object, **detail: object) -> str:
    made = event(HOME, BERLIN, "lambda", "CreateFunction20150331", {}, NOON)
    return json.dumps(made | {"detail": made["detail"] | {"requestParameters": asked} | detail})


def of_iam(asked: object) -> str:
    made = event(HOME, "us-east-1", "iam", "DetachRolePolicy", {}, NOON)
    return json.dumps(made | {"detail": made["detail"] | {"requestParameters": asked}})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[" * 5000 + "]" * 5000,
        '{"a":' * 3000 + "1" + "}" * 3000,
        "\ud800",
        "\x00",
        '{"Type": "Notification", "Message": "a test of SNS"}',
        '{"Type": "Notification", "Message": "[1]"}',
        '{"Type": "SubscriptionConfirmation", "Message": "x", "SubscribeURL": "https://example.org"}',
        '{"Service": "Amazon S3", "Event": "s3:TestEvent"}',
        '{"detail-type": [], "detail": {}}',
        '{"detail-type": "AWS API Call via CloudTrail", "detail": []}',
        *(of_lambda(odd) for odd in (None, 1, "x", [], {}, {"functionName": []}, {"functionName": "a" * 10_000})),
        *(of_lambda({"functionName": odd}) for odd in (True, {}, "../../etc", "a\n", "\u0661\u0662", "arn:aws:lambda")),
        *(of_lambda({"functionName": "refund"}, awsRegion=odd) for odd in ("http://x", "e" * 9999, "eu-central-1\n")),
        of_lambda({"functionName": "refund"}, recipientAccountId="\u0661" * 12),
        *(of_iam(odd) for odd in (None, [], {}, {"roleName": []}, {"roleName": "x" * 10_000}, {"roleName": "../x"})),
    ],
)
def test_whatever_stands_in_the_queue_is_read_or_said_to_be_unreadable(body: str) -> None:
    try:
        found = events.read(body)
    except events.Unreadable:
        return
    assert found is not None
    assert (found.account, found.region, found.name) == (HOME, BERLIN, "refund")  # by what EventBridge says


def test_events_that_somebody_made_up_lead_to_nothing(listener: Listener) -> None:
    """Whoever may send to the queue can have AWS asked, and no more."""
    world = listener.world
    world.function("refund")
    world.audit()
    listener.context = replace(listener.context, cloud=world.configured(regions=None).cloud)
    for name in (
        "refund",  # which is known, and was not switched off
        "ghost",
        f"arn:aws:lambda:{BERLIN}:999999999999:function:refund",
        f"arn:aws-cn:lambda:cn-north-1:{HOME}:function:refund",
        f"arn:aws:lambda:xx-nowhere-9:{HOME}:function:refund",
    ):
        made = event(HOME, BERLIN, "lambda", "UpdateFunctionConfiguration20150331v2", {"functionName": name}, NOON)
        world.aws.queues.send(listener.box, json.dumps(made))
    before = len(world.aws.calls)
    listener.hear()

    assert listener.posts() == []
    assert listener.store.events.watching() == 0
    assert {call.region for call in world.aws.calls[before:]} <= {BERLIN, "us-east-1"}


def test_a_function_that_cannot_be_kept_does_not_keep_back_the_others_of_its_place(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(listener.store.path)) as other:
        other.execute(
            "create trigger stumbles before insert on deployed when new.function_arn like '%:refund' "
            "begin select raise(abort, 'nobody foresaw this'); end"
        )
    for name, team in (("refund", "payments"), ("capture", "payments"), ("rank", "search")):
        listener.made(name, team=team)
    listener.hear()

    assert {post.team for post in listener.posts()} == {"payments", "search"}
    assert listener.store.events.watching() == 1
    for _ in range(MOST_ATTEMPTS + 1):
        listener.world.clock.forward(minutes=6)
        listener.look()
    assert listener.store.events.watching() == 0
    assert f"left to the daily audit after 15 attempts: refund in {HOME}" in caplog.text


def test_what_is_given_up_is_one_line_in_the_log(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(50):
        listener.made(f"f-{number}")
    listener.world.aws.deny(service="lambda", action="ListFunctions")
    listener.hear()
    for _ in range(MOST_ATTEMPTS + 1):
        listener.world.clock.forward(minutes=6)
        listener.look()

    assert listener.store.events.watching() == 0
    assert next(line for line in caplog.messages if "left to the daily audit" in line).endswith(" and 40 more")
    assert caplog.text.count("left to the daily audit") == 1


def test_a_snooze_that_ends_is_news_though_an_event_had_told_of_the_function(listener: Listener) -> None:
    world = listener.world
    world.function("old")
    run(world)
    listener.made("refund")
    listener.hear()
    all_sent(listener)
    now = world.clock()
    listener.store.snoozes.begin(arn("refund"), "payments", ANA, now, now + timedelta(hours=44))
    world.clock.forward(hours=20)
    run(world, TUESDAY)
    assert len(digests(world)) == 1

    world.clock.forward(days=2)
    run(world, date(2026, 11, 26))
    assert list(digests(world)) == ["digest:payments:2026-11-23:1", "digest:payments:2026-11-26:1"]
    told = listener.store.digests.of_team("payments")
    assert told
    assert told.news[arn("refund")].why is Why.SNOOZE_ENDED

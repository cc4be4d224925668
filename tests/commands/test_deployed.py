"""From an event of AWS's to what a team reads: the function is read again, and told of where that is news."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from bot.demo.aws.queues import Mailbox
from bot.demo.aws.trail import event
from bot.listening import Listening
from commands import deployed, fix
from commands._drawing import draw
from commands._event_rules import EventRules
from commands._schedule import Frequency, Plan, Schedule
from commands._types import Context, Progress, Say
from commands.aws.accounts import Cloud
from commands.deployed import MOST_ATTEMPTS
from storage.events import EventOutcome
from storage.models import Decision, DecisionKind, Post, PostKind, Source
from storage.news import ChangeKind
from tests.commands.conftest import ANA, BERLIN, DAEMON, HOME, MODIFIED, NOON, OTHER, SETTINGS, VIRGINIA, World
from tests.commands.test_digest import digests, run

URL = "http://sqs.local/123456789012/lamplighter-events"


@dataclass
class Listener:
    """A bot that listens to what CloudTrail writes of the stand-in."""

    world: World
    context: Context
    box: Mailbox

    def __post_init__(self) -> None:
        self.store = self.context.store
        self.listening = Listening(self.context, lambda: None)

    def receive(self) -> int:
        with ThreadPoolExecutor(4) as pool:
            return self.listening.receive(pool, 0)

    def hear(self) -> list[str]:
        """All that has happened is received, and a quiet while later it is looked at; what was done."""
        self.receive()
        self.world.clock.forward(seconds=21)
        return self.look()

    def look(self) -> list[str]:
        asked = replace(self.world.asks("clock"), source=Source.EVENT)
        return [reply.text for reply in deployed.look(asked, self.context) if isinstance(reply, Progress)]

    def posts(self) -> list[Post]:
        return self.store.posts.all(PostKind.DEPLOYED)

    def only(self) -> tuple[Post, str, str]:
        """The one message: it, its text, and its blocks as JSON."""
        (post,) = self.posts()
        text, blocks = draw(self.context, post)
        return post, text, json.dumps(blocks, ensure_ascii=False)

    def sent(self, post: Post) -> None:
        self.store.posts.sent(post.id, "C0PAY", f"1.{post.id}", post.wanted_version)

    def made(
        self, name: str, *, mode: str = "PassThrough", team: str | None = "payments", role: str = "writes"
    ) -> None:
        """As somebody deploys it."""
        self.world.lambdas().create_function(
            FunctionName=name,
            Role=f"arn:aws:iam::{HOME}:role/{role}",
            Runtime="python3.13",
            Handler="app.handler",
            Code={"ZipFile": b"x"},
            TracingConfig={"Mode": mode},
            Tags={"team": team} if team else {},
        )


@pytest.fixture
def listener(world: World) -> Listener:
    box = world.aws.queues.create(URL)
    world.aws.trail.goes_to(box)
    return Listener(world, replace(world.context, events=EventRules(URL)), box)


def arn(name: str) -> str:
    return f"arn:aws:lambda:{BERLIN}:{HOME}:function:{name}"


def test_a_function_that_is_deployed_without_tracing_is_told_of_with_its_buttons(listener: Listener) -> None:
    listener.made("refund")
    listener.hear()

    post, text, shown = listener.only()
    assert post.channel == "#team-payments"
    assert text == f"`refund` was deployed without tracing, in {HOME} {BERLIN} (team payments)"
    for label in ("Approve fix", "Exempt…", "Not ours"):
        assert f'"text": "{label}"' in shown
    assert listener.box.bodies == []
    assert listener.store.events.counts()[EventOutcome.NOTED] == 1
    assert listener.store.events.watching() == 0


def test_a_function_that_is_deployed_traced_is_no_matter(listener: Listener) -> None:
    listener.made("refund", mode="Active")
    listener.hear()

    assert listener.posts() == []
    assert listener.world.known(arn("refund")).verdict == "traced"


def test_an_event_that_comes_again_is_told_once(listener: Listener) -> None:
    listener.made("refund")
    (body,) = listener.box.bodies
    listener.hear()
    for _ in range(3):
        listener.world.aws.queues.send(listener.box, body)
    listener.hear()
    listener.world.clock.forward(minutes=20)
    listener.hear()

    listener.only()
    assert listener.store.events.counts() == {
        EventOutcome.NOTED: 1,
        EventOutcome.AGAIN: 3,
        EventOutcome.NO_MATTER: 0,
        EventOutcome.UNREADABLE: 0,
    }


def test_what_is_created_and_then_switched_on_is_not_told_of(listener: Listener) -> None:
    listener.made("refund")
    listener.receive()
    listener.world.clock.forward(seconds=12)
    assert listener.look() == []
    listener.world.aws.settle()
    listener.world.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "Active"})
    listener.hear()

    assert listener.posts() == []
    assert listener.store.events.watching() == 0


def test_a_place_that_never_rests_is_looked_at_after_forty_seconds(listener: Listener) -> None:
    listener.made("refund")
    for number in range(4):
        listener.made(f"other-{number}", mode="Active")
        listener.receive()
        listener.world.clock.forward(seconds=11)
        listener.look()

    listener.only()
    assert listener.world.clock() - listener.store.deployments.of_post(1)[arn("refund")].at < timedelta(seconds=15)


def test_a_deployment_that_leaves_an_untraced_function_untraced_is_no_news(listener: Listener) -> None:
    listener.world.function("refund")
    listener.world.audit()
    listener.world.lambdas().update_function_configuration(FunctionName="refund", MemorySize=512)
    listener.hear()

    assert listener.posts() == []


def test_tracing_that_is_switched_off_is_told_of(listener: Listener) -> None:
    listener.world.function("refund", mode="Active")
    listener.world.audit()
    listener.world.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "PassThrough"})
    listener.hear()

    assert listener.only()[1].startswith("`refund` had its tracing switched off")


def test_a_role_that_loses_its_permission_is_told_of_for_each_of_its_functions(listener: Listener) -> None:
    world = listener.world
    for name in ("refund", "capture"):
        world.function(name, mode="Active")
    world.function("dark")
    world.function("elsewhere", mode="Active", account=OTHER)
    world.audit()
    world.role_client().detach_role_policy(RoleName="writes", PolicyArn=DAEMON)
    world.aws.settle()
    listener.hear()

    post, text, shown = listener.only()
    assert text.startswith("2 Lambda functions lost their permission to write to X-Ray")
    assert set(listener.store.deployments.of_post(post.id)) == {arn("refund"), arn("capture")}
    assert "its role lost the permission" in shown
    assert listener.store.events.watching() == 0


def test_a_permission_that_comes_back_redraws_the_message(listener: Listener) -> None:
    test_a_role_that_loses_its_permission_is_told_of_for_each_of_its_functions(listener)
    (post,) = listener.posts()
    listener.sent(post)
    listener.world.role_client().attach_role_policy(RoleName="writes", PolicyArn=DAEMON)
    listener.world.aws.settle()
    listener.hear()

    post, text, _ = listener.only()
    assert listener.world.is_to_be_redrawn(post)
    assert text.startswith("2 Lambda functions deployed: none is untraced any more")


def test_an_alias_that_is_moved_to_an_untraced_version_is_told_of(listener: Listener) -> None:
    world = listener.world
    refund = world.function("refund")
    dark = world.aws.seed_version(refund, MODIFIED)
    world.aws.seed_tracing_mode(refund, "Active", MODIFIED)
    lit = world.aws.seed_version(refund, MODIFIED)
    world.aws.seed_alias(refund, "live", lit)
    world.aws.metrics.invoked(HOME, BERLIN, "refund", lambda _hour: 10.0, qualifier="live", version=lit)
    world.audit()
    assert world.known(refund).verdict == "traced"

    world.lambdas().update_alias(FunctionName="refund", Name="live", FunctionVersion=dark)
    listener.hear()

    assert listener.only()[1].startswith("`refund` has an alias that was moved to an untraced version")


def test_a_deployment_of_300_functions_is_one_message_for_each_team_and_a_listing(listener: Listener) -> None:
    for number in range(150):
        listener.made(f"pay-{number:03}")
        listener.made(f"rank-{number:03}", team="search")
    before = len(listener.world.aws.calls)
    listener.hear()

    posts = {post.channel: post for post in listener.posts()}
    assert sorted(posts) == ["#team-payments", "#team-search"]
    text, blocks = draw(listener.context, posts["#team-search"])
    assert text.startswith("150 Lambda functions were deployed without tracing")
    assert len(blocks) < 30
    assert "And 145 others: `rank-005`" in json.dumps(blocks)
    asked = [call.action for call in listener.world.aws.calls[before:]]
    assert asked.count("GetFunctionConfiguration") == 0
    assert len(asked) < 100  # 31 receives and 30 deletes among them


def test_a_deployment_that_goes_on_is_added_to_its_message_and_the_next_one_is_another(listener: Listener) -> None:
    listener.made("refund")
    listener.hear()
    first, _, _ = listener.only()
    listener.sent(first)
    listener.world.clock.forward(minutes=4)
    listener.made("capture")
    listener.hear()

    post, text, _ = listener.only()
    assert text.startswith("2 Lambda functions were deployed without tracing")
    assert listener.world.is_to_be_redrawn(post)

    listener.world.clock.forward(minutes=6)
    listener.made("void")
    listener.hear()
    assert len(listener.posts()) == 2


def test_an_unknown_owner_is_told_in_the_fallback_channel(listener: Listener) -> None:
    listener.made("orphan", team=None)
    listener.hear()

    post, _, shown = listener.only()
    assert post.channel == "#finops"
    assert "Assign owner…" in shown
    assert '"Not ours"' not in shown


@pytest.mark.parametrize("why", ["exempt", "snoozed", "the team is snoozed", "never", "another region", "not ours"])
def test_silence(listener: Listener, why: str) -> None:
    world, now = listener.world, listener.world.clock()
    context = listener.context
    if why == "exempt":
        world.function("refund", mode="Active")
        world.audit()
        world.store.exemptions.grant(arn("refund"), "moves", ANA, now, now + timedelta(days=9))
    elif why == "snoozed":
        world.store.snoozes.begin(arn("refund"), "payments", ANA, now, now + timedelta(days=9))
    elif why == "the team is snoozed":
        world.store.snoozes.begin(None, "payments", ANA, now, now + timedelta(days=9))
    elif why == "never":
        never = Plan(frequency=Frequency.NEVER)
        listener.context = replace(context, schedule=Schedule(teams={"payments": never}))
    elif why == "another region":
        listener.context = replace(context, cloud=Cloud(replace(SETTINGS, regions=(VIRGINIA,))))
    else:
        listener.context = replace(context, cloud=Cloud(replace(SETTINGS, accounts=(OTHER,))))
    if why == "exempt":
        world.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "PassThrough"})
    else:
        listener.made("refund")
    listener.hear()

    assert listener.posts() == []
    assert listener.store.events.watching() == 0
    assert listener.store.events.counts()[EventOutcome.NOTED] == 1


def test_the_digest_does_not_tell_again_what_was_told(listener: Listener) -> None:
    world, tuesday = listener.world, date(2026, 11, 24)
    world.function("old")
    run(world)
    for post in world.store.posts.all(PostKind.DIGEST):
        listener.sent(post)
    world.clock.forward(hours=5)
    listener.made("refund")
    listener.hear()
    listener.only()
    world.clock.forward(hours=16)
    run(world, tuesday)

    (digest,) = world.store.posts.all(PostKind.DIGEST)
    assert world.is_to_be_redrawn(digest)  # it is edited, and nobody is notified
    text, blocks = draw(world.context, digest)
    assert "refund" in text
    assert "`refund`" in json.dumps(blocks)


def test_a_team_without_a_digest_gets_none_for_what_it_was_told(listener: Listener) -> None:
    world = listener.world
    world.function("lit", mode="Active")
    run(world)
    listener.made("refund")
    listener.hear()
    world.clock.forward(days=1)
    run(world, date(2026, 11, 24))
    assert digests(world) == {}

    world.clock.forward(days=6)
    run(world, date(2026, 11, 30))  # the weekly day
    assert list(digests(world)) == ["digest:payments:2026-11-30:1"]


def test_the_digest_tells_of_what_no_event_told(listener: Listener) -> None:
    world = listener.world
    world.function("old")
    run(world)
    world.clock.forward(hours=1)
    world.aws.trail.goes_to(None)
    listener.made("refund")
    world.clock.forward(days=1)
    run(world, date(2026, 11, 24))

    assert len(digests(world)) == 2


def test_what_the_digest_has_told_of_no_event_tells_again(listener: Listener) -> None:
    listener.made("refund")
    listener.receive()
    run(listener.world)
    assert len(digests(listener.world)) == 1
    listener.hear()

    assert listener.posts() == []


def test_what_is_traced_before_slack_has_the_message_is_never_posted(listener: Listener) -> None:
    listener.made("refund")
    listener.hear()
    listener.world.aws.settle()
    listener.world.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "Active"})
    listener.hear()
    listener.look()

    assert [post.state for post in listener.posts()] == ["abandoned"]


def test_a_function_that_is_deleted_is_gone_and_its_message_says_so(listener: Listener) -> None:
    listener.made("refund")
    listener.hear()
    (post,) = listener.posts()
    listener.sent(post)
    listener.world.lambdas().delete_function(FunctionName="refund")
    listener.hear()

    assert listener.store.functions.get(arn("refund")) is None
    assert listener.world.is_to_be_redrawn(listener.store.posts.get(post.id))
    assert "none is untraced any more" in listener.only()[1]


def test_what_aws_does_not_say_now_is_asked_again(listener: Listener) -> None:
    listener.made("refund")
    listener.world.aws.fail("ServiceException", 500, service="lambda", action="GetFunctionConfiguration")
    listener.hear()
    assert listener.posts() == []
    assert listener.store.events.watching() == 1
    listener.world.aws.forgive()
    listener.look()
    assert listener.posts() == []  # not yet
    listener.world.clock.forward(seconds=6)
    listener.look()

    listener.only()
    assert listener.store.events.watching() == 0


def test_what_aws_will_not_say_is_left_to_the_audit(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    listener.made("refund")
    listener.world.aws.deny(service="lambda", action="GetFunctionConfiguration")
    listener.hear()

    assert listener.posts() == []
    assert listener.store.events.watching() == 0
    assert "AWS will not say how it is" in caplog.text


def test_what_somebody_undid_here_is_not_held_against_anybody(listener: Listener) -> None:
    world = listener.world
    refund = world.function("refund", mode="Active")
    world.audit()
    at = world.clock()
    world.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "PassThrough"})
    for kind in (DecisionKind.APPLIED, DecisionKind.UNDONE):
        world.store.decisions.record(Decision(kind, at, ANA, refund))
    listener.hear()

    assert listener.posts() == []


def test_not_ours_says_what_makes_it_theirs(listener: Listener) -> None:
    listener.made("refund")
    listener.hear()
    (asked,) = listener.store.posts.requests_of(listener.posts()[0].id)
    (said,) = deployed.not_ours(listener.world.asks(value=asked), listener.context)

    assert isinstance(said, Say)
    assert said.text.startswith("`refund` is taken to be of *payments* because its tag says so.")


def test_a_fix_from_the_message_redraws_it(listener: Listener) -> None:
    listener.made("refund")
    listener.hear()
    (post,) = listener.posts()
    listener.sent(post)
    listener.world.aws.settle()
    (asked,) = listener.store.posts.requests_of(post.id)
    list(fix.approve(listener.world.asks(value=asked), listener.context))
    listener.hear()  # the fix's own events

    _, text, shown = listener.only()
    assert "none is untraced any more" in text
    assert "*Active since" in shown
    assert listener.world.mode(arn("refund")) == "Active"


def test_what_went_to_another_team_has_no_row_in_the_message(listener: Listener) -> None:
    listener.made("refund")
    listener.made("capture")
    listener.hear()
    listener.world.lambdas().tag_resource(Resource=arn("refund"), Tags={"team": "search"})
    listener.hear()

    (first, *_) = listener.posts()
    text, blocks = draw(listener.context, first)
    assert text.startswith("`capture` was deployed without tracing")
    assert "1 went to other teams" in json.dumps(blocks)


def test_a_team_that_only_its_stack_names_is_found(listener: Listener) -> None:
    world = listener.world
    marks = world.aws.seed_stack(HOME, BERLIN, "search-api", {"team": "search"})
    world.lambdas().create_function(
        FunctionName="rank",
        Role=f"arn:aws:iam::{HOME}:role/writes",
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": b"x"},
        Tags=marks,
    )
    listener.hear()

    assert [post.channel for post in listener.posts()] == ["#team-search"]


def test_tags_that_the_listing_does_not_know_yet_are_asked_for(listener: Listener) -> None:
    for number in range(12):
        listener.made(f"pay-{number:02}")
    listener.world.aws.deny(service="resourcegroupstaggingapi")
    listener.hear()

    assert [post.channel for post in listener.posts()] == ["#team-payments"]
    assert len(listener.store.deployments.of_post(1)) == 12


def test_a_place_that_cannot_be_listed_is_asked_again(listener: Listener) -> None:
    for number in range(12):
        listener.made(f"pay-{number:02}")
    listener.world.aws.deny(service="lambda", action="ListFunctions")
    listener.hear()
    assert listener.posts() == []
    assert listener.store.events.watching() == 12

    listener.world.aws.forgive()
    listener.world.clock.forward(seconds=6)
    listener.look()
    assert len(listener.store.deployments.of_post(1)) == 12


def test_what_cannot_be_read_for_an_hour_is_left_to_the_audit(listener: Listener) -> None:
    listener.made("refund")
    listener.world.aws.fail("ServiceException", 500, service="lambda", action="GetFunctionConfiguration")
    listener.hear()
    for _ in range(MOST_ATTEMPTS + 1):
        listener.world.clock.forward(minutes=6)
        listener.look()

    assert listener.store.events.watching() == 0


def test_an_event_that_comes_while_aws_is_asked_is_looked_at_after(listener: Listener) -> None:
    listener.made("refund")
    listener.receive()
    listener.world.clock.forward(seconds=21)
    (due,) = listener.store.events.due(listener.world.clock(), timedelta(seconds=20))
    again = event(HOME, BERLIN, "lambda", "UpdateFunctionConfiguration", {"functionName": "refund"}, NOON)
    listener.world.aws.queues.send(listener.box, json.dumps(again))
    listener.receive()
    listener.store.events.done(due, "untraced")

    assert listener.store.events.watching() == 1


def test_hostile_names_of_teams_do_nothing_in_the_message(listener: Listener) -> None:
    listener.made("refund", team="<!channel> *x*")
    listener.hear()

    _, text, shown = listener.only()
    assert "<!channel>" not in text + shown


def test_the_digest_that_lives_gets_a_row_for_it_and_no_new_one_comes(listener: Listener) -> None:
    world = listener.world
    world.function("old")
    run(world)
    (digest,) = world.store.posts.all(PostKind.DIGEST)
    listener.sent(digest)
    listener.made("refund")
    listener.hear()

    assert world.is_to_be_redrawn(digest)
    text, blocks = draw(world.context, digest)
    assert text.startswith("2 Lambda functions of payments without active tracing")
    assert "`refund`" in json.dumps(blocks)
    assert "other" not in json.dumps(blocks)


def test_an_audit_calls_it_new_and_not_another_of_its_name(listener: Listener) -> None:
    world = listener.world
    world.function("old")
    world.audit()
    listener.made("refund")
    listener.hear()
    taken = world.audit()

    (change,) = world.store.changes.since_last(taken.id).changes
    assert (change.function_arn, change.kind, change.detail) == (arn("refund"), ChangeKind.NEW, {})
    assert world.store.changes.since_last(world.audit().id).changes == ()

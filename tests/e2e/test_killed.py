"""A fix, and its undo, whose process is killed around every one of their changes: before the change reaches AWS, and
when it was made and not yet answered."""

import signal
from collections.abc import Callable, Sequence

import pytest
from moto.awslambda.exceptions import UnknownFunctionException

from bot.demo.people import ANA
from bot.demo.slack import Message
from commands.views.actions import APPROVE, UNDO
from storage.models import DecisionKind, MayWrite
from tests.e2e.scene import Scene, wait_for, words

PROD = "482915067331"
NAME = "nightly-report"
FIX = ("AttachRolePolicy", "UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias")
BACK = ("UpdateAlias", "UpdateFunctionConfiguration", "DetachRolePolicy")


def seeded(scene: Scene) -> str:
    """An untraced function of the payments team whose role may not write to X-Ray, and whose alias serves a version
    that is as $LATEST is."""
    aws = scene.aws
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = aws.create_role(PROD, "nightly-report", trust)
    spec = {
        "FunctionName": NAME,
        "Runtime": "python3.13",
        "Role": role,
        "Handler": "app.handler",
        "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
        "Tags": {"team": "payments"},
    }
    arn = aws.seed_function(PROD, "eu-central-1", spec, aws.now())
    aws.seed_alias(arn, "live", aws.seed_version(arn, aws.now()))
    return arn


def once(scene: Scene) -> list[str]:
    """The changes that AWS was asked for, in their order; but for those of which a second one changes nothing: to
    publish what was published, and to detach what is detached."""
    counted = {*FIX, *BACK} - {"PublishVersion", "DetachRolePolicy"}
    return [call.action for call in scene.aws.calls if call.action in counted]


def asked(scene: Scene) -> Message | None:
    """The message in which the fix was asked for; the digest shows the function too."""
    found = scene.workspace.messages(scene.channel("team-payments"))
    return next((one for one in found if "asks to turn on active tracing" in one.text), None)


def killed_around(scene: Scene, actions: Sequence[str], begin: Callable[[], object]) -> None:
    """What `begin` sets going is killed before and after each action, and taken up by a new process each time."""
    points = [(action, done) for action in actions for done in (False, True)]
    hold = scene.aws.hold(points[0][0], done=points[0][1])
    begin()
    for following in [*points[1:], None]:
        assert hold.reached.wait(60), f"{hold.action} was never called\n{scene.logged()[-3000:]}"
        scene.stop_bot(signal.SIGKILL)
        hold.let_go(lost=not hold.done)
        if following:
            hold = scene.aws.hold(following[0], done=following[1])
        scene.start_bot()


def test_a_fix_and_its_undo_survive_being_killed_around_every_change(quiet_scene: Scene) -> None:
    scene = quiet_scene
    arn = seeded(scene)
    scene.start_bot()
    scene.until_posted()
    scene.answer(ANA, "team-payments", f"/trace-fix {NAME} blind at night", "clicks there")
    request = wait_for(lambda: asked(scene), 20)

    killed_around(scene, FIX, lambda: scene.slack.acting_as(ANA).click(request, APPROVE))

    def message() -> Message:
        now = scene.workspace.message(request.channel, request.ts, ANA)
        assert now
        return now

    wait_for(lambda: f"approved by <@{ANA}>" in words(message()) and UNDO in str(message().blocks), 60)
    assert once(scene) == ["AttachRolePolicy", "UpdateFunctionConfiguration", "UpdateAlias"]
    with pytest.raises(UnknownFunctionException):
        scene.aws.function(f"{arn}:3")
    assert scene.aws.function(arn)["TracingConfig"]["Mode"] == "Active"
    live = scene.aws.function(f"{arn}:live")
    assert (live["Version"], live["TracingConfig"]["Mode"]) == ("2", "Active")
    kinds = [one.kind for one in scene.history(arn)]
    assert kinds == [DecisionKind.REQUESTED, DecisionKind.APPROVED, DecisionKind.APPLIED]

    scene.slack.wait_until_connected()
    killed_around(scene, BACK, lambda: scene.slack.acting_as(ANA).click(message(), UNDO))

    wait_for(lambda: [one for one in scene.history(arn) if one.kind is DecisionKind.UNDONE], 60)
    assert once(scene)[3:] == ["UpdateAlias", "UpdateFunctionConfiguration"]
    assert scene.aws.function(arn)["TracingConfig"]["Mode"] == "PassThrough"
    assert scene.aws.function(f"{arn}:live")["Version"] == "1"
    assert scene.function(NAME).role_may_write is MayWrite.NO
    kinds = [one.kind for one in scene.history(arn)]
    assert kinds[3:] == [DecisionKind.UNDO, DecisionKind.UNDONE]
    with scene.memory() as store:
        assert store.decisions.verify() is None

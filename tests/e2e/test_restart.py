"""What a restart must not lose or repeat."""

import signal

from bot.demo.people import ANA
from commands.views.actions import APPROVE
from commands.views.digest import REVIEW
from commands.views.review import ALL
from storage.fixes import RequestState
from storage.models import DecisionKind
from tests.e2e.scene import Scene, wait_for, words

PROD = "482915067331"


def test_a_restart_posts_no_second_digest_and_ends_within_seconds(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()
    before = scene.digests_by_channel()
    assert before["team-payments"] == 1

    assert scene.stop_bot(signal.SIGTERM) == 0
    scene.start_bot()
    wait_for(lambda: scene.logged().count("Lamplighter is ready") == 2, 30)
    scene.answer(ANA, "finops", "/trace-audit", "Tracing coverage")

    assert scene.digests_by_channel() == before


def test_a_fix_that_was_cut_short_is_taken_up_and_done_once(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()
    function = scene.function("refund-worker", PROD)
    scene.click(ANA, scene.digest("payments"), APPROVE, function.name, PROD)
    wait_for(lambda: [one for one in scene.aws.calls if one.action == "AttachRolePolicy"], 30, "the role to be changed")

    scene.stop_bot(signal.SIGKILL)
    assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "PassThrough"
    scene.start_bot()

    wait_for(lambda: "Active since" in scene.row(scene.digest("payments"), function.name, PROD), 60)
    assert f"approved by <@{ANA}>" in scene.row(scene.digest("payments"), function.name, PROD)
    assert [one.kind for one in scene.history(function.arn)] == [DecisionKind.APPROVED, DecisionKind.APPLIED]
    assert scene.logged().count(f"set TracingConfig of {function.arn} to Active") == 1
    assert len([one for one in scene.aws.calls if one.action == "AttachRolePolicy"]) == 1


def amid_a_batch(scene: Scene) -> None:
    """All of the payments team's functions are approved together, and the first fix of them is under way."""
    scene.start_bot()
    scene.until_posted()
    ana = scene.slack.acting_as(ANA)
    ana.click(scene.digest("payments"), REVIEW)
    view = wait_for(lambda: next((one for one in [ana.modal()] if one["callback_id"]), None))
    assert ana.submit(view["id"], **{ALL: [{"value": "all"}]}).ok
    wait_for(lambda: [one for one in scene.aws.calls if one.action.startswith("UpdateFunctionConf")], 30, "a fix")


def test_a_batch_that_was_cut_short_is_taken_up_and_each_fix_done_once(quiet_scene: Scene) -> None:
    scene = quiet_scene
    amid_a_batch(scene)

    scene.stop_bot(signal.SIGKILL)
    with scene.memory() as store:
        (batch,) = store.batches.unfinished()
        assert store.batches.running(batch.id)
        members = len(store.batches.members(batch.post))
    scene.start_bot()

    def ended() -> str:
        messages = scene.workspace.messages(scene.channel("team-payments"))
        return next((words(one) for one in messages if f"of {members} Lambda functions fixed" in words(one)), "")

    shown = wait_for(ended, 90, "the batch to end")
    with scene.memory() as store:
        came = {one.id: one for one in store.batches.members(batch.post)}
        refused = [one.outcome for one in came.values() if one.state is RequestState.FAILED]
        assert ["an explicit Deny in policy `payments-pci`" in why for why in refused] == [
            True
        ]  # one role of the demo's
        for one in came.values():
            ended_as = DecisionKind.FAILED if one.state is RequestState.FAILED else DecisionKind.APPLIED
            assert [row.kind for row in store.decisions.of_request(one.id)] == [DecisionKind.APPROVED, ended_as]
        assert store.batches.unfinished() == []
        assert store.decisions.verify() is None
    assert f"{members - 1} of {members} Lambda functions fixed" in shown
    assert scene.logged().count("to Active, request") == members - 1
    assert scene.slack.faults == []


def test_sigterm_lets_a_running_fix_end(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()
    function = scene.function("refund-worker", PROD)
    scene.click(ANA, scene.digest("payments"), APPROVE, function.name, PROD)
    wait_for(lambda: [one for one in scene.aws.calls if one.action == "AttachRolePolicy"], 30, "the role to be changed")

    assert scene.stop_bot(signal.SIGTERM) == 0

    assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "Active"
    with scene.memory() as store:
        assert [one.state for one in store.requests.running()] == []
        request = store.requests.get(store.decisions.history(function.arn)[-1].request_id)
        assert request.state is RequestState.APPLIED
    assert "Active since" in scene.row(scene.digest("payments"), function.name, PROD)


def test_sigterm_amid_a_batch_ends_what_has_begun_and_leaves_the_rest_to_the_next_start(quiet_scene: Scene) -> None:
    scene = quiet_scene
    amid_a_batch(scene)

    assert scene.stop_bot(signal.SIGTERM) == 0

    assert "cut short" not in scene.logged()
    with scene.memory() as store:
        (batch,) = store.batches.unfinished()
        left = store.batches.running(batch.id)
        assert left
        assert all(one.queued for one in left)
        assert len(left) < len(store.batches.members(batch.post))


def test_sigterm_lets_a_running_audit_end(quiet_scene: Scene) -> None:
    scene = quiet_scene
    hold = scene.aws.hold("ListFunctions", done=False)
    scene.start_bot()
    assert hold.reached.wait(60)
    assert scene.bot

    scene.bot.send_signal(signal.SIGTERM)
    wait_for(lambda: "running fixes finish first" in scene.logged())
    hold.let_go()

    assert scene.bot.wait(40) == 0
    with scene.memory() as store:
        assert store.audits.latest()
    assert "closed database" not in scene.logged()

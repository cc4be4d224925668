"""A batch whose process is told to stop: what has begun is ended, and what has not is left to the next one."""

import threading

from storage.models import DecisionKind
from tests.commands.conftest import World
from tests.commands.test_batch import approved, context, delays, fixed
from tests.e2e.scene import wait_for

__all__ = ["context", "delays"]  # the fixtures


def test_beside_a_step_that_still_runs_nothing_more_begins(world: World) -> None:
    for number in range(3):
        world.function(f"f{number}", role="writes" if number else "mute")  # f2 waits for f1
    world.audit()
    slow = world.aws.hold("AttachRolePolicy", done=False)
    quick = world.aws.hold("UpdateFunctionConfiguration", done=False)
    batch, background = approved(world)
    runner = threading.Thread(target=background.run)
    runner.start()
    assert slow.reached.wait(20)
    assert quick.reached.wait(20)

    world.context.ending.set()
    quick.let_go()
    wait_for(lambda: [one.kind for one in world.store.decisions.all()].count(DecisionKind.APPLIED) == 1)
    slow.let_go()
    runner.join(20)

    assert sorted(fixed(world)) == ["f0", "f1"]
    assert world.store.batches.unfinished() == [batch]
    assert [one.queued for one in world.store.batches.running(batch.id)] == [True]

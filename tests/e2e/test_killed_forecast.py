"""A first day whose process is killed when its audit is kept and its forecasts are not."""

import signal
from collections import Counter

from storage.models import PostKind
from tests.e2e.scene import Scene, wait_for


def test_after_a_restart_every_forecast_is_there_and_each_team_has_one_digest(quiet_scene: Scene) -> None:
    scene = quiet_scene
    hold = scene.aws.hold("GetMetricData", done=False)
    scene.start_bot()
    assert hold.reached.wait(60), scene.logged()[-3000:]
    scene.stop_bot(signal.SIGKILL)
    hold.let_go(lost=True)
    with scene.memory() as store:
        audit = store.audits.latest()
        assert audit
        assert store.posts.all(PostKind.DIGEST) == []

    scene.start_bot()
    scene.until_posted(60)

    with scene.memory() as store:
        again = store.audits.latest()
        assert again
        assert again.id == audit.id  # nothing that was kept is asked for twice
        wait_for(lambda: store.forecasts.kept() == len(store.functions.traceable()), 40, "the forecasts")
        assert set(Counter(one.team for one in store.posts.all(PostKind.DIGEST)).values()) == {1}
    assert scene.slack.faults == []

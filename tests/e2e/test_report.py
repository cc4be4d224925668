"""A report from end to end: asked for, shared, posted by the clock, and not twice after the process was killed."""

import signal

from bot.demo.people import ANA, GUEST
from bot.demo.slack import Message
from commands.views.report import SHARE
from tests.e2e.scene import Scene, wait_for, words


def reports(scene: Scene, channel: str) -> list[Message]:
    return [one for one in scene.workspace.messages(scene.channel(channel)) if one.bot and "Tracing report" in one.text]


def has_pictures(message: Message) -> bool:
    return any(block["type"] == "image" for block in message.blocks)


def replies(scene: Scene, message: Message) -> list[Message]:
    return [one for one in scene.workspace.replies(message.channel, message.ts) if one.ts != message.ts]


def test_it_is_asked_for_shared_once_and_posted_weekly_once(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.configure(('weekly = "never" # ', ""))
    scene.start_bot()
    scene.until_posted()

    answer = scene.answer(ANA, "team-payments", "/trace-report payments", "Tracing report of *payments*")
    assert "Coverage" in words(answer)
    assert "no window of time" in words(scene.answer(ANA, "team-payments", "/trace-report 3d", "no window of time"))
    scene.answer(GUEST, "team-payments", "/trace-report", "Guests")
    assert scene.slack.acting_as(ANA).click(answer, SHARE).ok
    wait_for(lambda: any(map(has_pictures, reports(scene, "team-payments"))), 30, "the shared report's picture")
    (shared,) = reports(scene, "team-payments")
    assert f"shared by <@{ANA}>" in words(shared)
    (reply,) = replies(scene, shared)
    assert [one.name.rpartition(".")[2] for one in reply.files][-1] == "csv"
    assert "payments" in reply.files[0].alt_txt

    # The clock looks at each start.
    scene.stop_bot(signal.SIGKILL)
    scene.start_bot()
    wait_for(lambda: any(map(has_pictures, reports(scene, "finops"))), 40, "the weekly report's picture")
    scene.stop_bot(signal.SIGKILL)
    scene.start_bot()
    wait_for(lambda: scene.logged().count("Lamplighter is ready") == 3, 30)
    scene.answer(ANA, "finops", "/trace-report", "Tracing report of all teams")

    (weekly,) = reports(scene, "finops")
    assert len(replies(scene, weekly)) == 1
    assert len(reports(scene, "team-payments")) == 1
    assert scene.slack.faults == []

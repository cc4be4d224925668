"""The history from end to end: asked for in Slack, turned, posted as a file; printed and checked in a terminal."""

import json

from bot.demo.people import ANA, GUEST
from bot.demo.slack import Message
from commands.views.history import POST, SHOW
from tests.e2e.scene import Scene, wait_for, words

FUNCTION, PROD = "settlement-export", "482915067331"
BUSY = "psp-webhook-replay"


def files(scene: Scene, channel: str) -> list[Message]:
    return [one for one in scene.workspace.messages(scene.channel(channel)) if one.bot and one.files]


def test_who_decided_what_is_shown_posted_written_and_proved(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()
    scene.answer(ANA, "team-payments", f"/trace-fix {FUNCTION} {PROD} we were blind in OPS-1234", "Asked in")

    page = scene.answer(ANA, "team-payments", f"/trace-history {FUNCTION} {PROD} @ana since 1d", "1 decision:")
    said = words(page)
    assert f"<@{ANA}> asked for a fix of `{FUNCTION}`" in said
    assert "“we were blind in OPS-1234” · allowed by `any full member of the workspace may`" in said
    scene.answer(GUEST, "team-payments", "/trace-history", "Guests")
    scene.answer(ANA, "team-payments", "/trace-history help", "/trace-history payments 4w csv")
    card = scene.answer(ANA, "team-payments", f"/trace-audit {BUSY}", f"`{BUSY}`: traced")
    assert scene.slack.acting_as(ANA).click(card, SHOW).ok
    scene.told(ANA, "team-payments", f"No decision was found. Searched for: `{BUSY}`")

    assert scene.slack.acting_as(ANA).click(page, POST).ok
    wait_for(lambda: files(scene, "team-payments"), 30, "the file")
    (message,) = files(scene, "team-payments")
    assert message.files[0].name.endswith(".csv")
    assert f"<@{ANA}> asked for 1 decision as CSV" in words(message)
    assert f",requested,{ANA},arn:aws:lambda:" in message.files[0].content.decode()

    written = scene.run_cli("history", FUNCTION, PROD, "--format", "jsonl")  # beside the bot that runs
    told = [json.loads(line) for line in written.stdout.splitlines()]
    assert [(one["kind"], one["actor"], one["team"]) for one in told] == [("requested", ANA, "payments")]
    proved = scene.run_cli("verify", "--expect", f"{told[0]['id']}:{told[0]['hash']}")
    assert (proved.returncode, proved.stderr) == (0, "")
    assert "As expected" in proved.stdout
    assert scene.slack.faults == []

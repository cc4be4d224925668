"""A trace map from end to end: asked for in Slack, shared with its picture once, and printed in a terminal."""

import json
from pathlib import Path

from bot.demo.people import ANA, GUEST
from bot.demo.slack import Message
from commands.views.map import SHARE
from storage.maps import LAMBDA
from tests.e2e.scene import Scene, wait_for, words

BUSY = "psp-webhook-replay"


def maps(scene: Scene, channel: str) -> list[Message]:
    return [one for one in scene.workspace.messages(scene.channel(channel)) if one.bot and "traced invoc" in one.text]


def has_picture(message: Message) -> bool:
    return any(block["type"] == "image" for block in message.blocks)


def test_it_is_asked_for_and_shared_with_its_picture_once(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()

    answer = scene.answer(ANA, "team-payments", f"/trace-map {BUSY}", "Trace map of")
    said = words(answer)
    assert "`payments` (DynamoDB table)" in said
    assert "Most failing: " in said
    scene.answer(GUEST, "team-payments", f"/trace-map {BUSY}", "Guests")
    assert "It is not traced" in words(scene.answer(ANA, "team-payments", "/trace-map card-tokenizer", "not traced"))
    assert scene.slack.acting_as(ANA).click(answer, SHARE).ok
    wait_for(lambda: any(map(has_picture, maps(scene, "team-payments"))), 30, "the map's picture")

    (shared,) = maps(scene, "team-payments")
    (image,) = [block for block in shared.blocks if block["type"] == "image"]
    assert "fraud-scorer (Lambda function)" in image["alt_text"]
    (reply,) = [one for one in scene.workspace.replies(shared.channel, shared.ts) if one.ts != shared.ts]
    assert [one.name.rpartition(".")[2] for one in reply.files] == ["png"]
    card = words(scene.answer(ANA, "team-payments", f"/trace-audit {BUSY}", f"`{BUSY}`: traced"))
    assert "*Instrumented:* X-Ray's graph of the last 6 hours has its calls" in card
    assert scene.slack.faults == []


def test_a_terminal_prints_it_and_writes_the_picture(quiet_scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "map.png"

    printed = quiet_scene.run_cli("map", "ledger-writer", "--png", str(file))
    told = json.loads(quiet_scene.run_cli("map", "ledger-writer", "--json", "--hours", "12").stdout)

    assert printed.returncode == 0, printed.stderr
    assert "Trace map: ledger-writer, 482915067331 · eu-central-1, 6 hours to" in printed.stdout
    assert "refund-worker (Lambda function): no traces. May call it, and sends no traces." in printed.stdout
    assert "ledger@eu-central-1 (SQL database): " in printed.stdout
    assert file.read_bytes().startswith(b"\x89PNG")
    assert {one["name"] for one in told["silent"] if one["kind"] == LAMBDA} == {"refund-worker"}
    assert told["around"]["own"]["calls"] > 0


def test_a_terminal_says_why_there_is_none_or_which_is_meant(quiet_scene: Scene) -> None:
    dark = quiet_scene.run_cli("map", "card-tokenizer")
    unknown = quiet_scene.run_cli("map", "ledger-writr")
    several = quiet_scene.run_cli("map", "capture-webhook")

    assert (dark.returncode, unknown.returncode, several.returncode) == (1, 2, 2)
    assert "It is not traced: its tracing mode is PassThrough." in dark.stderr
    assert "lamplighter: there is no function ledger-writr. Did you mean ledger-writer?" in unknown.stderr
    assert "3 functions are called capture-webhook: say which with --account and --region." in several.stderr

"""What a restart, an outage or a refusal must not lose or repeat."""

import signal
import sqlite3
from pathlib import Path

import pytest

from bot.demo.people import ANA
from bot.demo.show import ROOT
from bot.demo.slack import BOT_USER_ID, Channel
from commands.views.actions import APPROVE
from commands.views.digest import REVIEW
from commands.views.review import ALL
from storage.fixes import RequestState
from storage.models import DecisionKind
from tests.e2e.scene import Scene, wait_for, words

PROD = "482915067331"


def digests_by_channel(scene: Scene) -> dict[str, int]:
    return {
        channel.name: sum(
            "without active tracing" in words(one) for one in scene.workspace.messages(channel.id) if one.bot
        )
        for channel in scene.workspace.channels()
    }


def test_a_restart_posts_no_second_digest_and_ends_within_seconds(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()
    before = digests_by_channel(scene)
    assert before["team-payments"] == 1

    assert scene.stop_bot(signal.SIGTERM) == 0
    scene.start_bot()
    wait_for(lambda: scene.logged().count("Lamplighter is ready") == 2, 30)
    scene.answer(ANA, "finops", "/trace-audit", "Tracing coverage")

    assert digests_by_channel(scene) == before


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


def test_a_batch_that_was_cut_short_is_taken_up_and_each_fix_done_once(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()
    ana = scene.slack.acting_as(ANA)
    ana.click(scene.digest("payments"), REVIEW)
    view = wait_for(lambda: next((one for one in [ana.modal()] if one["callback_id"]), None))
    assert ana.submit(view["id"], **{ALL: [{"value": "all"}]}).ok
    wait_for(lambda: [one for one in scene.aws.calls if one.action.startswith("UpdateFunctionConf")], 30, "a fix")

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


def test_slack_away_at_the_start_is_waited_for(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.slack.go_away()
    scene.start_bot()
    wait_for(lambda: "cannot be reached" in scene.logged(), 20)
    assert scene.bot
    assert scene.bot.poll() is None

    scene.slack.come_back()

    scene.until_posted(60)
    assert digests_by_channel(scene)["team-search"] == 1


def test_a_denied_account_is_shown_as_not_seen_and_the_others_are_audited(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.aws.deny(account="482915067331", service="lambda", action="ListFunctions", region="us-east-1")
    scene.start_bot()
    scene.until_posted()

    shown = words(scene.digest("payments"))
    assert "Not fully seen: 482915067331 us-east-1" in shown
    assert "AccessDenied" in shown
    assert "tax-quote" not in shown
    assert "`refund-worker`" in shown


def test_a_rate_limited_post_arrives_later(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.slack.fail_next("chat.postMessage", error="ratelimited", status=429, retry_after=2, times=3)
    scene.start_bot()
    scene.until_posted(60)

    assert sum(digests_by_channel(scene).values()) == 7
    assert scene.slack.faults == []


def test_where_no_channel_takes_it_a_digest_waits(quiet_scene: Scene) -> None:
    scene = quiet_scene
    finops = next(one for one in scene.workspace.channels() if one.name == "finops")
    finops.members.discard(BOT_USER_ID)
    scene.start_bot()
    wait_for(lambda: "The fallback channel #finops takes no posts" in scene.logged(), 40)

    scene.workspace.put_channel(Channel(finops.id, "finops", finops.topic, members={*finops.members, BOT_USER_ID}))

    scene.until_posted(60)
    assert digests_by_channel(scene)["finops"] == 2


def test_missing_scopes_are_said_once_in_the_log_and_the_fallback_channel(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yml"
    lines = (ROOT / "manifest.yml").read_text().splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if "- usergroups:read" not in line))
    with Scene(tmp_path, manifest) as scene:
        scene.start_bot()
        scene.until_posted()
        shown = "\n".join(words(one) for one in scene.workspace.messages(scene.channel("finops")))

        assert shown.count("Slack scopes are missing: usergroups:read") == 1
        assert "Slack scopes are missing: usergroups:read" in scene.logged()


def test_two_bots_on_one_database_is_refused_in_one_line(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.start_bot()
    scene.until_posted()
    slack = {key: value for key, value in scene.environment.items() if key.startswith("SLACK_")}

    second = scene.run_cli("run", **slack)

    assert second.returncode == 2
    assert "another Lamplighter runs on this database" in second.stderr


@pytest.mark.parametrize("name", ["xoxb-wrong"])
def test_a_token_that_slack_refuses_ends_the_start_with_one_line(quiet_scene: Scene, name: str) -> None:
    slack = {key: value for key, value in quiet_scene.environment.items() if key.startswith("SLACK_")}

    ended = quiet_scene.run_cli("run", **{**slack, "SLACK_BOT_TOKEN": name})

    assert ended.returncode == 2
    assert "SLACK_BOT_TOKEN: Slack answers invalid_auth" in ended.stderr.splitlines()[-1]
    assert name not in ended.stderr


def test_the_database_holds_no_values_of_environment_variables(quiet_scene: Scene) -> None:
    quiet_scene.run_cli("audit", "--json")
    database = sqlite3.connect(quiet_scene.environment["LAMPLIGHTER_DATABASE"])
    rows = database.execute("select environment_keys from functions where environment_keys <> '[]'").fetchall()
    database.close()

    assert rows
    assert quiet_scene.fleet.canary not in str(rows)

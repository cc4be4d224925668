"""What a start makes of Slack being away or refusing, of AWS refusing, and of a database that is taken."""

import sqlite3
from pathlib import Path

import pytest

from bot.demo.show import ROOT
from bot.demo.slack import BOT_USER_ID, Channel
from bot.only_one import OnlyOne
from storage.lock import lock_of
from tests.e2e.scene import Scene, wait_for, words


def test_slack_away_at_the_start_is_waited_for(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.slack.go_away()
    scene.start_bot()
    wait_for(lambda: "cannot be reached" in scene.logged(), 20)
    assert scene.bot
    assert scene.bot.poll() is None

    scene.slack.come_back()

    scene.until_posted(60)
    assert scene.digests_by_channel()["team-search"] == 1


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

    assert sum(scene.digests_by_channel().values()) == 7
    assert scene.slack.faults == []


def test_where_no_channel_takes_it_a_digest_waits(quiet_scene: Scene) -> None:
    scene = quiet_scene
    finops = next(one for one in scene.workspace.channels() if one.name == "finops")
    finops.members.discard(BOT_USER_ID)
    scene.start_bot()
    wait_for(lambda: "The fallback channel #finops takes no posts" in scene.logged(), 40)

    scene.workspace.put_channel(Channel(finops.id, "finops", finops.topic, members={*finops.members, BOT_USER_ID}))

    scene.until_posted(60)
    assert scene.digests_by_channel()["finops"] == 2


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


def test_where_the_file_of_the_lock_was_deleted_the_bot_that_lost_it_ends(quiet_scene: Scene) -> None:
    scene = quiet_scene
    database = Path(scene.environment["LAMPLIGHTER_DATABASE"])
    scene.start_bot()
    scene.until_posted()
    assert scene.bot

    lock_of(database).unlink()
    with OnlyOne(database):
        assert scene.bot.wait(40) == 2

    assert "another Lamplighter runs on this database" in scene.logged().splitlines()[-1]


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

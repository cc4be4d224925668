"""HTTP instead of Socket Mode: the same bot, reached by signed requests."""

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bot.demo.people import ANA
from tests.e2e.scene import ROOT, Scene, wait_for
from tests.ports import free_port


@pytest.fixture
def port() -> int:
    return free_port()


def test_over_http_commands_are_answered_and_unsigned_requests_are_not(tmp_path: Path, port: int) -> None:
    with Scene(tmp_path, request_url=f"http://127.0.0.1:{port}/slack/events") as scene:
        with (tmp_path / "lamplighter.toml").open("a") as config:
            config.write(f'\n[slack]\nlisten = "127.0.0.1:{port}"\n')
        scene.start_bot(SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=scene.slack.signing_secret)
        wait_for(lambda: "Lamplighter is ready" in scene.logged(), 30)

        scene.answer(ANA, "finops", "/trace-audit help", "/trace-audit")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as healthy:
            assert healthy.read() == b"ok"
        forged = urllib.request.Request(
            f"http://127.0.0.1:{port}/slack/events",
            data=b"command=%2Ftrace-audit&user_id=U07K2M4QANA&team_id=T0LAMPLIT",
            headers={"x-slack-signature": "v0=0", "x-slack-request-timestamp": "1"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(forged, timeout=5)
        refused.value.close()
        assert refused.value.code == 401
        assert scene.stop_bot() == 0


def test_metrics_have_an_address_of_their_own(tmp_path: Path, port: int) -> None:
    with Scene(tmp_path) as scene:
        with (tmp_path / "lamplighter.toml").open("a") as config:
            config.write(f'\n[metrics]\nlisten = "127.0.0.1:{port}"\ncloudwatch = true\n')
        scene.start_bot()
        scene.until_posted()

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            told = answer.read().decode()
        assert 'lamplighter_functions{account="482915067331",team="payments",verdict="untraced"}' in told
        assert "lamplighter_coverage_ratio 0." in told
        assert "lamplighter_posts_waiting 0.0" in told
        assert "CloudWatch metrics, at most $" in scene.logged()
        assert scene.stop_bot() == 0


def test_who_asks_for_no_metrics_does_not_load_their_library() -> None:
    code = "import sys, bot.service; sys.exit('prometheus_client' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

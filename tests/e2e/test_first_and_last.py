"""The bot at its first and last moments: how it is before Slack answers, while it works, and while it ends."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config import Config, ConfigProblem, Environment, File
from bot.demo import people
from bot.demo.people import ANA
from bot.demo.show import ROOT
from bot.demo.slack import SlackStandIn, Workspace
from bot.measuring import MetricsSection
from bot.running import DEFAULT_LISTEN, HealthSection
from bot.service import SWITCH_SECONDS
from bot.serving import Serving
from bot.tidying import NEVER
from bot.vitals import Vitals
from tests.e2e.scene import wait_for
from tests.e2e.test_replica import settings
from tests.ports import free_port

LOOKED = """
import gc, json, sys, threading
from bot.config import load
from bot.service import Service

service, tidied = Service(load()), threading.Event()
gc.callbacks.append(lambda *_: tidied.set() if sys._getframe(1).f_code.co_name == "tidy" else None)

def look():
    by_the_clock = tidied.wait(20)
    print(json.dumps([by_the_clock, gc.get_threshold()[2], sys.getswitchinterval()]), flush=True)
    service.stop.set()

threading.Thread(target=look).start()
service.run()
"""
TOKEN = "a-token-of-32-characters-or-more"
FINOPS = "C06F1N0PSX2"


def asked(url: str, **headers: str) -> tuple[int, str]:
    """Status and answer; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


class Running:
    """The bot as a process, with its two addresses, over HTTP. Its AWS takes calls and answers none until `aws_breaks`,
    so that the audit which is due at once is what still runs when the bot is told to stop."""

    def __init__(self, folder: Path, slack: SlackStandIn, http: str, seconds: int) -> None:
        self.http, self.health = f"http://{http}", f"http://127.0.0.1:{free_port()}"
        self.log = folder / "bot.log"
        self._aws = socket.create_server(("127.0.0.1", 0))
        due = datetime.now(UTC) - timedelta(minutes=1)
        (folder / "lamplighter.toml").write_text(
            f"""
            [slack]
            listen = "{http}"
            [health]
            listen = "{self.health.removeprefix("http://")}"
            [stop]
            seconds = {seconds}
            [schedule]
            daily = "{due:%H:%M}"
            [aws]
            accounts = ["111122223333"]
            regions = ["eu-central-1"]
            """
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLACK_"))}
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "LAMPLIGHTER_METRICS_TOKEN": TOKEN,
            "LAMPLIGHTER_CONFIG": str(folder / "lamplighter.toml"),
            "LAMPLIGHTER_DATABASE": str(folder / "lamplighter.db"),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._aws.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "eu-central-1",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"], cwd=ROOT, env={**kept, **environment}, stderr=log
            )

    def wanting(self) -> dict[str, str]:
        """What is not ready, by check."""
        lines = [json.loads(line) for line in asked(f"{self.health}/readyz")[1].splitlines()]
        return {line["check"]: line["reason"] for line in lines if not line["ok"]}

    def audits(self) -> bool:
        return "bot.scheduler: daily of" in self.log.read_text()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._aws.close()


@pytest.fixture
def http() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def slack(http: str) -> Iterator[SlackStandIn]:
    workspace = Workspace(people.people(), people.channels(), people.user_groups())
    with SlackStandIn(ROOT / "manifest.yml", workspace, request_url=f"http://{http}/slack/events") as running:
        yield running


@pytest.fixture
def socket_mode() -> Iterator[SlackStandIn]:
    workspace = Workspace(people.people(), people.channels(), people.user_groups())
    with SlackStandIn(ROOT / "manifest.yml", workspace) as running:
        yield running


def test_over_http_it_can_be_asked_from_the_first_moment_to_the_last_and_ends_in_time(
    tmp_path: Path, slack: SlackStandIn, http: str
) -> None:
    slack.go_away()
    bot = Running(tmp_path, slack, http, seconds=5)
    try:
        wait_for(lambda: asked(f"{bot.health}/healthz")[0] == 200, 30)
        wait_for(lambda: "cannot be reached" in bot.wanting().get("slack", ""), 10)
        assert bot.wanting()["bot"] == "starting"
        assert asked(f"{bot.http}/healthz") == (200, "ok")
        assert asked(f"{bot.http}/readyz") == (503, "not ready")
        assert asked(f"{bot.health}/metrics")[0] == 503
        slack.come_back()

        wait_for(lambda: asked(f"{bot.http}/readyz") == (200, "ok"), 30)
        assert bot.wanting() == {}
        parts = [json.loads(line)["check"] for line in asked(f"{bot.health}/healthz")[1].splitlines()]
        assert parts == ["watch", "outbox", "clock", "door"]
        assert slack.acting_as(ANA).command(FINOPS, "/trace-audit help").ok
        for metrics in (asked(f"{bot.health}/metrics"), asked(f"{bot.http}/metrics", Authorization=f"Bearer {TOKEN}")):
            assert "lamplighter_build_info" in metrics[1]
        assert asked(f"{bot.http}/metrics")[0] == 404

        wait_for(bot.audits, 10)
        bot.process.terminate()
        wait_for(lambda: "told to stop" in bot.wanting().get("bot", ""), 5)
        assert asked(f"{bot.health}/healthz")[0] == 200
        assert not slack.acting_as(ANA).command(FINOPS, "/trace-audit help").ok  # 503: it is to come again
        assert bot.process.wait(15) == 0
        assert "ending after 5 s, with this cut short and taken up at the next start: the daily audit of" in (
            bot.log.read_text()
        )
    finally:
        bot.end()


def test_an_app_level_token_that_slack_refuses_ends_the_start_with_one_line(
    tmp_path: Path, socket_mode: SlackStandIn
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": socket_mode.bot_token,
        "SLACK_APP_TOKEN": "xapp-wrong",
        "SLACK_API_URL": socket_mode.api_url,
        "LAMPLIGHTER_DATABASE": str(tmp_path / "lamplighter.db"),
        "AWS_REGION": "eu-central-1",
    }
    command = [sys.executable, "-m", "bot", "run"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 2
    assert "SLACK_APP_TOKEN: Slack answers invalid_auth" in ended.stderr.splitlines()[-1]
    assert "xapp-wrong" not in ended.stderr


def test_memory_is_looked_through_by_the_clock_alone_and_threads_take_turns_often(
    tmp_path: Path, socket_mode: SlackStandIn
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": socket_mode.bot_token,
        "SLACK_APP_TOKEN": socket_mode.app_token,
        "SLACK_API_URL": socket_mode.api_url,
        "LAMPLIGHTER_CONFIG": str(settings(tmp_path)),
        "LAMPLIGHTER_DATABASE": str(tmp_path / "lamplighter.db"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "eu-central-1",
    }
    command = [sys.executable, "-c", LOOKED]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [True, NEVER, SWITCH_SECONDS]


def test_an_address_that_nobody_chose_keeps_no_bot_from_starting(caplog: pytest.LogCaptureFixture) -> None:
    with suppress(ConfigProblem), closing(Serving("", DEFAULT_LISTEN, lambda *_: [], 1)):
        given(File())
        assert f"nobody can ask how this bot is: lamplighter.toml: [health] listen: {DEFAULT_LISTEN}" in caplog.text
    with closing(Serving("", "127.0.0.1:0", lambda *_: [], 1)) as taken:
        address = f"127.0.0.1:{taken.port}"
        for file in (File(health=HealthSection(listen=address)), File(metrics=MetricsSection(listen=address))):
            with pytest.raises(ConfigProblem, match="cannot be used"):
                given(file)


def given(file: File) -> None:
    """As the bot begins, and no further."""
    Vitals(Config(Environment(slack_app_token="xapp-1"), file), lambda: None, lambda: datetime.now(UTC)).stop()

"""The bot's first and last moments, over HTTP: asked how it is before Slack answers, while it works, and while it ends.

In this process, with nothing to audit: what a process of its own does at a signal, the tests of `bot.signals` show."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config import Config, ConfigProblem, Environment, File, SlackSection
from bot.demo import people
from bot.demo.people import ANA
from bot.demo.show import ROOT
from bot.demo.slack import SlackStandIn, Workspace
from bot.desk import Desk
from bot.measuring import MetricsSection
from bot.running import HealthSection, StopSection
from bot.schedule import ScheduleSection
from bot.service import Service
from bot.serving import Serving
from bot.vitals import Vitals
from tests.bot.test_doors import free_port
from tests.e2e.scene import wait_for

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
    """The bot in a thread, with its two addresses."""

    def __init__(self, folder: Path, slack: SlackStandIn, http: str, *, socket_mode: bool = False) -> None:
        self.http, self.health = f"http://{http}", f"http://127.0.0.1:{free_port()}"
        environment = Environment(
            slack_bot_token=slack.bot_token,
            slack_app_token=slack.app_token if socket_mode else "",
            slack_signing_secret=slack.signing_secret,
            slack_api_url=slack.api_url,
            lamplighter_metrics_token=TOKEN,
            lamplighter_database=str(folder / "lamplighter.db"),
        )
        due = datetime.now(UTC) - timedelta(hours=13)  # neither now nor missed
        file = File(
            slack=SlackSection(listen=http),
            health=HealthSection(listen=self.health.removeprefix("http://")),
            stop=StopSection(seconds=20),
            schedule=ScheduleSection(daily=f"{due:%H:%M}"),
        )
        self.service = Service(Config(environment, file))
        self.thread = threading.Thread(target=self.service.run)
        self.thread.start()

    def wanting(self) -> dict[str, str]:
        """What is not ready, by check."""
        lines = [json.loads(line) for line in asked(f"{self.health}/readyz")[1].splitlines()]
        return {line["check"]: line["reason"] for line in lines if not line["ok"]}

    def stop(self) -> None:
        self.service.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else the clock does asks an AWS that is not there."""
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def http() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def slack(http: str) -> Iterator[SlackStandIn]:
    workspace = Workspace(people.people(), people.channels(), people.user_groups())
    with SlackStandIn(ROOT / "manifest.yml", workspace, request_url=f"http://{http}/slack/events") as running:
        yield running


def test_over_http_all_of_it_can_be_asked_from_the_first_moment_to_the_last(
    tmp_path: Path, slack: SlackStandIn, http: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr("bot.service.end_when_told", lambda *arguments: told.append(arguments))
    fix_ends, stop = threading.Event(), Desk.stop
    monkeypatch.setattr(Desk, "stop", lambda desk: fix_ends.wait(20) and stop(desk))
    slack.go_away()
    bot = Running(tmp_path, slack, http)
    try:
        wait_for(lambda: asked(f"{bot.health}/healthz")[0] == 200, 20)
        wait_for(lambda: "cannot be reached" in bot.wanting().get("slack", ""), 10)
        assert bot.wanting()["bot"] == "starting"
        assert asked(f"{bot.http}/healthz") == (200, "ok")
        assert asked(f"{bot.http}/readyz") == (503, "not ready")
        assert asked(f"{bot.health}/metrics")[0] == 503
        slack.come_back()
        assert not slack.acting_as(ANA).command(FINOPS, "/trace-audit help").ok  # 503: it is not ready yet

        assert bot.service.ready.wait(20)
        assert bot.wanting() == {}
        parts = [json.loads(line)["check"] for line in asked(f"{bot.health}/healthz")[1].splitlines()]
        assert parts == ["watch", "outbox", "clock", "door"]
        assert asked(f"{bot.http}/readyz") == (200, "ok")
        assert slack.acting_as(ANA).command(FINOPS, "/trace-audit help").ok
        for metrics in (
            asked(f"{bot.health}/metrics"),
            asked(f"{bot.http}/metrics", Authorization=f"Bearer {TOKEN}"),
        ):
            assert "lamplighter_build_info" in metrics[1]
        assert asked(f"{bot.http}/metrics")[0] == 404

        bot.service.stop.set()
        wait_for(lambda: "told to stop" in bot.wanting().get("bot", ""), 10)
        assert asked(f"{bot.health}/healthz")[0] == 200
        assert not slack.acting_as(ANA).command(FINOPS, "/trace-audit help").ok
    finally:
        fix_ends.set()
        bot.stop()
    assert asked(f"{bot.http}/healthz")[0] == asked(f"{bot.health}/healthz")[0] == 0
    assert [within for _, within, _ in told] == [20]


def test_an_address_that_nobody_chose_keeps_no_bot_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taken = Serving("[health] listen", "127.0.0.1:0", lambda *_: [], 1)
    address = f"127.0.0.1:{taken.port}"
    monkeypatch.setattr("bot.running.DEFAULT_LISTEN", address)
    environment = Environment(slack_app_token="xapp-1")
    try:
        Vitals(Config(environment, File()), lambda: None, lambda: datetime.now(UTC)).stop()
        assert f"nobody can ask how this bot is: lamplighter.toml: [health] listen: {address} cannot be" in caplog.text
        for file in (File(health=HealthSection(listen=address)), File(metrics=MetricsSection(listen=address))):
            with pytest.raises(ConfigProblem, match="cannot be used"):
                Vitals(Config(environment, file), lambda: None, lambda: datetime.now(UTC))
    finally:
        taken.close()

"""`python -m bot run` with a replica: what comes back after a machine is lost, and who is told."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.demo.people import ANA, people
from bot.demo.show import ROOT
from bot.demo.slack import BOT_USER_ID, Channel, SlackStandIn, Workspace
from storage.models import Decision, DecisionKind
from storage.store import open_store
from tests.e2e.scene import wait_for, words

FINOPS = "C0FINOPS00"


def settings(folder: Path) -> Path:
    """Nothing is due for a while, and AWS is not there."""
    now = datetime.now(UTC)
    at = min(f"{now:%H:%M}", "23:54") if now.hour == 23 else f"{now:%H:%M}"
    later = (datetime.strptime(at, "%H:%M") + timedelta(minutes=5)).strftime("%H:%M")  # noqa: DTZ007 - an hour of day
    path = folder / "lamplighter.toml"
    path.write_text(
        f'[teams]\nfallback_channel = "#finops"\n[schedule]\ndaily = "{later}"\n[report]\nweekly = "never"\n'
    )
    return path


@contextmanager
def running(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        bot = subprocess.Popen([sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        yield bot
    finally:
        bot.kill()
        bot.wait()


def test_a_lost_machine_costs_nothing_that_was_decided_and_says_so(tmp_path: Path) -> None:
    database, replica, log = tmp_path / "data" / "lamplighter.db", tmp_path / "replica", tmp_path / "log"
    database.parent.mkdir()
    workspace = Workspace(people(), [Channel(FINOPS, "finops", members={ANA, BOT_USER_ID})])
    with SlackStandIn(ROOT / "manifest.yml", workspace) as slack:
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "LAMPLIGHTER_CONFIG": str(settings(tmp_path)),
            "LAMPLIGHTER_DATABASE": str(database),
            "LITESTREAM_REPLICA_URL": f"file://{replica}",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
            "AWS_SECRET_ACCESS_KEY": "pretend",
        }
        with running(environment, log) as bot:
            wait_for(lambda: "Lamplighter is ready" in log.read_text() and list(replica.rglob("*.ltx")), 40)
            with open_store(database) as store:
                head = store.decisions.record(Decision(DecisionKind.APPROVED, datetime.now(UTC), ANA, "arn")).hash
            bot.send_signal(signal.SIGTERM)
            assert bot.wait(30) == 0
        shutil.rmtree(database.parent)
        database.parent.mkdir()

        with running(environment, log) as bot:
            heard = wait_for(lambda: slack.workspace.messages(FINOPS), 40)
            assert "was restored from its replica" in words(heard[0])
            assert head[:16] in words(heard[0])
            with open_store(database) as store:
                assert [one.hash for one in store.decisions.all()] == [head]
            bot.send_signal(signal.SIGTERM)
            assert bot.wait(30) == 0
        assert slack.faults == []

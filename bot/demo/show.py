"""`python -m bot demo`: the real bot, as its own process, between the two stand-ins."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from bot.demo import deployment, people
from bot.demo.aws import AwsStandIn
from bot.demo.fleet import Fleet, seed
from bot.demo.fleet_access import AUDIT_ROLE, FIX_ROLE
from bot.demo.fleet_spend import budget_usd
from bot.demo.past import DAYS
from bot.demo.slack import SlackStandIn, Workspace
from commands._schedule import WEEKDAYS
from storage.models import PostKind, PostState
from storage.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120.0
END_SECONDS = 20.0


def show(port: int, verbose: bool) -> int:
    """Start everything, say where to look, and stay until ctrl-C or SIGTERM. The exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="lamplighter-demo-") as folder:
        return _show(Path(folder), port, verbose)


def _show(folder: Path, port: int, verbose: bool) -> int:
    aws = AwsStandIn()
    slack = SlackStandIn(
        manifest=ROOT / "manifest.yml",
        workspace=Workspace(people.people(), people.channels(), people.user_groups()),
        port=port,
    )
    bot: subprocess.Popen[bytes] | None = None
    deploys: threading.Timer | None = None
    aws.start()
    try:
        try:
            slack.start()
        except OSError as problem:
            free = "leave it out, and a free one is taken: make demo"
            click.echo(
                f"lamplighter: --port {port}: {os.strerror(problem.errno or 0)}. Choose another, or {free}", err=True
            )
            return 2
        click.echo("Seeding the pretend cloud…")
        fleet = seed(aws)
        log = folder / "bot.log"
        environment = bot_environment(folder, aws, slack, fleet)
        config = Path(environment["LAMPLIGHTER_CONFIG"])
        metrics, events = _add_metrics(config), deployment.add_events(config, aws)
        with log.open("wb") as written:
            target = None if verbose else written
            click.echo(f"Pretending that {DAYS} days have passed…")
            subprocess.run(
                [sys.executable, "-m", "bot.demo.past"], env=environment, cwd=ROOT, stderr=target, check=True
            )
            bot = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"], env=environment, cwd=ROOT, stderr=target, stdin=subprocess.DEVNULL
            )
        click.echo("Auditing 3 accounts and posting the digests…")
        if not _first_digests(folder, bot):
            click.echo(f"The bot did not get that far:\n{log.read_text(errors='replace')[-3000:]}", err=True)
            return 1
        _tell(slack, fleet, metrics)
        deploys = deployment.deploy_soon(aws, events)
        bot.wait()
        return 0 if bot.returncode in (0, -2, 130) else 1
    except KeyboardInterrupt:
        click.echo("\nEnding.")
        return 0
    finally:
        if deploys:
            deploys.cancel()
        if bot:
            _end(bot)
        slack.stop()
        aws.stop()


def bot_environment(folder: Path, aws: AwsStandIn, slack: SlackStandIn, fleet: Fleet) -> dict[str, str]:
    """What tells the real bot of the two stand-ins: environment variables, and a configuration like anybody's."""
    config = folder / "lamplighter.toml"
    config.write_text(configuration(fleet, datetime.now(UTC)), encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SLACK_", "LAMPLIGHTER_"))}
    return {
        **kept,
        **fleet.environment(aws),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": f"{slack.url}/api/",
        "LAMPLIGHTER_CONFIG": str(config),
        "LAMPLIGHTER_DATABASE": str(folder / "lamplighter.db"),
        "PYTHONUNBUFFERED": "1",
    }


def configuration(fleet: Fleet, now: datetime) -> str:
    """The demo's lamplighter.toml. The daily time is a minute ago: a run that was missed, and is made at once."""
    quoted = ", ".join(f'"{account}"' for account in fleet.accounts)
    regions = ", ".join(f'"{region}"' for region in fleet.regions)
    weekday = WEEKDAYS[now.weekday()]
    approvers = ", ".join(f'"{person}"' for person in people.APPROVERS)
    return f"""
[aws]
accounts = [{quoted}]
regions = [{regions}]
role = "{AUDIT_ROLE}"
fix_role = "{FIX_ROLE}"
external_id = "{fleet.external_id}"

[forecast]
finer_above_usd = 11.0

[teams]
tag_keys = ["team", "owner"]
channel = "#team-{{team}}"
fallback_channel = "#finops"

[schedule]
daily = "{now - timedelta(minutes=1):%H:%M}"
timezone = "UTC"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
weekly = "{weekday}"

[report]
weekly = "{weekday}"
at = "{now - timedelta(minutes=1):%H:%M}"

[policy]
approvers = [{approvers}]

[budget]
monthly_usd = {budget_usd(now):g}
"""


def _add_metrics(config: Path) -> str:
    """The address of /metrics, on a port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with config.open("a", encoding="utf-8") as file:
        file.write(f'\n[metrics]\nlisten = "{address}"\n')
    return address


def _first_digests(folder: Path, bot: "subprocess.Popen[bytes]") -> bool:
    """Wait until the daily job has ended and all that it left to post is posted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    database = folder / "lamplighter.db"
    while time.monotonic() < deadline and bot.poll() is None:
        if database.exists():
            with open_store(database) as store:
                if _posted(store):
                    return True
        threading.Event().wait(0.25)
    return False


def _posted(store: Store) -> bool:
    digests = store.posts.all(PostKind.DIGEST)
    return (
        store.audits.latest() is not None
        and bool(digests)
        and all(post.state is not PostState.WAITING for post in store.posts.all())
    )


def _tell(slack: SlackStandIn, fleet: Fleet, metrics: str) -> None:
    places = f"{len(fleet.accounts)} accounts and {len(fleet.regions)} regions"
    click.echo(
        f"""
Lamplighter has posted its first digests. Open this page:

    {slack.url}/#/{_payments(slack)}

It remembers {DAYS} days of audits, fixes and an exemption that never were: ask for /trace-report,
/trace-budget, /trace-history or /trace-audit payments on {_a_week_ago()}, or open its Home. What an
auditor would be shown: /trace-report evidence {_a_week_ago() - timedelta(days=28)} {_a_week_ago() + timedelta(days=7)}

You are Ana, who may approve. Open #team-payments, click Approve fix, and watch it change.
Type /trace-audit payments or /trace-map psp-webhook-replay, or exempt a function. The menu at your name makes you
another person.
In a few seconds somebody deploys {deployment.NAME} without tracing, and the channel is told of it.
What Prometheus would read: http://{metrics}/metrics

{len(fleet.functions)} functions in {places}, all of them pretend. ctrl-C ends everything."""
    )


def _a_week_ago() -> date:
    return datetime.now(UTC).date() - timedelta(days=7)


def _payments(slack: SlackStandIn) -> str:
    return next(one.id for one in slack.workspace.channels() if one.name == "team-payments")


def _end(bot: "subprocess.Popen[bytes]") -> None:
    if bot.poll() is None:
        bot.terminate()
        try:
            bot.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            bot.kill()
            bot.wait()

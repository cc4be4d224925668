"""What somebody deploys while one looks at the demo: a function without tracing, and AWS's event of it."""

import json
import threading
from pathlib import Path

from bot.demo.aws import AwsStandIn
from bot.demo.aws.queues import Mailbox
from bot.demo.aws.trail import event
from bot.demo.fleet_data import ACCOUNTS, REGIONS

NAME, TEAM = "dispute-intake", "payments"
AFTER_SECONDS, DEBOUNCE_SECONDS = 10.0, 3


def add_events(config: Path, aws: AwsStandIn) -> Mailbox:
    """A queue that hears of what changes in the pretend cloud, and the settings by which the bot listens to it."""
    url = f"{aws.url}/{ACCOUNTS['prod']}/lamplighter-events"
    box = aws.queues.create(url)
    aws.trail.goes_to(box)
    with config.open("a", encoding="utf-8") as file:
        file.write(f'\n[events]\nqueue_url = "{url}"\ndebounce_seconds = {DEBOUNCE_SECONDS}\n')
    return box


def deploy_soon(aws: AwsStandIn, box: Mailbox) -> threading.Timer:
    """The timer, for whoever wants it ended."""
    timer = threading.Timer(AFTER_SECONDS, _deploy, [aws, box])
    timer.daemon = True
    timer.start()
    return timer


def _deploy(aws: AwsStandIn, box: Mailbox) -> None:
    account, region = ACCOUNTS["prod"], REGIONS["eu"]
    spec = {
        "FunctionName": NAME,
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{account}:role/payments-api",
        "Handler": "app.handler",
        "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},  # an empty archive
        "Tags": {"team": TEAM},
    }
    aws.seed_function(account, region, spec, aws.now())
    told = event(account, region, "lambda", "CreateFunction20150331", {"functionName": NAME}, aws.now())
    aws.queues.send(box, json.dumps(told))

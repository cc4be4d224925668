"""AWS's events through the real bot: a burst of ten thousand, with duplicates, disorder and poison, over a SIGKILL."""

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Self

import pytest

from bot.demo.aws.queues import Mailbox
from bot.demo.aws.trail import event
from bot.demo.people import ANA
from bot.demo.slack import Message
from commands.views.actions import APPROVE
from commands.views.deployed import NOT_OURS
from storage.events import EventOutcome
from storage.models import PostKind, Verdict
from tests.e2e.scene import Scene, wait_for, words

BERLIN, PROD = "eu-central-1", "482915067331"
EVENTS, POISON = 10_000, 12
TEAMS = ("payments", "search", "identity", "data-platform")
DEPLOYED, LIT = 75, 25  # of each team


class Listening(Scene):
    """The demo's organisation, and a queue of its events."""

    def __enter__(self) -> Self:
        super().__enter__()
        url = f"{self.aws.url}/{PROD}/lamplighter-events"
        self.box: Mailbox = self.aws.queues.create(url, visibility=1.5, forgets_deletes_every=40)
        with (self.folder / "lamplighter.toml").open("a") as file:
            file.write(f'\n[events]\nqueue_url = "{url}"\ndebounce_seconds = 2\n')
        return self

    def deploy(self, name: str, team: str, mode: str = "PassThrough") -> str:
        """Seeded, so that no event tells of it but those of the test."""
        spec = {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Role": f"arn:aws:iam::{PROD}:role/{ROLE}",
            "Handler": "app.handler",
            "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
            "Tags": {"team": team},
        }
        arn = self.aws.seed_function(PROD, BERLIN, spec, self.aws.now())
        self.aws.seed_tracing_mode(arn, mode, self.aws.now())
        return arn

    def told(self, team: str) -> list[Message]:
        """The messages of the team's channel that an event led to."""
        messages = self.workspace.messages(self.channel(f"team-{team}"))
        return [one for one in messages if one.bot and "told by an AWS event" in words(one)]


ROLE = "lamplighter-events-test"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """Shared, and each test deploys for other teams."""
    with Listening(tmp_path_factory.mktemp("listening")) as made:
        made.configure(("[forecast]\n", "[forecast]\nenabled = false\n"))
        policy = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
        made.aws.create_role(PROD, ROLE, TRUST, attached=[policy])
        made.aws.settle()
        made.start_bot()
        made.until_posted()
        yield made
        assert made.slack.faults == []


def told_by(account: str, api: str, **asked: Any) -> str:
    return json.dumps(event(account, BERLIN, "lambda", api, asked, datetime.now(UTC)))


def burst(dice: random.Random, dark: list[str], lit: list[str]) -> list[str]:
    """What CloudTrail would write of such a deployment, each event once or several times, in no order."""
    once = []
    for name in (*dark, *lit):
        once.append(told_by(PROD, "CreateFunction20150331", functionName=name))
        for _ in range(dice.randint(2, 6)):
            once.append(told_by(PROD, "UpdateFunctionConfiguration20150331v2", functionName=name))
        once.append(told_by(PROD, "PublishVersion20150331", functionName=f"{name}:live"))
    once += [told_by("999999999999", "CreateFunction20150331", functionName=f"not-ours-{n}") for n in range(50)]
    once += [told_by(PROD, "CreateFunction20150331", functionName=f"never-was-{n}") for n in range(5)]
    once += [told_by(PROD, "AddPermission20150331v2", functionName=dark[0]) for _ in range(50)]
    again = [dice.choice(once) for _ in range(EVENTS - POISON - len(once))]
    poison = [f"poison {number} <!channel>" for number in range(POISON)]
    sent = [*once, *again, *poison]
    dice.shuffle(sent)
    return sent


def test_ten_thousand_events_are_one_message_for_each_team_though_the_bot_is_killed_amid_them(
    listening: Listening,
) -> None:
    scene, dice = listening, random.Random(7)
    dark = {team: [f"{team}-new-{number:03}" for number in range(DEPLOYED)] for team in TEAMS}
    lit = {team: [f"{team}-lit-{number:03}" for number in range(LIT)] for team in TEAMS}
    for team in TEAMS:
        for name in dark[team]:
            scene.deploy(name, team)
        for name in lit[team]:
            scene.deploy(name, team, "Active")
    sent = burst(dice, [n for names in dark.values() for n in names], [n for names in lit.values() for n in names])
    assert len(sent) == EVENTS
    for body in sent:
        scene.aws.queues.send(scene.box, body)
    wait_for(lambda: len(scene.box.letters) < EVENTS * 0.6, 40, "a part of the burst")
    scene.stop_bot(signal.SIGKILL)
    assert len(scene.box.letters) > POISON
    scene.start_bot()

    def settled() -> bool:
        with scene.memory() as store:
            waiting = [one for one in store.posts.all(PostKind.DEPLOYED) if one.shown_version < one.wanted_version]
            return not scene.box.letters and not store.events.watching() and not waiting

    wait_for(settled, 60, "the end of the burst")

    assert scene.box.dead_letters
    assert Counter(scene.box.dead_letters.bodies) == Counter(f"poison {number} <!channel>" for number in range(POISON))
    with scene.memory() as store:
        posts = {post.team: post for post in store.posts.all(PostKind.DEPLOYED)}
        assert sorted(posts) == sorted(TEAMS)
        assert len(store.posts.all(PostKind.DEPLOYED)) == len(TEAMS)
        for team in TEAMS:
            said = [arn.rsplit(":", 1)[-1] for arn in store.deployments.of_post(posts[team].id)]
            assert sorted(said) == dark[team]
            known = {one.name: one.verdict for one in store.functions.members(team)}
            assert {known[name] for name in dark[team]} == {Verdict.UNTRACED}
            assert {known[name] for name in lit[team]} == {Verdict.TRACED}
        counts = store.events.counts()
        assert counts[EventOutcome.UNREADABLE] == POISON
        assert counts[EventOutcome.NOTED] == len({json.loads(body)["detail"]["eventID"] for body in noted(sent)})
    for team in TEAMS:
        (message,) = scene.told(team)
        assert f"{DEPLOYED} Lambda functions were deployed without tracing" in words(message)
        assert f"And {DEPLOYED - 5} others:" in words(message)


def noted(sent: list[str]) -> Iterator[str]:
    return (body for body in sent if not body.startswith("poison") and "AddPermission" not in body)


def test_what_is_deployed_is_told_of_within_seconds_and_fixed_from_there(listening: Listening) -> None:
    scene = listening
    scene.aws.trail.goes_to(scene.box)
    begun = time.monotonic()
    arn = scene.deploy("gift-card", "checkout")
    scene.aws.queues.send(scene.box, told_by(PROD, "CreateFunction20150331", functionName="gift-card"))

    (message,) = wait_for(lambda: scene.told("checkout"), 60, "the message")
    assert time.monotonic() - begun < 60
    assert message.text.startswith("`gift-card` was deployed without tracing")
    assert {APPROVE, NOT_OURS} <= set(scene.buttons(message, "gift-card"))

    scene.click(ANA, message, APPROVE, "gift-card")

    def fixed() -> Message | None:
        (now,) = scene.told("checkout")
        return now if "Active since" in words(now) else None

    wait_for(fixed, 40, "the fix")
    assert scene.aws.function(arn)["TracingConfig"]["Mode"] == "Active"
    assert scene.stop_bot() == 0


@pytest.mark.parametrize(("action", "done"), [("DeleteMessageBatch", False), ("GetFunctionConfiguration", True)])
def test_killed_at_its_worst_moment_it_tells_once(listening: Listening, action: str, done: bool) -> None:
    """Before the queue forgets what memory has; and when AWS was asked and nothing is kept yet. The team's channel has
    not invited the bot, so it is told in the fallback channel."""
    scene, name = listening, f"push-{action.lower()}"
    if scene.bot is None:
        scene.start_bot()
    hold = scene.aws.hold(action, done=done)
    scene.deploy(name, "mobile-bff")
    scene.aws.queues.send(scene.box, told_by(PROD, "CreateFunction20150331", functionName=name))
    assert hold.reached.wait(30), scene.logged()[-3000:]
    scene.stop_bot(signal.SIGKILL)
    hold.let_go(lost=not done)
    scene.start_bot()

    def told() -> list[Message]:
        messages = scene.workspace.messages(scene.channel("finops"))
        return [
            one for one in messages if one.bot and f"`{name}`" in words(one) and "told by an AWS event" in words(one)
        ]

    wait_for(told, 60, "the message")
    wait_for(lambda: not scene.box.letters, 20, "an empty queue")
    with scene.memory() as store:
        (function,) = store.functions.named(name)
        posts = store.posts.all(PostKind.DEPLOYED)
        assert [function.arn in store.deployments.of_post(post.id) for post in posts].count(True) == 1
        assert not store.events.watching()
    assert len(told()) == 1

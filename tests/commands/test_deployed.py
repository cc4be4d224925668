"""From an event of AWS's to what a team reads: the function is read again, and told of where that is news."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from bot.demo.aws.queues import Mailbox
from bot.listening import Listening
from commands import deployed
from commands._drawing import draw
from commands._event_rules import EventRules
from commands._types import Context, Progress
from storage.deployments import EventOutcome
from storage.models import Post, PostKind, Source
from tests.commands.conftest import BERLIN, HOME, World

URL = "http://sqs.local/123456789012/lamplighter-events"


@dataclass
class Listener:
    """A bot that listens to what CloudTrail writes of the stand-in."""

    world: World
    context: Context
    box: Mailbox

    def __post_init__(self) -> None:
        self.store = self.context.store
        self.listening = Listening(self.context, lambda: None)

    def receive(self) -> int:
        with ThreadPoolExecutor(4) as pool:
            return self.listening.receive(pool, 0)

    def hear(self) -> list[str]:
        """All that has happened is received, and a quiet while later it is looked at; what was done."""
        self.receive()
        self.world.clock.forward(seconds=21)
        return self.look()

    def look(self) -> list[str]:
        asked = replace(self.world.asks("clock"), source=Source.EVENT)
        return [reply.text for reply in deployed.look(asked, self.context) if isinstance(reply, Progress)]

    def posts(self) -> list[Post]:
        return self.store.posts.all(PostKind.DEPLOYED)

    def only(self) -> tuple[Post, str, str]:
        """The one message: it, its text, and its blocks as JSON."""
        (post,) = self.posts()
        text, blocks = draw(self.context, post)
        return post, text, json.dumps(blocks, ensure_ascii=False)

    def sent(self, post: Post) -> None:
        self.store.posts.sent(post.id, "C0PAY", f"1.{post.id}", post.wanted_version)

    def made(
        self, name: str, *, mode: str = "PassThrough", team: str | None = "payments", role: str = "writes"
    ) -> None:
        """As somebody deploys it."""
        self.world.lambdas().create_function(
            FunctionName=name,
            Role=f"arn:aws:iam::{HOME}:role/{role}",
            Runtime="python3.13",
            Handler="app.handler",
            Code={"ZipFile": b"x"},
            TracingConfig={"Mode": mode},
            Tags={"team": team} if team else {},
        )


@pytest.fixture
def listener(world: World) -> Listener:
    box = world.aws.queues.create(URL)
    world.aws.trail.goes_to(box)
    return Listener(world, replace(world.context, events=EventRules(URL)), box)


def arn(name: str) -> str:
    return f"arn:aws:lambda:{BERLIN}:{HOME}:function:{name}"


def test_a_function_that_is_deployed_without_tracing_is_told_of_with_its_buttons(listener: Listener) -> None:
    listener.made("refund")
    listener.hear()

    post, text, shown = listener.only()
    assert post.channel == "#team-payments"
    assert text == f"`refund` was deployed without tracing, in {HOME} {BERLIN} (team payments)"
    for label in ("Approve fix", "Exempt…", "Not ours"):
        assert f'"text": "{label}"' in shown
    assert listener.box.bodies == []
    assert listener.store.deployments.counts()[EventOutcome.NOTED] == 1
    assert listener.store.deployments.watching() == 0


def test_a_function_that_is_deployed_traced_is_no_matter(listener: Listener) -> None:
    listener.made("refund", mode="Active")
    listener.hear()

    assert listener.posts() == []
    assert listener.world.known(arn("refund")).verdict == "traced"

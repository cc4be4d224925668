"""The real bot as a process of its own, between the two stand-ins, and the hands to use it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self, TypeVar

from bot.demo import people
from bot.demo.aws import AwsStandIn
from bot.demo.fleet import Fleet, seed
from bot.demo.show import ROOT, bot_environment
from bot.demo.slack import Message, Outcome, SlackStandIn, Workspace
from storage.models import Decision, Function, PostKind, PostState
from storage.store import Store, open_store

T = TypeVar("T")

PATIENCE = 3  # see tests/yardstick.py: a machine may be slow for a day, and what hangs, hangs longer


def wait_for(look: Callable[[], T], seconds: float = 20.0, what: str = "") -> T:
    """What `look` returns once that is true; fails where it never is, within `seconds` on a usual machine."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what or look}")
        threading.Event().wait(0.05)


def words(message: Message) -> str:
    """All that people read in a message."""
    return "\n".join([message.text, *_texts(list(message.blocks))])


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield part["text"]
        for inner in part.values():
            yield from _texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner)


class Scene:
    """One organisation in AWS, one workspace in Slack, one bot."""

    def __init__(self, folder: Path, manifest: Path = ROOT / "manifest.yml", **slack_options: object) -> None:
        self.folder = folder
        self.aws = AwsStandIn(iam_delay=timedelta(seconds=1.5), lambda_update=timedelta(seconds=0.3))
        workspace = Workspace(people.people(), people.channels(), people.user_groups())
        self.slack = SlackStandIn(manifest, workspace, **slack_options)
        self.workspace = workspace
        self.bot: subprocess.Popen[bytes] | None = None
        self.log = folder / "bot.log"

    def __enter__(self) -> Self:
        self.aws.start()
        self.slack.start()
        self.fleet: Fleet = seed(self.aws)
        self.environment = bot_environment(self.folder, self.aws, self.slack, self.fleet)
        self.configure(("[report]\n", '[report]\nweekly = "never" # '))  # it would come amid what a test looks at
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_bot(signal.SIGKILL)
        self.slack.stop()
        self.aws.stop()

    # -- the bot -----------------------------------------------------------------------------------------------

    def configure(self, *changes: tuple[str, str]) -> None:
        """Replace words of lamplighter.toml."""
        path = self.folder / "lamplighter.toml"
        text = path.read_text()
        for old, new in changes:
            assert old in text, text
            text = text.replace(old, new)
        path.write_text(text)

    def start_bot(self, module: str = "bot", **environment: str) -> None:
        with self.log.open("ab") as log:
            self.bot = subprocess.Popen(
                [sys.executable, "-m", module, "run"],
                cwd=ROOT,
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def stop_bot(self, how: signal.Signals = signal.SIGTERM, seconds: float = 40.0) -> int:
        if self.bot is None:
            return 0
        if self.bot.poll() is None:
            os.kill(self.bot.pid, how)
        code = self.bot.wait(seconds)
        self.bot = None
        return code

    def logged(self) -> str:
        return self.log.read_text(errors="replace")

    def until_posted(self, seconds: float = 40.0) -> None:
        """Until the daily job has ended and Slack has all its posts."""

        store: Store | None = None

        def posted() -> bool:
            nonlocal store
            assert self.bot is not None
            assert self.bot.poll() is None, self.logged()
            if store is None:
                if not Path(self.environment["LAMPLIGHTER_DATABASE"]).exists():
                    return False
                store = held.enter_context(self.memory())  # to open it takes longer than to look
            posts = store.posts.all()
            done = store.audits.latest() is not None and any(post.kind is PostKind.DIGEST for post in posts)
            return done and all(post.state is not PostState.WAITING for post in posts)

        with ExitStack() as held:
            wait_for(posted, seconds, "the first digests")
        self.slack.wait_until_connected()

    @contextmanager
    def memory(self) -> Iterator[Store]:
        with open_store(self.environment["LAMPLIGHTER_DATABASE"]) as store:
            yield store

    def function(self, name: str, account: str | None = None) -> Function:
        with self.memory() as store:
            return next(one for one in store.functions.named(name) if account in (None, one.account))

    def history(self, arn: str) -> list[Decision]:
        with self.memory() as store:
            return store.decisions.history(arn)

    def run_cli(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`python -m bot …` in the bot's environment, without Slack's."""
        kept = {key: value for key, value in self.environment.items() if not key.startswith("SLACK_")}
        return subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            cwd=ROOT,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    # -- Slack -------------------------------------------------------------------------------------------------

    def channel(self, name: str) -> str:
        return next(channel.id for channel in self.workspace.channels() if channel.name == name)

    def digest(self, team: str) -> Message:
        """The newest message of the team's channel that shows functions."""
        messages = self.workspace.messages(self.channel(f"team-{team}"))
        return next(one for one in reversed(messages) if one.bot and "without active tracing" in words(one))

    def digests_by_channel(self) -> dict[str, int]:
        return {
            channel.name: sum(
                "without active tracing" in words(one) for one in self.workspace.messages(channel.id) if one.bot
            )
            for channel in self.workspace.channels()
        }

    def row(self, message: Message, name: str, account: str = "") -> str:
        """What the message says of one function."""
        return next(
            block["text"]["text"]
            for block in message.blocks
            if block["type"] == "section" and f"`{name}`" in block["text"]["text"] and account in block["text"]["text"]
        )

    def buttons(self, message: Message, name: str, account: str = "") -> list[str]:
        """The action ids that the message offers for one function."""
        return [element["action_id"] for element in self._elements(message, name, account)]

    def values(self, message: Message, name: str, account: str = "") -> list[str]:
        """What its buttons for one function carry."""
        return [element["value"] for element in self._elements(message, name, account)]

    def click(self, who: str, message: Message, action_id: str, name: str, account: str = "") -> Outcome:
        """Click a function's button as that person; the confirm dialog is taken as answered."""
        value = next(one["value"] for one in self._elements(message, name, account) if one["action_id"] == action_id)
        all_of_it = [
            element
            for block in message.blocks
            if block["type"] == "actions"
            for element in block["elements"]
            if element["action_id"] == action_id
        ]
        nth = next(number for number, element in enumerate(all_of_it) if element["value"] == value)
        return self.slack.acting_as(who).click(message, action_id, nth=nth)

    def _elements(self, message: Message, name: str, account: str) -> list[dict[str, str]]:
        for block, after in zip(message.blocks, [*message.blocks[1:], {"type": "end"}], strict=True):
            text = json.dumps(block, ensure_ascii=False)
            if block["type"] == "section" and re.search(rf"`{re.escape(name)}`", text) and account in text:
                return list(after["elements"]) if after["type"] == "actions" else []
        return []

    def ask(self, who: str, channel: str, line: str) -> list[Message]:
        """Type a slash command; what only this person sees of it, newest last, once an answer is there."""
        channel_id = self.channel(channel)
        before = len(self.workspace.ephemerals(channel_id, who))
        outcome = self.slack.acting_as(who).command(channel_id, line)
        assert outcome.ok, outcome
        return wait_for(lambda: self.workspace.ephemerals(channel_id, who)[before:], what=f"an answer to {line}")

    def answer(self, who: str, channel: str, line: str, containing: str, seconds: float = 30.0) -> Message:
        """Type a slash command and wait for an answer with these words."""
        channel_id = self.channel(channel)
        before = len(self.workspace.ephemerals(channel_id, who))
        outcome = self.slack.acting_as(who).command(channel_id, line)
        assert outcome.ok, outcome
        return self.told(who, channel, containing, before, seconds)

    def told(self, who: str, channel: str, containing: str, since: int = 0, seconds: float = 30.0) -> Message:
        """The private message with these words, waited for."""
        channel_id = self.channel(channel)

        def look() -> Message | None:
            found = self.workspace.ephemerals(channel_id, who)[since:]
            return next((one for one in found if containing in words(one)), None)

        try:
            return wait_for(look, seconds)
        except AssertionError:
            heard = [words(one) for one in self.workspace.ephemerals(channel_id, who)[since:]]
            raise AssertionError(f"{who} was never told {containing!r}, but {heard}\n{self.logged()[-2000:]}") from None

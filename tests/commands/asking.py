"""Requests and clicks where AWS does not matter."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from commands._requests import ask
from commands._types import Answer, Context, FixPolicy, Request, Say
from storage.fixes import FixRequest
from storage.models import Decision, DecisionKind, Function, Post, PostKind, Source
from tests.commands.conftest import EVE, WORKSPACE, HandClock


@dataclass
class Office:
    """One function, memory, and people who click."""

    context: Context
    clock: HandClock
    function: Function

    def under(self, **policy: Any) -> "Office":
        return replace(self, context=replace(self.context, policy=FixPolicy(**policy)))

    def request(self) -> FixRequest:
        """What a digest shows and nobody asked for."""
        return self.context.store.requests.open_for(self.function, self.clock())

    def asked(self, who: str = EVE, reason: str = "blind in OPS-12") -> FixRequest:
        asked = self.request()
        assert ask(self.by(who), self.context, asked, reason)
        return self.again(asked)

    def again(self, asked: FixRequest) -> FixRequest:
        """As it is kept now."""
        return self.context.store.requests.get(asked.id)

    def shown(self, asked: FixRequest, kind: PostKind = PostKind.REQUEST) -> Post:
        """A message that shows it and that Slack has."""
        posts = self.context.store.posts
        given = {"team": self.function.team, "requests": [asked.id]}
        made = posts.create(f"{kind}:{asked.id}", kind, "#team-payments", self.clock(), **given)
        assert made
        posts.sent(made.id, "C0PAY", "1.1", made.wanted_version)
        return posts.get(made.id)

    def by(self, who: str, asked: FixRequest | None = None, **more: Any) -> Request:
        given = {"source": Source.BUTTON, "workspace": WORKSPACE, "channel": "C0PAY"} | more
        return Request(user=who, now=self.clock(), value=asked.id if asked else "", **given)

    def click(self, run: Callable[[Request, Context], Answer], asked: FixRequest, who: str, **more: Any) -> str:
        """What the person is told."""
        replies = run(self.by(who, asked, **more), self.context)
        return "\n".join(reply.text for reply in replies if isinstance(reply, Say))

    def history(self) -> list[Decision]:
        return self.context.store.decisions.history(self.function.arn)

    def kinds(self) -> list[DecisionKind]:
        return [row.kind for row in self.history()]

    def notices(self) -> list[Post]:
        return self.context.store.posts.all(PostKind.NOTICE)

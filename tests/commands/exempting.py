"""Forms, buttons and the clock of exemptions, where AWS does not matter."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from commands import confirm, exempt, exemption_clock, extend
from commands._audits import remember
from commands._drawing import draw
from commands._types import Answer, Context, FixPolicy, OpenForm, Replace, Reply, Request, Say
from commands.views.exempt import SCOPE, TARGETS
from storage.models import (
    Decision,
    DecisionKind,
    Exemption,
    ExemptScope,
    Function,
    Post,
    PostKind,
    Source,
    Verdict,
)
from tests.commands.conftest import ANA, WORKSPACE, HandClock

REASON = "moves in OPS-12"
UNTIL = "2026-12-24"


@dataclass
class Desk:
    """Memory, a clock, and people who ask."""

    context: Context
    clock: HandClock
    remembered: Callable[..., Function]

    def under(self, **policy: Any) -> "Desk":
        return replace(self, context=replace(self.context, policy=FixPolicy(**policy)))

    # -- what people do

    def typed(self, text: str, who: str = ANA) -> Reply:
        (reply,) = exempt.exempt(self.asks(who, Source.SLASH, text=text), self.context)
        return reply

    def said(self, text: str, who: str = ANA) -> str:
        return _text(self.typed(text, who))

    def draws(self, value: str, who: str = ANA, **fields: str) -> dict[str, Any]:
        """The form after a field was changed."""
        (reply,) = exempt.look_again(self.asks(who, Source.BUTTON, value=value, fields=fields), self.context)
        assert isinstance(reply, OpenForm)
        return reply.view

    def sends(self, value: str, who: str = ANA, **fields: str) -> Reply:
        given = {"reason": REASON, "until": UNTIL} | fields
        (reply,) = exempt.grant(self.asks(who, Source.FORM, value=value, fields=given), self.context)
        return reply

    def exempts(self, function: Function, who: str = ANA, **fields: str) -> str:
        return _text(self.sends(self.value(function), who, **fields))

    def exempts_by(self, scope: ExemptScope, target: str, near: Function, who: str = ANA, **fields: str) -> str:
        """Looks at what the rule covers, and sends that."""
        rule = {SCOPE: str(scope), TARGETS[scope]: target} | fields
        seen = self.draws(self.value(near), who, **rule)
        return _text(self.sends(seen["private_metadata"], who, **rule))

    def clicks(self, run: Callable[[Request, Context], Answer], value: str, who: str = ANA) -> str:
        return "\n".join(_text(one) for one in run(self.asks(who, Source.BUTTON, value=value), self.context))

    def confirms(self, exemption: Exemption, who: str) -> str:
        return self.clicks(confirm.confirm, exemption.token, who)

    def extends(self, exemption: Exemption, until: str, who: str = ANA) -> Reply:
        asked = self.asks(who, Source.FORM, value=exemption.token, fields={"until": until})
        (reply,) = extend.extend(asked, self.context)
        return reply

    # -- what happens

    def ticks(self) -> None:
        for _ in exemption_clock.turn(self.asks("clock", Source.CLOCK), self.context):
            pass

    def audits(self, *functions: Function) -> None:
        """AWS shows these, as they are: what is exempt is a matter of memory."""
        self.clock.forward(minutes=1)
        remember(self.context, functions, self.clock())

    # -- what is known

    def value(self, function: Function) -> str:
        return self.context.store.requests.open_for(function, self.clock()).id

    def verdict(self, function: Function) -> Verdict:
        found = self.context.store.functions.get(function.arn)
        assert found
        return found.verdict

    def only(self) -> Exemption:
        """The newest."""
        numbered = self.context.store.exemptions.numbered
        found = [one for number in range(1, 50) if (one := numbered(number))]
        return found[-1]

    def covered(self) -> set[str]:
        """Names of functions."""
        return {arn.rsplit(":", 1)[-1] for arn in self.context.store.exemptions.in_force(self.clock())}

    def posts(self) -> list[Post]:
        return self.context.store.posts.all(PostKind.EXEMPTION)

    def drawn(self, post: Post) -> tuple[str, list[dict[str, Any]]]:
        return draw(self.context, self.context.store.posts.get(post.id))

    def kinds(self) -> list[DecisionKind]:
        return [row.kind for row in self.context.store.decisions.all()]

    def last(self) -> Decision:
        return self.context.store.decisions.all()[-1]

    def asks(self, who: str, source: Source, **more: Any) -> Request:
        return Request(user=who, now=self.clock(), source=source, workspace=WORKSPACE, channel="C0PAY", **more)


def _text(reply: Reply) -> str:
    if isinstance(reply, OpenForm):
        return str(reply.view["blocks"][0]["text"]["text"])
    assert isinstance(reply, Say | Replace)
    return reply.text

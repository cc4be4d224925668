"""What the messages about exemptions show, and what a digest says of them, read from memory as it is drawn."""

from datetime import datetime

from commands._exempting import teams_of
from commands._types import Context
from commands.views import exemptions as views
from commands.views.blocks import Block
from commands.views.text import clip, code, listing, mention
from storage.exempted import Member
from storage.models import DecisionKind, Exemption, ExemptState, Post

TEXT_SHOWN = 2900
NAMED = 5


def draw(context: Context, post: Post) -> tuple[str, list[Block]]:
    """One that waits for a second person, or a reminder."""
    exemption = context.store.exemptions.of_post(post.id)
    if exemption is None:
        return post.text or "An exemption", []
    names = [one.name for one in _members(context, exemption)]
    if post.key.startswith("exemption-ends:"):
        text = views.ending_text(exemption, names)
        return clip(text, TEXT_SHOWN), views.ending_blocks(exemption, names, _extended_by(context, exemption, post))
    text = views.asked_text(exemption, names)
    return clip(text, TEXT_SHOWN), views.asked_blocks(exemption, names, _who_may(context, exemption))


def news_lines(context: Context, team: str | None, after: datetime, until: datetime | None) -> tuple[str, str]:
    """For a team's digest: what a rule has come to cover, and what is untraced again because an exemption ended."""
    joined, left = (
        context.store.exempted.joined(team, after, until),
        context.store.exempted.left(team, after, until),
    )
    return _line("Exempt by a rule since the last daily audit", joined), _line("No longer exempt", left)


def left_line(context: Context, arn: str) -> str:
    """Why a function is exempt no more; "" where none of its exemptions ended."""
    member = context.store.exempted.last_left(arn)
    if member is None:
        return ""
    exemption = context.store.exemptions.get(member.exemption_id)
    whole = exemption.ended_at == member.ended_at
    return views.left_line(member.name, exemption.ended_by if whole else "", member.why, member.ended_at)


def unsure_line(context: Context, arn: str) -> str:
    """Why a function that an exemption covered is not covered now; "" where that is known."""
    member = context.store.exempted.unsure(arn)
    return views.unsure_line(context.store.exemptions.get(member.exemption_id)) if member else ""


def _members(context: Context, exemption: Exemption) -> list[Member]:
    """Those that it covers; of one that has ended, those that it covered."""
    over = exemption.state not in (ExemptState.ASKED, ExemptState.GRANTED)
    return context.store.exempted.ever_of(exemption.id) if over else context.store.exempted.of(exemption.id)


def _who_may(context: Context, exemption: Exemption) -> list[str]:
    """Those whose confirmation would count for all of its teams, as mentions; not of whoever asked."""
    each = [context.people.approvers(team) for team in teams_of(context, exemption)]
    first = each[0] if each else ()
    return [one for one in first if one != mention(exemption.asked_by) and all(one in others for others in each)]


def _extended_by(context: Context, exemption: Exemption, post: Post) -> str:
    """Who has chosen a later day since the message was made."""
    rows = context.store.decisions.of_request(exemption.token)
    later = [one for one in rows if one.kind is DecisionKind.EXEMPTION_EXTENDED and one.at >= post.created_at]
    return mention(later[-1].actor) if later else ""


def _line(said: str, members: list[Member]) -> str:
    if not members:
        return ""
    return f"{said}: {listing([code(clip(one.name, 60)) for one in members], NAMED)}"

"""*Review and fix…*: a team's fixable functions in a modal, filtered and chosen, and approved together."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from commands._answers import UNKNOWN_BUTTON
from commands._batch import run_batch
from commands._mornings import place_of_news
from commands._order import roots_first
from commands._refused import keep, of_team
from commands._together import Together, approve_together
from commands._types import Answer, Background, Context, OpenForm, Request, Say
from commands.views import review as views
from commands.views.form import result_view
from commands.views.review import ALL, CHOSEN, EVERYWHERE, TEXT, WHERE, Review
from commands.views.text import channel, clip, count
from storage.fixes import Candidate
from storage.models import PostKind

SHOWN_REFUSALS = 15


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the modal was last drawn for. It travels in the modal, where Slack shows it to nobody."""

    team: str | None
    text: str = ""
    place: str = ""
    seen: str = ""

    @classmethod
    def read(cls, metadata: str) -> "_Drawn":
        return cls(**json.loads(metadata))

    def write(self) -> str:
        row = {"team": self.team, "text": self.text, "place": self.place, "seen": self.seen}
        return json.dumps(row, ensure_ascii=False)


def open_review(request: Request, context: Context) -> Answer:
    """Answer *Review and fix…*. The modal is opened before anything is asked, for Slack waits three seconds."""
    yield OpenForm(views.loading())
    asked = context.store.requests.find(request.value)
    if asked is None:
        yield OpenForm(_told(UNKNOWN_BUTTON))
        return
    clicked = context.store.posts.at(request.channel, request.message)
    function = context.store.functions.get(asked.function_arn)
    team = function.team if function else asked.team
    if clicked and clicked.kind is PostKind.DIGEST:
        team = clicked.team
    permission = context.people.may_approve(request.user, request.workspace, team)
    if not permission.allowed:
        keep(request, context, of_team(team), permission.why)
        yield OpenForm(_told(permission.why))
        return
    yield _form(context, _Drawn(team))


def look_again(request: Request, context: Context) -> Answer:
    """A filter or a choice was changed: draw what matches and what is chosen now."""
    drawn = _Drawn.read(request.value)
    permission = context.people.may_approve(request.user, request.workspace, drawn.team)
    if not permission.allowed:
        keep(request, context, of_team(drawn.team), permission.why)
        yield OpenForm(_told(permission.why))
        return
    yield _form(context, _as_typed(drawn, request.fields), request.fields)


def check(fields: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with the form, by field; empty when nothing is."""
    if ALL not in fields:
        return {TEXT: "Nothing matches that can be approved."}
    if not fields[ALL] and not fields.get(CHOSEN):
        return {ALL: "Choose functions above, or tick this."}
    return {}


def submit(request: Request, context: Context) -> Answer:
    """Approve what was chosen, and have it carried out."""
    drawn = _Drawn.read(request.value)
    permission = context.people.may_approve(request.user, request.workspace, drawn.team)
    if not permission.allowed:
        keep(request, context, of_team(drawn.team), permission.why)
        yield Say(f"Nothing was changed: {permission.why}")
        return
    now, review = _as_typed(drawn, request.fields), _review(context, drawn, request.fields)
    note = _not_as_shown(drawn, now, review, request.fields)
    if note:
        yield _form(context, now, request.fields, note)
        return
    ids = _requests(context, review.chosen) if review.take_all else _ids(request.fields)
    came = approve_together(request, context, drawn.team, ids)
    yield Say(_answer(context, came))
    if came.batch:
        yield Background(f"batch {came.batch.id}", partial(run_batch, context, came.batch.id))


def _not_as_shown(drawn: _Drawn, now: _Drawn, review: Review, fields: Mapping[str, str]) -> str:
    """Why this is not what the person saw when they sent it; empty where it is."""
    if (now.text, now.place) != (drawn.text, drawn.place):
        return "The filter had been changed and not been looked at. This is what matches: choose, then send it again."
    if review.take_all and review.seen != drawn.seen:
        return "What matches has changed since you looked. This is what matches now: send it again if it is right."
    if not review.take_all and len(_ids(fields)) > review.largest:
        return f"At most {count(review.largest, 'function')} can be approved at once. Choose fewer."
    return ""


def _answer(context: Context, came: Together) -> str:
    lines = []
    if came.batch:
        where = channel(context.store.posts.channel_of(came.batch.team) or came.batch.channel)
        lines.append(f"*{count(came.taken, 'function')} approved.* Progress and results are in {where}.")
    if came.asked:
        asked, waits = count(came.asked, "function"), "It waits" if came.asked == 1 else "They wait"
        lines.append(f"*{asked} asked for*: this takes two people. {waits} for another approver, who is told.")
    if not came.batch and not came.asked:
        lines.append("*Nothing was changed.*")
    shown = came.refusals[:SHOWN_REFUSALS]
    lines += [f"• {clip(refusal, 160)}" for refusal in shown]
    if len(came.refusals) > len(shown):
        lines.append(f"and {len(came.refusals) - len(shown):,} more that were not taken")
    return "\n".join(lines)


def _form(context: Context, drawn: _Drawn, fields: Mapping[str, str] | None = None, note: str = "") -> OpenForm:
    review = _review(context, drawn, fields or {}, listing=True)
    if not review.total:
        return OpenForm(_told("No function of this team is left that a fix can help and that nobody is at work on."))
    metadata = replace(drawn, seen=review.seen).write()
    return OpenForm(views.review_form(replace(review, note=note), metadata))


def _review(context: Context, drawn: _Drawn, fields: Mapping[str, str], *, listing: bool = False) -> Review:
    """`listing`: those that are listed need their requests' ids."""
    candidates = _candidates(context, drawn.team)
    matching = sorted(_matching(candidates, drawn), key=lambda one: one.place)
    if listing:
        shown = views.listed(matching)
        ids = _requests(context, shown)
        known = [replace(one, request=its) for one, its in zip(shown, ids, strict=True)]
        matching = [*known, *matching[len(known) :]]
    take_all, largest = bool(fields.get(ALL)), context.policy.largest_batch
    chosen = _first(matching, largest) if take_all else _picked(matching, _ids(fields))
    places = Counter(one.place for one in candidates)
    return Review(
        team=drawn.team,
        text=drawn.text,
        place=drawn.place,
        matching=matching,
        places=[place for place, _ in sorted(places.items(), key=lambda pair: (-pair[1], pair[0]))],
        total=len(candidates),
        chosen=chosen,
        take_all=take_all,
        largest=largest,
        per_second=context.policy.fixes_per_second,
        where=context.store.posts.channel_of(drawn.team) or context.teams.channel_of(drawn.team),
        # In which order they stand is no part of it: traffic moves by itself.
        seen=hashlib.sha256("\n".join(sorted(one.arn for one in matching)).encode()).hexdigest()[:16],
    )


def _candidates(context: Context, team: str | None) -> list[Candidate]:
    """With their forecasts: what is news first, then the most invoked, then by name."""
    found = context.store.batches.candidates(team, patch_only=context.policy.patch_only_functions)
    forecasts = context.store.forecasts.of([one.arn for one in found])
    told = context.store.digests.of_team(team)
    news = told.news if told else {}

    def key(one: Candidate) -> tuple[int, float]:
        why = news[one.arn].why if one.arn in news else None
        return place_of_news(why), -(one.forecast.per_day if one.forecast else 0)

    return sorted((replace(one, forecast=forecasts.get(one.arn)) for one in found), key=key)


def _matching(candidates: Sequence[Candidate], drawn: _Drawn) -> list[Candidate]:
    wanted = drawn.text.casefold()
    return [
        one
        for one in candidates
        if (not drawn.place or one.place == drawn.place)
        and (not wanted or any(wanted in part.casefold() for part in (one.name, one.place, one.role)))
    ]


def _first(matching: list[Candidate], most: int) -> list[Candidate]:
    if len(matching) <= most:
        return matching
    by_arn = {one.arn: one for one in matching}
    return [by_arn[arn] for arn in roots_first({one.arn: one.callers for one in matching})[:most]]


def _picked(matching: Sequence[Candidate], ids: Sequence[str]) -> list[Candidate]:
    wanted = set(ids)
    return [one for one in matching if one.request and one.request in wanted]


def _requests(context: Context, candidates: Sequence[Candidate]) -> list[str]:
    """Their requests' ids; opened for those that have none."""
    store, now = context.store, context.clock()
    ids = []
    with store.transaction():
        for one in candidates:
            function = None if one.request else store.functions.get(one.arn)
            ids.append(store.requests.open_for(function, now).id if function else one.request)
    return ids


def _ids(fields: Mapping[str, str]) -> list[str]:
    return [one for one in fields.get(CHOSEN, "").split(",") if one]


def _as_typed(drawn: _Drawn, fields: Mapping[str, str]) -> _Drawn:
    place = fields.get(WHERE, "")
    return replace(drawn, text=fields.get(TEXT, "").strip(), place="" if place == EVERYWHERE else place)


def _told(text: str) -> dict[str, object]:
    return result_view(views.TITLE, text)

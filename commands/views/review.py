"""The modal in which a team's fixes are looked through, chosen and approved together."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.digest import team_name
from commands.views.money import high_volume, total_line
from commands.views.text import HIDDEN, channel, clip, code, count, escape, listing
from storage.fixes import Candidate
from storage.totals import Total

CALLBACK = "review"
TITLE = "Review and fix"
TEXT = "review-text"
WHERE = "review-where"
CHOSEN = "review-chosen"
ALL = "review-all"
FIELDS = (TEXT, WHERE, CHOSEN, ALL)
EVERYWHERE = "everywhere"

# Slack's: options in a group, groups in a menu, characters of an option. A view is 250 kB at most, and escaped JSON
# takes up to twelve bytes for a character.
GROUP = 100
GROUPS = 100
OPTION = 75
MOST_LISTED = 500
MENU_BYTES = 150_000
FIRST_CHOICE = 100
PLACES = 99
TEXT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Review:
    """What the modal shows: the candidates that match, and what of them is chosen."""

    team: str | None
    text: str  # the filter: part of a name, an account, a region or a role
    place: str  # the filter: "account region"; "" for everywhere
    matching: Sequence[Candidate]  # by account and region; those that can be listed have their requests
    places: Sequence[str]  # of all candidates, the one with most of them first
    total: int  # candidates, matching or not
    chosen: Sequence[Candidate]
    take_all: bool
    largest: int  # functions in one batch
    per_second: float
    where: str  # the channel that hears of it
    seen: str  # stands for exactly what matches
    note: str = ""  # what the person has to know first


def loading(team_of: str = "") -> Block:
    """Shown within Slack's three seconds, until it is known what to show."""
    return _modal([blocks.section(f"Looking for functions to fix{team_of}…")])


def listed(matching: Sequence[Candidate]) -> Sequence[Candidate]:
    """As many of them as one menu takes."""
    shown, room, groups = 0, MENU_BYTES, 0
    for _, members in groupby(matching, key=lambda one: one.place):
        for number, one in enumerate(members):
            groups += number % GROUP == 0
            room -= len(json.dumps(option_text(one))) + 120
            if groups > GROUPS or room < 0 or shown == MOST_LISTED:
                return matching[:shown]
            shown += 1
    return matching[:shown]


def option_text(one: Candidate) -> str:
    return clip(HIDDEN.sub("", " ".join(one.name.split())), OPTION) or "?"


def review_form(review: Review, metadata: str) -> Block:
    """`metadata` is what a click in it, or its submission, is to be held against."""
    made = [blocks.section(f":warning: {review.note}")] if review.note else []
    made.append(blocks.context(_about(review)))
    made.append(_text(review))
    if len(review.places) > 1:
        made.append(_where(review))
    if review.matching:
        made += [_chosen(review), _all(review)]
    made.append({**blocks.section("\n".join(_sum(review))), "block_id": "review-sum"})
    made.append(blocks.context(_what_happens(review)))
    form = _modal(made)
    submit = {"type": "plain_text", "text": "Approve and fix"}
    return {**form, "callback_id": CALLBACK, "private_metadata": metadata, "submit": submit}


def _modal(made: list[Block]) -> Block:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": TITLE},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": made,
    }


def _about(review: Review) -> str:
    shown = len(listed(review.matching))
    words = [f"Team *{escape(clip(team_name(review.team), 100))}*", f"{count(review.total, 'function')} to fix"]
    if len(review.matching) != review.total:
        words.append(f"{len(review.matching):,} match")
    if shown < len(review.matching):
        words.append(f"the first {shown:,} are listed: narrow them down to see the others")
    return " · ".join(words)


def _text(review: Review) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": TEXT,
        "max_length": TEXT_LIMIT,
        "placeholder": {"type": "plain_text", "text": "Part of a name, an account, a region or a role"},
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    if review.text:
        element["initial_value"] = review.text
    return _input(TEXT, "Filter", element, hint="Press Enter to see what matches.", optional=True)


def _where(review: Review) -> Block:
    places = list(review.places[:PLACES])
    if review.place and review.place not in places:
        places[-1] = review.place
    options = [_option("Every account and region", EVERYWHERE), *(_option(one, one) for one in places)]
    now = next(one for one in options if one["value"] == (review.place or EVERYWHERE))
    element: Block = {"type": "static_select", "action_id": WHERE, "options": options, "initial_option": now}
    more = len(review.places) - len(places)
    hint = f"{more:,} smaller ones are not listed: type their names above." if more else ""
    return _input(WHERE, "Account and region", element, hint=hint)


def _chosen(review: Review) -> Block:
    shown = listed(review.matching)
    by_request = {one.request: _option(option_text(one), one.request) for one in shown}
    element: Block = {
        "type": "multi_static_select",
        "action_id": CHOSEN,
        "placeholder": {"type": "plain_text", "text": "Choose functions"},
        "option_groups": _groups(shown),
        "max_selected_items": min(review.largest, len(shown)),
    }
    first = [by_request[one.request] for one in review.chosen if one.request in by_request]
    if first and not review.take_all:
        element["initial_options"] = first[: min(FIRST_CHOICE, review.largest)]
    # Another id once other functions are listed: what was chosen among those is not carried over unseen.
    return {**_input(CHOSEN, "Functions", element, optional=True), "block_id": f"{CHOSEN}:{review.seen}"}


def _groups(shown: Sequence[Candidate]) -> list[Block]:
    groups = []
    for place, members in groupby(shown, key=lambda one: one.place):
        options = [_option(option_text(one), one.request) for one in members]
        for start in range(0, len(options), GROUP):
            part = f" ({start // GROUP + 1})" if len(options) > GROUP else ""
            label = {"type": "plain_text", "text": f"{clip(place, OPTION - 8)}{part}"}
            groups.append({"label": label, "options": options[start : start + GROUP]})
    return groups


def _all(review: Review) -> Block:
    element = {
        "type": "checkboxes",
        "action_id": ALL,
        "options": [_option("Take all of them, whatever is chosen above", "all")],
    }
    matching, largest = len(review.matching), review.largest
    label = f"All {matching:,} that match"
    if matching > largest:
        label = f"The first {largest:,} of the {matching:,} that match, callers first"
    return {**_input(ALL, label, element, optional=True), "block_id": ALL}


def _sum(review: Review) -> list[str]:
    if not review.matching:
        return ["*Nothing matches.* Change the filter."]
    if not review.chosen:
        return ["*Nothing is chosen yet.*"]
    roles = sorted({one.role for one in review.chosen if one.gives_policy})
    times = Counter(role.rsplit("/", 1)[-1] for role in roles)  # a name occurs once in an account
    places = {name: f" in {number:,} accounts" if number > 1 else "" for name, number in times.items()}
    names = listing([f"{code(clip(name, 64))}{places[name]}" for name in times], 5)
    get = "gets" if len(roles) == 1 else "get"
    given = f"{count(len(roles), 'execution role')} {get} permission to write to X-Ray: {names}."
    return [
        f"*{count(len(review.chosen), 'function')} of {review.total:,} chosen.*",
        given if roles else "No execution role is changed.",
        f"{total_line(Total.of(one.forecast for one in review.chosen))}.",
        *filter(None, [high_volume([one.name for one in review.chosen if one.forecast and one.forecast.busy])]),
    ]


def _what_happens(review: Review) -> str:
    pace = f", at most {review.per_second:g} a second in each account and region" if review.per_second else ""
    return (
        f"*Approve and fix* approves each chosen function as you, {review.largest:,} at once at most, and is recorded. "
        f"Callers are fixed before what they call{pace}. What fails stays open.\n"
        f"How far it is, and a button to stop: {channel(review.where)}."
    )


def _option(text: str, value: str) -> Block:
    return {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value}


def _input(block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False) -> Block:
    """It tells of each change, so that the sum below is drawn anew."""
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "label": {"type": "plain_text", "text": label},
        "element": element,
        "dispatch_action": True,
    }
    if hint:
        made["hint"] = {"type": "plain_text", "text": hint}
    return {**made, "optional": True} if optional else made

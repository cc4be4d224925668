"""`/trace-owners`, its form and what it answers, held against Slack's limits for any input."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.views import View

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long, view_is_too_large
from commands.views import assign, owners, standing
from commands.views.assign import Preview
from commands.views.closed import CLOSED, closed_line
from commands.views.form import result_view
from commands.views.owners import Overview, Team
from storage.models import TeamFrom
from storage.owners import Assignment, ChannelState, Owned
from tests.commands.views.test_hostile import NAME, NASTY, inert
from tests.commands.views.test_views import HOSTILE, NOON, words

TEXTS = HOSTILE  # a tag holds 256 characters; longer ones cannot hurt
NAMES = st.text("abcXYZ019-_&<>*`", min_size=1, max_size=140)
CHANNELS = st.sampled_from(["C0123456789", "#" + "x" * 80, "#a&b", "#<!here>"])


def owned(name: str, team: str | None = None) -> Owned:
    arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{name}"
    return Owned(arn, "111122223333", "eu-central-1", name, team, TeamFrom.ASSIGNED if team else None)


def team(name: str = "payments", number: int = 1, **more: Any) -> Team:
    return Team(**{"name": name, "found": {TeamFrom.TAG: number}, "channel": "#a", "named_by": "pattern", **more})


def overview(**more: Any) -> Overview:
    given = {"teams": [], "unowned": {}, "orphans": [], "page": 1, "fallback": "#finops"}
    return Overview(**{**given, "assignments": [], "may_assign": True, **more})


def assignment(pattern: str, team_: str) -> Assignment:
    return Assignment(1, "token", pattern, team_, "U0ANA", NOON)


def fits(blocks: list[dict[str, Any]]) -> None:
    """The strict stand-in takes it, and Slack's own classes know each part and find it valid."""
    assert message_problems(blocks) == []
    assert not blocks_are_too_long(blocks)
    known = [one for one in SdkBlock.parse_all(blocks) if one]
    for one in known:
        one.validate_json()
    assert [one.type for one in known] == [one["type"] for one in blocks]


def form_fits(view: dict[str, Any]) -> None:
    assert view_problems(view) == []
    assert not view_is_too_large(view)
    View(**view).validate_json()
    known = [one for one in SdkBlock.parse_all(view["blocks"]) if one]
    for one in known:
        one.validate_json()
    assert [one.type for one in known] == [one["type"] for one in view["blocks"]]


@given(
    names=st.lists(TEXTS, max_size=60),
    orphans=st.lists(NAMES, max_size=owners.PAGE),
    channel=CHANNELS,
    error=st.sampled_from(["", *CLOSED]),
    patterns=st.lists(TEXTS, max_size=9),
)
@settings(max_examples=60, deadline=None)
def test_the_overview_is_within_slacks_limits(
    names: list[str], orphans: list[str], channel: str, error: str, patterns: list[str]
) -> None:
    state = ChannelState(error, NOON)
    teams = [team(name, 9, channel=channel, state=state, group="S0PAY", tagged=[(channel, 2)] * 9) for name in names]
    shown = overview(
        teams=teams,
        unowned={None: 10_000, TeamFrom.UNKNOWN: 3},
        orphans=[owned(name) for name in orphans],
        page=2,
        assignments=[(assignment(pattern, pattern), 7) for pattern in patterns],
    )

    fits(owners.overview_blocks(shown))
    assert len(owners.overview_text(shown)) < 3000
    for one in teams[:3]:
        fits(owners.team_blocks(one, shown.assignments, may_end=True))


@pytest.mark.parametrize("number", [0, 1, 20, 21, 500])
def test_teams_that_are_left_out_are_counted(number: int) -> None:
    made = owners.overview_blocks(overview(teams=[team(f"team-{one:03}") for one in range(number)]))

    fits(made)
    beyond = number - owners.MOST_TEAMS
    assert (f"and {beyond:,} more" in words(made)) == (beyond > 0)


def test_teams_whose_channel_takes_no_posts_come_first() -> None:
    closed = team("small", 1, state=ChannelState("is_archived", NOON))
    made = words(owners.overview_blocks(overview(teams=[team("large", 100), closed])))

    assert made.index("*small*") < made.index("*large*")


@given(pattern=TEXTS, name=TEXTS, note=TEXTS, channel=CHANNELS, goes=st.lists(NAMES, max_size=30), keeps=TEXTS)
@settings(max_examples=60, deadline=None)
def test_the_form_is_within_slacks_limits(
    pattern: str, name: str, note: str, channel: str, goes: list[str], keeps: str
) -> None:
    functions = [owned(one, name or None) for one in goes]
    near = [name, keeps]
    shown = Preview(pattern, name, functions, {keeps: 3, "b": 2}, channel, 0, nearest=near, note=note[:200])

    view = assign.assign_form(shown, json.dumps({"pattern": pattern[:250], "team": name[:100], "seen": "0" * 16}))

    form_fits(view)
    form_fits(assign.loading())


@pytest.mark.parametrize("number", [1, 10, 10_000])
def test_what_is_said_after_it_is_within_slacks_limits_and_counts_what_it_leaves_out(number: int) -> None:
    arns = [owned(f"{'n' * 130}{one:05}").arn for one in range(number)]

    made = assign.assigned_blocks("payments", arns, "#team-payments", "team")

    form_fits(result_view(assign.TITLE, "", made))
    lines, left = assign.tag_lines(arns, "team", "payments")
    assert len(lines) + left == number
    assert (f"and {left:,} more" in words(made)) == (left > 0)


@pytest.mark.parametrize(
    ("key", "name", "tags"),
    [
        ("team", "payments", "team=payments"),
        ("cost center", "payments", "'cost center=payments'"),
        ("team", "a,b=c", """'{"team": "a,b=c"}'"""),
        ("team", "it's", """'{"team": "it'"'"'s"}'"""),
    ],
)
def test_the_line_for_a_shell_holds_any_team(key: str, name: str, tags: str) -> None:
    arn = owned("refund").arn

    ((line,), _) = assign.tag_lines([arn], key, name)

    assert line == f"aws lambda tag-resource --region eu-central-1 --resource {arn} --tags {tags}"


@given(name=TEXTS, error=st.sampled_from(sorted(CLOSED)), channel=CHANNELS, known=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_line_that_mends_a_channel_is_short_and_mentions_nobody(
    name: str, error: str, channel: str, known: bool
) -> None:
    said = closed_line(channel, name, error, known=known)

    assert len(said) < 3000
    assert "<!" not in said
    assert "<@" not in said
    fits([{"type": "section", "text": {"type": "mrkdwn", "text": said}}])


@given(name=NAME, text=NASTY, error=st.sampled_from(sorted(CLOSED)))
@settings(max_examples=100, deadline=None)
def test_no_name_makes_them_say_or_call_what_we_did_not(name: str, text: str, error: str) -> None:
    """Of teams, functions, patterns, channels in tags, and other names of a team."""
    place, state = f"#{name}", ChannelState(error, NOON)
    one = team(text, 9, channel=place, state=state, tagged=[(place, 2), (text, 1)], aliases=[name, text])
    rule = assignment(text, name)
    shown = overview(teams=[one], orphans=[owned(name, text)], fallback=place, assignments=[(rule, 7)])
    preview = Preview(text, name, [owned(name, text)], {text: 3}, place, 0, nearest=[name, text], note="")
    view = assign.assign_form(preview, "{}")
    form_fits(view)
    for made in (
        owners.overview_blocks(shown),
        owners.team_blocks(one, [(rule, 7)], may_end=True),
        assign.assigned_blocks(text, [owned(name).arn], place, text),
    ):
        fits(made)
        assert inert(marked(made)), marked(made)
    assert inert(marked(view["blocks"])), marked(view["blocks"])
    for said in (
        owners.overview_text(shown),
        owners.team_text(one),
        closed_line(place, text, error, known=False, tag=text),
        standing.went_line(text, place),
    ):
        assert inert(said), said


def marked(blocks: list[dict[str, Any]]) -> str:
    """All that Slack reads as markup in them."""
    found, left = [], list(blocks)
    while left:
        part = left.pop()
        if isinstance(part, dict):
            if part.get("type") == "mrkdwn":
                found.append(str(part["text"]))
            left += [one for one in part.values() if isinstance(one, dict | list)]
        else:
            left += [one for one in part if isinstance(one, dict | list)]
    return "\n".join(found)

"""Exemptions by a pattern of names and by a tag: seen before they are granted, and for whom they hold later."""

import pytest
from msgspec import structs

from commands.views.exempt import EVERYWHERE, LATER, NAMES, SCOPE, TAG
from storage.models import (
    THE_CLOCK,
    DecisionKind,
    ExemptScope,
    ExemptState,
    Function,
    MayWrite,
    TeamFrom,
    TracingMode,
    Verdict,
)
from storage.tag_marks import marks
from tests.commands.conftest import ANA, BO, EVE, NamedPeople
from tests.commands.exempting import Desk

NAME, BY_TAG = ExemptScope.NAME, ExemptScope.TAG
CTL = {SCOPE: "name", NAMES: "ctl-*"}
PURPOSE = marks({"purpose": "deployment", "team": "payments"})


def words(view: dict[str, object]) -> str:
    return str(view["blocks"])


def traced(function: Function) -> Function:
    return structs.replace(function, mode=TracingMode.ACTIVE, role_may_write=MayWrite.YES)


@pytest.fixture
def three(exempting: Desk) -> tuple[Function, ...]:
    """Two of payments, one of search."""
    return (
        exempting.remembered("ctl-a"),
        exempting.remembered("ctl-b"),
        exempting.remembered("ctl-s", team="search"),
    )


def test_the_form_shows_what_a_pattern_covers_before_it_is_granted(
    exempting: Desk, three: tuple[Function, ...]
) -> None:
    exempting.remembered("refund")
    exempting.remembered("ctl-traced", verdict=Verdict.TRACED)

    shown = words(exempting.draws(exempting.value(three[0]), **CTL))

    assert "*Covers 2 untraced functions:* `ctl-a`, `ctl-b`." in shown
    assert "1 more function of other teams would match and are not covered." in shown
    assert exempting.covered() == set()


def test_a_long_list_of_names_is_cut_with_a_count(exempting: Desk) -> None:
    for number in range(40):
        exempting.remembered(f"ctl-{number:02}")

    shown = words(exempting.draws(exempting.value(exempting.remembered("ctl-x")), **CTL))

    assert "*Covers 41 untraced functions:* `ctl-00`" in shown
    assert "and 16 more" in shown


def test_a_grant_by_pattern_records_how_many_and_which(exempting: Desk, three: tuple[Function, ...]) -> None:
    told = exempting.exempts_by(NAME, "ctl-*", three[0])

    assert told.startswith("2 functions named `ctl-*` are exempt until")
    assert [exempting.verdict(one) for one in three] == [Verdict.EXEMPT, Verdict.EXEMPT, Verdict.UNTRACED]
    rule, *each = exempting.context.store.decisions.all()
    assert (rule.kind, rule.function_arn, rule.actor) == (DecisionKind.EXEMPTED, "", ANA)
    assert (rule.detail["functions"], rule.detail["target"]) == (2, "ctl-*")
    assert {row.function_arn for row in each} == {three[0].arn, three[1].arn}


def test_what_was_not_looked_at_is_shown_instead_of_granted(exempting: Desk, three: tuple[Function, ...]) -> None:
    told = exempting.sends(exempting.value(three[0]), **CTL)

    assert "has not been looked at" in str(told)
    assert exempting.covered() == set()


def test_what_has_changed_since_it_was_looked_at_is_shown_again(exempting: Desk, three: tuple[Function, ...]) -> None:
    seen = exempting.draws(exempting.value(three[0]), **CTL)["private_metadata"]
    exempting.remembered("ctl-new")

    assert "has changed since you looked" in str(exempting.sends(seen, **CTL))
    assert "has changed since you looked" in str(exempting.sends(seen, **{**CTL, NAMES: "*"}))
    assert exempting.covered() == set()


def test_who_may_approve_for_all_may_exempt_functions_of_every_team_and_others_may_not(
    exempting: Desk, three: tuple[Function, ...], people: NamedPeople
) -> None:
    people.of_team = {"payments": (ANA, EVE), "search": (ANA,)}

    of_eve = exempting.draws(exempting.value(three[0]), EVE, **CTL, **{EVERYWHERE: "all"})
    assert "*Covers 2 untraced" in words(of_eve)
    assert EVERYWHERE not in words(of_eve)

    exempting.exempts_by(NAME, "ctl-*", three[0], **{EVERYWHERE: "all"})
    assert exempting.covered() == {"ctl-a", "ctl-b", "ctl-s"}
    assert exempting.only().teams == ("payments", "search")


def test_a_team_for_which_somebody_may_not_decide_is_left_out_even_where_they_may_for_all(
    exempting: Desk, three: tuple[Function, ...], people: NamedPeople
) -> None:
    people.of_team = {"search": (BO,)}

    exempting.exempts_by(NAME, "ctl-*", three[0], **{EVERYWHERE: "all"})

    assert exempting.covered() == {"ctl-a", "ctl-b"}


def test_a_function_that_matches_later_is_covered_only_if_the_rule_says_so(
    exempting: Desk, three: tuple[Function, ...]
) -> None:
    exempting.exempts_by(NAME, "ctl-*", three[0])
    late = structs.replace(three[0], name="ctl-late", arn=three[0].arn.replace("ctl-a", "ctl-late"))
    exempting.audits(late)
    assert exempting.verdict(late) is Verdict.UNTRACED
    exempting.typed(f"revoke {exempting.only().id}")

    exempting.exempts_by(NAME, "ctl-*", three[0], **{LATER: "later"})
    later = structs.replace(three[0], name="ctl-later", arn=three[0].arn.replace("ctl-a", "ctl-later"))
    theirs = structs.replace(later, name="ctl-theirs", arn=later.arn.replace("later", "theirs"), team="search")
    unread = structs.replace(later, name="ctl-unread", arn=later.arn.replace("later", "unread"), team_known=False)
    exempting.audits(later, theirs, unread)

    assert exempting.verdict(later) is Verdict.EXEMPT
    assert exempting.verdict(theirs) is exempting.verdict(unread) is Verdict.UNTRACED
    admitted = exempting.context.store.decisions.history(later.arn)[-1]
    assert (admitted.kind, admitted.actor, admitted.detail["granted_by"]) == (DecisionKind.EXEMPTED, THE_CLOCK, ANA)


def test_a_tag_covers_who_bears_it_and_nobody_whose_tags_could_not_be_read(exempting: Desk) -> None:
    bears = exempting.remembered("migrate", tag_marks=PURPOSE)
    other = exempting.remembered("refund", tag_marks=marks({"purpose": "Deployment"}))
    exempting.exempts_by(BY_TAG, "purpose=deployment", other)
    assert exempting.covered() == {"migrate"}

    exempting.audits(structs.replace(bears, team_known=False, tag_marks=""))
    assert exempting.verdict(bears) is Verdict.UNTRACED
    assert exempting.covered() == set()

    exempting.audits(bears)
    assert exempting.verdict(bears) is Verdict.EXEMPT


def test_who_bears_the_tag_no_longer_leaves_the_rule_and_stays_away(exempting: Desk) -> None:
    bears, stays = (exempting.remembered(name, tag_marks=PURPOSE) for name in ("migrate", "seed"))
    exempting.exempts_by(BY_TAG, "purpose=deployment", bears)

    exempting.audits(structs.replace(bears, tag_marks=""), stays)
    assert (exempting.verdict(bears), exempting.verdict(stays)) == (Verdict.UNTRACED, Verdict.EXEMPT)
    left = exempting.context.store.decisions.history(bears.arn)[-1]
    assert (left.kind, left.reason) == (
        DecisionKind.EXEMPTION_ENDED,
        "It no longer bears the tag `purpose=deployment`.",
    )

    exempting.audits(bears)
    assert exempting.verdict(bears) is Verdict.UNTRACED


@pytest.mark.parametrize("verdict", ["traced", "not applicable", "gone"])
def test_a_function_that_needs_no_exemption_any_more_leaves_and_the_rule_stays_for_the_others(
    exempting: Desk, three: tuple[Function, ...], verdict: str
) -> None:
    exempting.exempts_by(NAME, "ctl-*", three[0])
    match verdict:
        case "traced":
            exempting.audits(traced(three[0]))
        case "not applicable":
            exempting.audits(structs.replace(three[0], sources=("msk",)))
        case _:
            exempting.context.store.functions.mark_gone(three[0].arn, exempting.clock())
            exempting.audits(three[2])

    assert exempting.covered() == {"ctl-b"}
    assert exempting.last().kind is DecisionKind.EXEMPTION_ENDED
    assert exempting.only().state is ExemptState.GRANTED
    exempting.audits(three[0])  # untraced again
    assert exempting.verdict(three[0]) is Verdict.UNTRACED

    exempting.audits(traced(three[1]))
    assert exempting.only().state is ExemptState.ENDED


def test_one_functions_own_exemption_ends_when_it_is_traced(exempting: Desk) -> None:
    function = exempting.remembered("refund")
    exempting.exempts(function)

    exempting.audits(traced(function))

    assert exempting.only().state is ExemptState.ENDED
    assert exempting.last().kind is DecisionKind.EXEMPTION_ENDED
    assert exempting.last().reason == "It is traced now, and needs no exemption."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({SCOPE: "name", NAMES: ""}, "Write a name"),
        ({SCOPE: "name", NAMES: "ctl *"}, "Write a name"),
        ({SCOPE: "name", NAMES: "<!channel>"}, "Write a name"),
        ({SCOPE: "tag", TAG: "purpose"}, "Write it as key=value"),
        ({SCOPE: "tag", TAG: "=x"}, "Write it as key=value"),
        ({SCOPE: "tag", TAG: "aws:cloudformation:stack-name=x"}, "AWS's own tags"),
        ({SCOPE: "tag", TAG: "owner=ana@example.com"}, "an address"),
        ({"exempt-ticket": "http://jira/OPS-1"}, "begins with https://"),
        ({"exempt-ticket": "https://jira/OPS-1|<!channel>"}, "begins with https://"),
        ({"exempt-ticket": "javascript:alert(1)"}, "begins with https://"),
        ({"exempt-ticket": "https:///x"}, "begins with https://"),
    ],
)
def test_a_target_or_a_ticket_that_cannot_be_used_is_refused(
    exempting: Desk, fields: dict[str, str], words: str
) -> None:
    function = exempting.remembered("refund")

    assert words in exempting.exempts(function, **fields)
    assert exempting.covered() == set()


def test_a_ticket_is_kept_and_shown_as_a_link(exempting: Desk) -> None:
    function = exempting.remembered("refund")
    exempting.exempts(function, **{"exempt-ticket": "https://jira.example.com/OPS-1?a=1&b=2"})

    shown = exempting.typed("list")

    assert "<https://jira.example.com/OPS-1?a=1&amp;b=2|jira.example.com/OPS-1?a=1&amp;b=2>" in str(shown)
    assert exempting.last().detail["ticket"] == "https://jira.example.com/OPS-1?a=1&b=2"


def test_policy_bounds_the_last_day_and_the_form_is_asked_again(exempting: Desk) -> None:
    desk = exempting.under(exemption_days=10, exemption_max_days=30)
    function = desk.remembered("refund")

    opened = desk.typed("refund")
    assert "2026-12-03" in str(opened)
    assert "Dec 23, 2026 at the latest" in str(opened)
    assert "30 days at most" in str(desk.sends(desk.value(function), until="2026-12-24"))
    assert desk.covered() == set()
    assert "is exempt until" in desk.exempts(function, until="2026-12-23")


def test_a_suggestion_fills_in_the_reason_and_grants_nothing(exempting: Desk) -> None:
    exempting.remembered("aws-controltower-NotificationForwarder")

    opened = str(exempting.typed("aws-controltower-NotificationForwarder"))

    assert "Suggested: AWS Control Tower made it and looks after it." in opened
    assert "'initial_value': 'AWS Control Tower made it and looks after it.'" in opened
    assert exempting.covered() == set()


def test_a_function_whose_owner_is_not_known_comes_under_no_rule_of_the_unowned(exempting: Desk) -> None:
    nobodys = exempting.remembered("ctl-a", team=None)
    exempting.exempts_by(NAME, "ctl-*", nobodys, **{LATER: "later"})
    late, unsure = (
        structs.replace(nobodys, name=f"ctl-{one}", arn=nobodys.arn.replace("ctl-a", f"ctl-{one}")) for one in "bc"
    )

    exempting.audits(late, structs.replace(unsure, team_from=TeamFrom.UNKNOWN))

    assert exempting.covered() == {"ctl-a", "ctl-b"}

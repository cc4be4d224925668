"""What a morning brings: the pure rules, as tables."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from commands._mornings import Look, Morning, known_after, news_of, order_key, standing, still_news, what_to_do
from storage.digests import News, Told, Was, Why
from storage.models import Function, TracingMode, Verdict
from storage.news import Change, ChangeKind

MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
THREE = Look(untraced=3, awake=3, news=0, changed=False)
NONE = Look(untraced=0, awake=0, news=0)


@pytest.mark.parametrize(
    ("look", "what"),
    [
        (THREE, Morning.SILENCE),
        (replace(THREE, changed=True), Morning.EDIT),
        (replace(THREE, news=1, changed=True), Morning.NEW),
        (replace(THREE, week_is_due=True), Morning.NEW),
        (replace(THREE, news=1, changed=True, may_post=False), Morning.EDIT),
        (replace(THREE, week_is_due=True, may_post=False), Morning.SILENCE),
        (replace(THREE, news=1, changed=True, snoozed=True), Morning.EDIT),
        (replace(THREE, news=3, lives=False, changed=True), Morning.NEW),
        (replace(THREE, news=3, lives=False, changed=True, may_post=False), Morning.SILENCE),
        (replace(THREE, lives=False, changed=True), Morning.SILENCE),
        (replace(THREE, awake=0, week_is_due=True), Morning.SILENCE),
        (replace(THREE, awake=0, changed=True), Morning.EDIT),
        (NONE, Morning.ZERO),
        (replace(NONE, zero_told=True), Morning.EDIT),
        (replace(NONE, zero_told=True, changed=False), Morning.SILENCE),
        (replace(NONE, zero_told=True, changed=False, week_is_due=True), Morning.SILENCE),
        (replace(NONE, sure=False), Morning.EDIT),
        (replace(NONE, may_post=False), Morning.EDIT),
        (replace(NONE, snoozed=True), Morning.EDIT),
        (replace(NONE, lives=False), Morning.SILENCE),
        (replace(NONE, lives=False, week_is_due=True), Morning.SILENCE),
    ],
    ids=[
        "no change is silence",
        "something was fixed",
        "something is new",
        "the weekly day",
        "something is new on a weekend",
        "the weekly day is no day for messages",
        "something is new for a team that is snoozed",
        "the first message",
        "the first message, on a weekend",
        "the message was deleted and nothing is new",
        "all are snoozed on the weekly day",
        "all were snoozed",
        "nothing is left",
        "nothing is left, and counts changed since that was said",
        "nothing is left, and that was said",
        "nothing is left, on the weekly day",
        "aws would not say of some",
        "nothing is left since a weekend",
        "nothing is left for a team that is snoozed",
        "a team that never had any",
        "a team that never had any, on the weekly day",
    ],
)
def test_what_a_morning_brings(look: Look, what: Morning) -> None:
    assert what_to_do(look) is what


def function(name: str, verdict: Verdict = Verdict.UNTRACED) -> Function:
    return Function(name, "1", "eu-central-1", name, TracingMode.PASS_THROUGH, verdict=verdict)


def told(known: dict[str, Was], news: dict[str, News] | None = None) -> Told:
    return Told("payments", MONDAY, NOON, known=known, news=news or {})


def change(kind: ChangeKind) -> list[Change]:
    return [Change("f", kind, None, Verdict.UNTRACED)]


@pytest.mark.parametrize(
    ("before", "changes", "why"),
    [
        (None, [], Why.NEW),
        (told({}), [], Why.NEW),
        (told({"f": Was.UNTRACED}), [], None),
        (told({"f": Was.UNKNOWN}), [], None),
        (told({"f": Was.EXEMPT}), [], Why.EXEMPTION_ENDED),
        (told({"f": Was.SNOOZED}), [], Why.SNOOZE_ENDED),
        (told({}), change(ChangeKind.REGRESSED), Why.REGRESSED),
        (told({"f": Was.UNTRACED}), change(ChangeKind.RETURNED), Why.RETURNED),
        (told({"f": Was.UNTRACED}), change(ChangeKind.NEW), Why.NEW),
        (told({"f": Was.UNTRACED}), change(ChangeKind.FIXED), None),
        (told({}, {"f": News(Why.REGRESSED, MONDAY)}), [], Why.REGRESSED),
    ],
    ids=[
        "the first look",
        "never told",
        "told",
        "told before it was unknown",
        "its exemption ended",
        "its snooze ended",
        "regressed",
        "deleted and there again",
        "made anew under its name",
        "fixed",
        "regressed on a weekend",
    ],
)
def test_why_an_untraced_function_is_news(before: Told | None, changes: list[Change], why: Why | None) -> None:
    now = standing([function("f")], ())

    assert news_of(now, before, changes, (), ()).get("f") is why


def test_what_somebody_undid_or_snoozed_is_no_news_and_what_a_fix_did_not_keep_is() -> None:
    now = standing([function("undone"), function("asleep"), function("lost")], {"asleep"})
    before = told({"lost": Was.UNTRACED})

    assert news_of(now, before, [], {"undone"}, {"lost"}) == {"lost": Why.REGRESSED}


def test_what_waits_for_a_message_stays_news_until_there_was_one() -> None:
    now = standing([function("fresh"), function("old"), function("back"), function("lit", Verdict.EXEMPT)], ())
    before = told({"old": Was.UNTRACED, "back": Was.EXEMPT})
    fresh = news_of(now, before, [], (), ())
    saturday = replace(before, known=known_after(now, before, fresh), news=still_news(now, before, fresh, MONDAY))

    assert news_of(now, saturday, [], (), ()) == fresh == {"fresh": Why.NEW, "back": Why.EXEMPTION_ENDED}
    monday = known_after(now, saturday, ())
    assert monday == {"fresh": Was.UNTRACED, "old": Was.UNTRACED, "back": Was.UNTRACED, "lit": Was.EXEMPT}


def test_what_was_untraced_and_is_unknown_is_not_forgotten() -> None:
    now = standing([function("dim", Verdict.UNKNOWN), function("never", Verdict.UNKNOWN)], ())

    assert known_after(now, told({"dim": Was.UNTRACED}), ()) == {"dim": Was.UNKNOWN}


def test_rows_are_in_the_order_of_news_then_invocations_then_production_then_names() -> None:
    rows = [
        (function("regressed"), order_key(function("regressed"), Why.REGRESSED, production=False)),
        (function("new"), order_key(function("new"), Why.NEW, production=False)),
        (function("busy"), order_key(function("busy"), None, production=False, per_day=1_000_000.0)),
        (function("calm"), order_key(function("calm"), None, production=False, per_day=10.0)),
        (function("a"), order_key(function("a"), None, production=True)),
        (function("z"), order_key(function("z"), None, production=True)),
        (function("aa"), order_key(function("aa"), None, production=False)),
    ]

    mixed = [rows[number] for number in (6, 2, 0, 4, 1, 5, 3)]
    assert sorted(mixed, key=lambda row: row[1]) == rows

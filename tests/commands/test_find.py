"""From what somebody types to the function or the team they mean."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from commands import _find
from commands._find import Wanted
from commands._types import Context, Say
from storage.models import Function
from tests.commands.conftest import BERLIN, HOME, OTHER, VIRGINIA

Remembered = Callable[..., Function]

ARN = f"arn:aws:lambda:{BERLIN}:{HOME}:function:refund"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("refund", Wanted("refund")),
        ("  refund \n", Wanted("refund")),
        ("`refund`", Wanted("refund")),
        ("```refund```", Wanted("refund")),
        (f"`refund` {HOME} {BERLIN}", Wanted("refund", HOME, BERLIN)),
        (f"refund {HOME} {BERLIN}", Wanted("refund", HOME, BERLIN)),
        (f"refund {BERLIN} {HOME}", Wanted("refund", HOME, BERLIN)),
        (f"refund {BERLIN}", Wanted("refund", None, BERLIN)),
        ("refund us-gov-west-1", Wanted("refund", None, "us-gov-west-1")),
        (f"refund please {HOME}", Wanted("refund", HOME, None, "please")),
        (f"refund {BERLIN} {VIRGINIA}", Wanted("refund", None, BERLIN, VIRGINIA)),
        ("refund 12345", Wanted("refund", rest="12345")),
        (ARN, Wanted("refund", HOME, BERLIN)),
        (f"{ARN}:$LATEST", Wanted("refund", HOME, BERLIN)),
        (f"{ARN}:live", Wanted("refund", HOME, BERLIN)),
        (f"`{ARN}:17`", Wanted("refund", HOME, BERLIN)),
        (f"arn:aws-us-gov:lambda:us-gov-west-1:{HOME}:function:x", Wanted("x", HOME, "us-gov-west-1")),
        ("<#C0PAY|team-payments>", Wanted("#team-payments", channel="C0PAY")),
        ("<#C0PAY>", Wanted("#C0PAY", channel="C0PAY")),
        ("<#C0PAY|>", Wanted("#C0PAY", channel="C0PAY")),
        ("#team-payments", Wanted("#team-payments")),
        ("", Wanted("")),
        ("``", Wanted("")),
    ],
)
def test_what_was_typed_is_taken_apart(text: str, wanted: Wanted) -> None:
    assert Wanted.read(text) == wanted


def found(context: Context, text: str) -> Function | Say:
    return _find.one(context.store, Wanted.read(text), "/trace-fix")


@pytest.mark.parametrize(
    ("text", "wanted", "reason"),
    [
        ("refund", Wanted("refund"), ""),
        ("`refund` blind in OPS-12", Wanted("refund"), "blind in OPS-12"),
        (f"refund {BERLIN} {HOME}  blind   again", Wanted("refund", HOME, BERLIN), "blind again"),
        (f"refund {HOME} {OTHER} has it", Wanted("refund", HOME), f"{OTHER} has it"),
        (f"refund as in {OTHER} {VIRGINIA}", Wanted("refund"), f"as in {OTHER} {VIRGINIA}"),
        (f"{ARN}:live {OTHER} has `it`", Wanted("refund", HOME, BERLIN), f"{OTHER} has `it`"),
        ("", Wanted(""), ""),
    ],
)
def test_what_follows_on_the_place_is_the_reason(text: str, wanted: Wanted, reason: str) -> None:
    assert Wanted.with_reason(text) == (wanted, reason)


@pytest.mark.parametrize("text", ["refund", "REFUND", "`refund`", ARN, f"{ARN}:live", f"refund {BERLIN} {HOME}"])
def test_a_function_is_found_by_its_name_or_arn(context: Context, remembered: Remembered, text: str) -> None:
    function = remembered("refund")
    remembered("charge")

    assert found(context, text) == function


def test_an_exact_name_comes_before_one_that_differs_in_case(context: Context, remembered: Remembered) -> None:
    upper, lower = remembered("Refund"), remembered("refund")

    assert found(context, "refund") == lower
    assert found(context, "Refund") == upper


def test_a_name_in_two_places_is_answered_with_a_line_for_each(context: Context, remembered: Remembered) -> None:
    remembered("refund")
    there = remembered("refund", OTHER, VIRGINIA)

    told = found(context, "refund")

    assert isinstance(told, Say)
    assert told.text.startswith("2 functions are called `refund`. Choose:")
    lines = [line.strip("`").removeprefix("/trace-fix ") for line in told.text.splitlines()[1:]]
    assert lines == [f"refund {HOME} {BERLIN}", f"refund {OTHER} {VIRGINIA}"]
    assert found(context, lines[1]) == there
    assert found(context, f"refund {OTHER}") == there
    assert found(context, f"refund {VIRGINIA}") == there


def test_a_name_that_is_elsewhere_is_answered_with_where_it_is(context: Context, remembered: Remembered) -> None:
    remembered("refund")

    told = found(context, f"refund {OTHER} {VIRGINIA}")

    assert told.text.startswith(f"`refund` is not in {OTHER} {VIRGINIA}. Choose:")
    assert f"`/trace-fix refund {HOME} {BERLIN}`" in told.text


def test_a_misspelt_name_is_answered_with_the_nearest(context: Context, remembered: Remembered) -> None:
    for name in ("refund-worker", "refund-mailer", "unrelated"):
        remembered(name)

    told = found(context, "refnud-worker").text

    assert told.startswith("There is no function `refnud-worker`. Did you mean `refund-worker`")
    assert "unrelated" not in told
    assert told.endswith("Example: `/trace-fix refund-worker`")
    assert "`refund-mailer`" in found(context, "mailer").text


def test_extra_words_are_said_back_and_not_passed_over(context: Context, remembered: Remembered) -> None:
    remembered("refund")

    told = found(context, "refund and charge")

    assert told.text.startswith(
        "I do not understand `and charge`: after the name comes at most an account and a region"
    )


@pytest.mark.parametrize("text", ["", "   ", "``"])
def test_nothing_is_answered_with_a_line_that_works(context: Context, remembered: Remembered, text: str) -> None:
    assert found(context, text).text == "Say which function: `/trace-fix refund-worker`"
    remembered("charge")
    assert found(context, text).text == "Say which function: `/trace-fix charge`"


@pytest.mark.parametrize("text", ["x" * 3000, "<" * 3000, "`a" * 1500, "refund " + "y" * 3000, "a " * 1500, "&" * 3000])
def test_however_much_is_typed_the_answer_is_short(context: Context, remembered: Remembered, text: str) -> None:
    remembered("refund")

    told = found(context, text)

    assert isinstance(told, Say)
    assert len(told.text) < 700


def test_markup_that_is_typed_is_not_sent_back_as_markup(context: Context, remembered: Remembered) -> None:
    remembered("refund")

    for text in ("<!channel>", "refund <!here>", "<@U0BO>"):
        told = found(context, text).text
        assert "<!" not in told
        assert "<@" not in told


def test_a_team_is_found_by_its_name_or_its_channel(context: Context, remembered: Remembered) -> None:
    remembered("rank", team="search-relevance")
    remembered("pay", team="payments")
    mapped = replace(context, teams=replace(context.teams, channels={"payments": "#money"}))

    for text in ("search-relevance", "Search Relevance", "search_relevance", "#team-search-relevance"):
        assert _find.team(mapped, Wanted.read(text)) == "search-relevance", text
    assert _find.team(mapped, Wanted.read("<#C0SR|team-search-relevance>")) == "search-relevance"
    assert _find.team(mapped, Wanted.read("#money")) == "payments"
    assert _find.team(mapped, Wanted.read("#team-payments")) is None
    assert _find.team(mapped, Wanted.read(f"payments {HOME}")) is None
    assert _find.team(mapped, Wanted.read("nobody")) is None


def test_what_bears_the_name_is_known_wherever_it_is(context: Context, remembered: Remembered) -> None:
    remembered("refund", team="payments")

    assert _find.known(context, Wanted.read("refund"))
    assert _find.known(context, Wanted.read(f"refund {OTHER}"))
    assert _find.known(context, Wanted.read("Payments"))
    assert not _find.known(context, Wanted.read("charge"))

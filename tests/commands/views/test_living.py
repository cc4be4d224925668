"""Digests of every size, lists and the snooze form, within what Slack takes for any input."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long, view_is_too_large
from commands.views import digest, listing, living, news
from commands.views.item import Item
from commands.views.living import Nap
from commands.views.snooze import snooze_form
from storage.digests import News, Why
from storage.fixes import FixRequest, RequestState
from storage.forecasts import Forecast
from storage.models import Audit, CheckName, Coverage, Finding, Function, NotScanned, TracingMode, Verdict
from storage.totals import Total
from tests.commands.views.test_money import FORECASTS
from tests.storage.forecasts import forecast

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AUDIT = Audit(1, NOON, NOON, 3, 2, 120, 44)
HOSTILE = st.text(
    st.one_of(st.sampled_from("<!channel>&@`*_~:|{}\n\r\t\u202e\u200f💡é=+-"), st.characters(codec="utf-8")),
    max_size=3000,
)


def function(number: int, name: str = "refund", account: int = 0, text: str = "") -> Function:
    found = (Finding(CheckName.ALIAS_UNTRACED, text),) if text else ()
    return Function(
        arn=f"arn:aws:lambda:eu-central-1:{account:012}:function:{name}-{number}",
        account=f"{account:012}",
        region="eu-central-1",
        name=f"{name}-{number}",
        mode=TracingMode.PASS_THROUGH,
        team="payments",
        verdict=Verdict.UNTRACED,
        findings=found,
    )


def request(number: int) -> FixRequest:
    return FixRequest(f"token{number}", f"arn{number}", "payments", RequestState.OPEN, NOON)


def drawn(
    rows: int,
    untraced: int,
    *,
    text: str = "",
    name: str = "refund",
    naps: int = 0,
    cost: Forecast | None = None,
    **more: object,
):
    told = news.told_words(News(Why.EXEMPTION_ENDED, date(2026, 11, 23)))
    items = [Item(function(n, name, text=text), request(n), since=NOON, told=told, forecast=cost) for n in range(rows)]
    given = {
        "untraced": untraced,
        "audit": replace(AUDIT, not_scanned=(NotScanned("444455556666", "", text or "AccessDenied"),)),
        "coverage": Coverage(traced=60, untraced=untraced, exempt=2, unknown=1),
        "approvers": ("<@U0ANA>",),
        "tag_keys": ("team",),
        "review": "token0" if rows > 1 else "",
        "choices": list(living.CHOICES) if untraced else (),
        "naps": [Nap(f"nap{n}", f"{name}-{n}" if n else "", "U0ANA", NOON) for n in range(naps)],
    }
    return digest.digest_blocks("payments", items, **(given | more))


@pytest.mark.parametrize(
    ("made", "most"),
    [
        (drawn(0, 0, zero=living.zero_text("payments", Coverage(traced=40), NOON)), 5),
        (drawn(3, 3), 12),
        (drawn(4, 40, others={"prod-eu": 22, "prod-us": 10, "staging": 4}), 16),
        (drawn(3, 400, others={f"{n:012}": 1 + n for n in range(30)}), 14),
    ],
    ids=["0", "3", "40", "400"],
)
def test_each_size_fits_a_message_with_room_to_spare(made: list[dict[str, object]], most: int) -> None:
    assert len(made) <= most
    assert not message_problems(made)
    assert not blocks_are_too_long(made)
    known = [one for one in SdkBlock.parse_all(made) if one]
    assert [one.to_dict()["type"] for one in known] == [one["type"] for one in made]


def test_counts_by_account_name_the_biggest_and_sum_up_the_rest() -> None:
    text = str(living.places({f"{n:012}": 1 + n for n in range(30)}))

    assert "465 others" in text
    assert "000000000029*\\n30 untraced" in text
    assert "21 other accounts*\\n231 untraced" in text


@settings(max_examples=60, deadline=None)
@given(text=HOSTILE, name=HOSTILE, naps=st.integers(0, 5), rows=st.integers(0, 12), cost=FORECASTS)
def test_a_digest_fits_for_any_input(text: str, name: str, naps: int, rows: int, cost: Forecast | None) -> None:
    total = Total.of([cost, None])
    made = drawn(
        rows,
        400,
        text=text,
        name=name[:140] or "x",
        naps=naps,
        others={"1" * 12: 5},
        cost=cost,
        total=total,
        loud=[name[:140]] * 9,
    )

    assert not message_problems(made)
    assert not blocks_are_too_long(made)
    assert "<!channel" not in str(made)


@settings(max_examples=60, deadline=None)
@given(text=HOSTILE, name=HOSTILE, number=st.sampled_from([1, 13, 99, 100, 400]), cost=FORECASTS)
def test_a_list_fits_one_table_for_any_input(text: str, name: str, number: int, cost: Forecast | None) -> None:
    functions = [function(n, name[:140], text=text) for n in range(number)]
    forecasts = {one.arn: cost for one in functions if cost}
    made = listing.list_blocks(functions, {functions[0].arn}, forecasts)

    assert not message_problems(made)
    rows = made[0]["rows"]
    if listing.fits_a_table(functions, forecasts):
        assert len(rows) == number + 1
    else:
        assert "more: Download CSV" in rows[-1][0]["text"]
    assert len(listing.list_text("payments", functions)) <= 4000
    assert "<!channel" not in listing.list_text("payments", functions)


def test_forty_short_names_are_a_table_and_a_hundred_are_a_file() -> None:
    assert listing.fits_a_table([function(n) for n in range(99)], {})
    assert not listing.fits_a_table([function(n) for n in range(100)], {})
    assert not listing.fits_a_table([function(n, text="x" * 150) for n in range(60)], {})


def test_a_file_has_the_forecast_in_plain_numbers_and_says_what_is_not_known() -> None:
    first, second = function(1), function(2, text="=cmd()")
    known = forecast(first.arn, 1.2, invocations=3_000_000)

    one, other = csv.DictReader(io.StringIO(listing.list_csv([first, second], (), {first.arn: known})))

    assert (one["unit"], one["invocations"], one["since"]) == ("traces", "3000000", "2026-11-09T12:00:00+00:00")
    assert [one[f"usd_{end}"] for end in ("low", "expected", "high")] == ["0.1200", "1.2000", "1.8000"]
    assert [one[f"recorded_{end}"] for end in ("low", "expected", "high")] == ["24000.0", "240000.0", "360000.0"]
    assert (other["unit"], other["usd_expected"], other["recorded_low"]) == ("not known", "", "")
    assert other["findings"] == "'=cmd()"


def test_the_table_has_a_column_for_calls_traces_and_dollars() -> None:
    first, second = function(1), function(2)
    known = forecast(first.arn, 1.2, invocations=2_800_000)

    (table,) = listing.list_blocks([first, second], (), {first.arn: known})

    cells = [[cell["text"] for cell in row[1:4]] for row in table["rows"]]
    assert cells == [
        ["Calls a day", "Traces a month", "$ a month"],
        ["200,000", "240,000", "1.20 (0.12–1.80)"],
        ["not known", "not known", "not known"],
    ]


@settings(max_examples=40, deadline=None)
@given(name=HOSTILE, number=st.sampled_from([0, 1, 100, 101, 500]))
def test_the_snooze_form_fits_for_any_input(name: str, number: int) -> None:
    listed = [(f"token{n}", function(n, name[:140])) for n in range(number)]
    view = snooze_form(name[:200] or None, "12", listed, number + 5)

    assert not view_problems(view)
    assert not view_is_too_large(view)


@pytest.mark.parametrize(
    ("coverage", "says"),
    [
        (Coverage(traced=40), "All 40 functions of *payments* are traced since"),
        (Coverage(traced=38, exempt=2), "No function of *payments* is untraced since"),
        (Coverage(traced=1, unknown=1), "No function of *payments* is untraced since"),
        (Coverage(not_applicable=3), "No function of *payments* that could be traced is left since"),
    ],
    ids=["all traced", "some exempt", "some unknown", "none left"],
)
def test_all_are_said_to_be_traced_only_where_that_is_so(coverage: Coverage, says: str) -> None:
    assert living.zero_text("payments", coverage, NOON + timedelta(days=1)).startswith(says)

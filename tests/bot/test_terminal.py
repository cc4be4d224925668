"""How an audit looks in a terminal: what could not be seen stands beside its coverage."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.terminal import exit_code, print_json, print_table
from storage.models import Audit, Function, NotScanned, TracingMode, Verdict
from storage.news import Since

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WHOLE = Audit(7, NOON, NOON, accounts=3, regions=2, functions=1, aws_calls=44)
PARTLY = replace(
    WHOLE,
    not_scanned=(
        NotScanned("organization", "", "only the first 20 accounts were listed: TooManyRequestsException"),
        NotScanned("444455556666", "us-east-1", "payments: name it under [aws.exclude]: AccessDenied"),
    ),
)
LIT = Function(
    arn="arn:aws:lambda:eu-central-1:111122223333:function:refund",
    account="111122223333",
    region="eu-central-1",
    name="refund",
    mode=TracingMode.ACTIVE,
    verdict=Verdict.TRACED,
)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_the_table_names_each_place_and_the_sum_counts_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(PARTLY, [LIT], everything=False, since=Since(), kept=[])

    first, second, total = capsys.readouterr().out.splitlines()
    assert first == "not fully seen: organization: only the first 20 accounts were listed: TooManyRequestsException"
    assert second == "not fully seen: 444455556666 us-east-1: payments: name it under [aws.exclude]: AccessDenied"
    assert total == (
        "coverage 100 %: 1 traced, 0 untraced, 0 exempt, 0 not applicable, 0 unknown, 2 places not fully seen "
        "(3 accounts, 2 regions, 44 AWS calls, 0.0 s, audit 7)"
    )


def test_the_sum_of_what_was_seen_whole_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(WHOLE, [LIT], everything=False, since=Since(), kept=[])

    assert "not fully seen" not in capsys.readouterr().out


def test_json_has_them_all(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_json(PARTLY, [LIT], Since(), [])

    told = json.loads(capfdbinary.readouterr().out)
    assert told["coverage"]["percent"] == 100
    assert [(row["account"], row["region"]) for row in told["not_scanned"]] == [
        ("organization", ""),
        ("444455556666", "us-east-1"),
    ]
    assert told["not_scanned"][1]["reason"] == "payments: name it under [aws.exclude]: AccessDenied"


def test_what_was_not_seen_is_wanting(capsys: pytest.CaptureFixture[str]) -> None:
    assert (exit_code(WHOLE, [LIT]), exit_code(PARTLY, [LIT])) == (0, 1)

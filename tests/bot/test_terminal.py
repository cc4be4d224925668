"""How an audit looks in a terminal: what could not be seen stands beside its coverage."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from msgspec import structs

from bot.terminal import exit_code, print_json, print_table
from storage.models import Audit, CheckName, Finding, Function, NotScanned, TracingMode, Verdict
from storage.news import Since

Rows = Callable[[Sequence[Function]], list[list[str]]]

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


LONGEST = "payments-settlement-reconciliation-worker-eu-central-1-productio"  # 64 characters, as many as Lambda takes
DARK = (
    structs.replace(
        LIT,
        name="refund-worker",
        team="payments",
        mode=TracingMode.PASS_THROUGH,
        verdict=Verdict.UNTRACED,
        findings=(Finding(CheckName.PASSTHROUGH, "Off."), Finding(CheckName.TRACED_ELSEWHERE, "Elsewhere.")),
    ),
    structs.replace(
        LIT,
        name=LONGEST,
        account="444455556666",
        region="ap-southeast-2",
        team="customer-identity-platform",
        verdict=Verdict.UNKNOWN,
        findings=(Finding(CheckName.ROLE_CONDITIONAL, "Perhaps."),),
    ),
    structs.replace(LIT, name="viewer-request", region="us-east-1", verdict=Verdict.NOT_APPLICABLE),
)


@pytest.fixture
def rows(capsys: pytest.CaptureFixture[str]) -> Rows:
    """What the table's columns say of these functions, header first; lines of one row stand below each other."""

    def shown(functions: Sequence[Function]) -> list[list[str]]:
        print_table(WHOLE, functions, everything=False, since=Since(), kept=[])
        table = capsys.readouterr().out.partition("coverage ")[0].splitlines()
        starts = [match.start() for match in re.finditer(r"^\S|(?<=  )\S", table[0])]
        found: list[list[str]] = []
        for line in table:
            cells = [line[start:end].strip() for start, end in pairwise([*starts, None])]
            if cells[0]:
                found.append(cells)
            else:
                found[-1] = [f"{above}\n{below}".rstrip() for above, below in zip(found[-1], cells, strict=True)]
        return found

    return shown


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


def test_where_there_is_room_everything_has_a_column(rows: Rows) -> None:
    may, unknown = "ROLE MAY WRITE", "unknown"

    assert rows(DARK) == [
        ["VERDICT", "TEAM", "FUNCTION", "ACCOUNT", "REGION", "MODE", may, "FINDINGS"],
        [
            "untraced",
            "payments",
            "refund-worker",
            "111122223333",
            "eu-central-1",
            "PassThrough",
            unknown,
            "passthrough, traced_elsewhere",
        ],
        [
            "unknown",
            "customer-identity-platform",
            LONGEST,
            "444455556666",
            "ap-southeast-2",
            "Active",
            unknown,
            "role_conditional",
        ],
        ["not applicable", "-", "viewer-request", "111122223333", "us-east-1", "Active", unknown, ""],
    ]


def test_where_there_is_less_place_and_findings_stand_under_the_name_and_nothing_is_cut(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    header, refund, longest, edge = rows(DARK)

    assert header == ["VERDICT", "TEAM", "FUNCTION"]
    verdict, team, function = refund
    assert (verdict, team) == ("untraced", "payments")
    assert function.split() == "refund-worker 111122223333 eu-central-1 passthrough, traced_elsewhere".split()
    verdict, team, function = longest
    first, second, *below = function.splitlines()
    assert (verdict, team, first + second) == ("unknown", "customer-identity-platform", LONGEST)
    assert below == ["444455556666 ap-southeast-2", "role_conditional"]
    assert edge == ["not applicable", "-", "viewer-request\n111122223333 us-east-1"]


def test_ordinary_names_have_a_column_each_in_120(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")

    assert [row[2:5] for row in rows([DARK[0], DARK[2]])] == [
        ["FUNCTION", "ACCOUNT", "REGION"],
        ["refund-worker", "111122223333", "eu-central-1"],
        ["viewer-request", "111122223333", "us-east-1"],
    ]


@pytest.mark.parametrize("columns", [20, 31, 40, 60, 80, 100, 120, 140, 160, 200])
def test_no_sign_is_lost_in_any_width(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    print_table(WHOLE, [structs.replace(one, team="ß") for one in DARK], everything=False, since=Since(), kept=[])

    text = capsys.readouterr().out
    assert "…" not in text
    for line in text.splitlines():
        assert len(line) <= columns
    letters = Counter(text.partition("coverage ")[0])
    wanted = Counter("".join(f"{one.name}{one.account}{one.region}" for one in DARK))
    assert not wanted - letters

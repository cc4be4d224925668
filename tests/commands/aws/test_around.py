"""What X-Ray's graph has around a function: pages, windows, both nodes of a function, other accounts, odd values."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.aws.around import around
from commands.aws.asking import Patience
from commands.aws.errors import AwsProblem
from storage.maps import LAMBDA, Around

ACCOUNT, REGION = "111122223333", "eu-central-1"
NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
TABLE = "AWS::DynamoDB::Table"
Page = Sequence[Mapping[str, Any]]


class Recorded:
    """Stands where `Cloud` makes clients, and answers with pages that were written down; each window has its own."""

    patience = Patience()

    def __init__(self, *windows: Sequence[Page] | Exception) -> None:
        self.windows = list(windows)
        self.asked: list[tuple[datetime, datetime]] = []
        self._left: list[Page] = []

    def client(self, service: str, region: str) -> "Recorded":
        assert (service, region) == ("xray", REGION)
        return self

    def get_service_graph(self, *, StartTime: datetime, EndTime: datetime, NextToken: str = "") -> dict[str, Any]:  # noqa: N803 - boto3's names
        if not NextToken:
            self.asked.append((StartTime, EndTime))
            window = self.windows[len(self.asked) - 1]
            if isinstance(window, Exception):
                raise window
            self._left = list(window)
        page = self._left.pop(0) if self._left else []
        return {"Services": list(page), **({"NextToken": f"{len(self._left)}"} if self._left else {})}


def node(number: int, name: str, kind: str, *edges: Mapping[str, Any], account: str = ACCOUNT, calls: int = 0) -> Any:
    known = {"ReferenceId": number, "Name": name, "Type": kind, "AccountId": account, "Edges": list(edges)}
    return {**known, "SummaryStatistics": numbers(calls)} if calls else known


def numbers(
    calls: int, throttles: int = 0, errors: int = 0, faults: int = 0, seconds: float = 0.0
) -> Mapping[str, Any]:
    failed = {"ThrottleCount": throttles, "OtherCount": errors, "TotalCount": throttles + errors}
    return {
        "TotalCount": calls,
        "TotalResponseTime": seconds,
        "ErrorStatistics": failed,
        "FaultStatistics": {"TotalCount": faults},
    }


def to(number: int, calls: int, **more: Any) -> Mapping[str, Any]:
    return {"ReferenceId": number, "SummaryStatistics": numbers(calls, **more)}


def read(recorded: Recorded, hours: float = 6, **more: Any) -> Around:
    return around(recorded, ACCOUNT, REGION, "refund", NOW - timedelta(hours=hours), NOW, **more)  # type: ignore[arg-type]  # it has the one method that is asked for


def counts(edges: Any) -> dict[tuple[str, str, str], int]:
    return {(one.kind, one.name, one.account): one.statistics.calls for one in edges}


PAIR = [node(1, "refund", "AWS::Lambda", to(2, 90), calls=90), node(2, "refund", LAMBDA, to(3, 180), calls=88)]


def test_the_two_nodes_of_a_function_are_one_and_what_joins_them_is_no_call() -> None:
    client = node(9, "refund", "client", to(1, 90), account="")

    found = read(Recorded([[*PAIR, node(3, "payments", TABLE), client]]))

    assert found.own
    assert found.own.calls == 88  # the invocations that ran
    assert counts(found.callers) == {("client", "", ""): 90}
    assert counts(found.callees) == {(TABLE, "payments", ""): 180}


def test_an_edge_may_lead_to_a_node_of_another_page() -> None:
    found = read(Recorded([[PAIR[1]], [node(3, "payments", TABLE)], [PAIR[0], node(4, "gateway", "x", to(1, 7))]]))

    assert counts(found.callers) == {("x", "gateway", ""): 7}
    assert counts(found.callees) == {(TABLE, "payments", ""): 180}


def test_windows_are_summed_though_their_numbers_of_nodes_differ() -> None:
    later = [node(7, "payments", TABLE), node(5, "refund", LAMBDA, to(7, 20), calls=10)]

    recorded = Recorded([[*PAIR, node(3, "payments", TABLE)]], [later])
    found = read(recorded, hours=9)

    assert recorded.asked == [
        (NOW - timedelta(hours=6), NOW),
        (NOW - timedelta(hours=9), NOW - timedelta(hours=6)),
    ]
    assert found.own
    assert found.own.calls == 98
    assert counts(found.callees) == {(TABLE, "payments", ""): 200}


def test_a_function_of_the_same_name_in_another_account_is_another_one() -> None:
    other = [
        node(11, "refund", "AWS::Lambda", to(12, 5), account="999"),
        node(12, "refund", LAMBDA, to(1, 4), account="999", calls=5),
    ]

    found = read(Recorded([[*PAIR, node(3, "payments", TABLE), *other]]))

    assert found.own
    assert found.own.calls == 88
    assert counts(found.callers) == {(LAMBDA, "refund", "999"): 4}


def test_a_function_that_calls_itself_is_among_what_it_calls() -> None:
    again = [PAIR[0], node(2, "refund", LAMBDA, to(1, 30), calls=88)]

    assert counts(read(Recorded([again])).callees) == {(LAMBDA, "refund", ""): 30}


def test_a_caller_that_is_a_function_is_called_one_whichever_of_its_nodes_calls() -> None:
    caller = [node(4, "order", "AWS::Lambda", to(1, 2)), node(5, "order", LAMBDA, to(1, 40))]

    assert counts(read(Recorded([[*PAIR, *caller]])).callers) == {(LAMBDA, "order", ""): 42}


def test_failures_are_told_apart_and_percentiles_come_from_the_histogram() -> None:
    histogram = [{"Value": 0.1, "Count": 90}, {"Value": 0.5, "Count": 5}, {"Value": 4.0, "Count": 5}]
    edge = {**to(3, 100, throttles=2, errors=3, faults=4, seconds=40.0), "ResponseTimeHistogram": histogram}

    (found,) = read(Recorded([[node(2, "refund", LAMBDA, edge), node(3, "payments", TABLE)]])).callees

    told = found.statistics
    assert (told.throttles, told.errors, told.faults, told.failed) == (2, 3, 4, 9)
    assert told.average == pytest.approx(0.4)
    assert told.p95 == 0.5


def test_a_link_is_asynchronous() -> None:
    queue = node(8, "inbox", "AWS::SQS::Queue", {**to(1, 3), "EdgeType": "link"})

    (found,) = read(Recorded([[*PAIR, queue]])).callers

    assert found.asynchronous
    assert found.statistics.average is None


@pytest.mark.parametrize("odd", [None, -3, float("nan"), float("inf"), True, "many"])
def test_what_is_no_number_counts_for_nothing(odd: Any) -> None:
    edge = {"ReferenceId": 3, "SummaryStatistics": {"TotalCount": odd, "TotalResponseTime": odd}}
    histogram = {"ResponseTimeHistogram": [{"Value": odd, "Count": odd}], "Aliases": None}

    (found,) = read(Recorded([[node(2, "refund", LAMBDA, {**edge, **histogram}), node(3, "payments", TABLE)]])).callees

    assert found.statistics.calls in (0, 1)
    assert found.statistics.p95 is None or odd is True


def test_edges_into_nowhere_and_nodes_without_a_number_are_left_out() -> None:
    nameless = {"Type": TABLE}

    found = read(Recorded([[node(2, "refund", LAMBDA, to(77, 5), {"SummaryStatistics": {}}, calls=1), nameless]]))

    assert found.callees == ()
    assert found.seen


def test_an_answer_that_is_none_is_a_problem_of_its_own() -> None:
    with pytest.raises(AwsProblem, match="X-Ray's answer could not be read"):
        read(Recorded([["nonsense"]]))  # type: ignore[list-item]  # what AWS must not send


def test_what_fails_at_its_oldest_end_is_left_out_with_the_reason() -> None:
    found = read(Recorded([PAIR], AwsProblem("ThrottledException", "slow down")), hours=24)

    assert found.own
    assert found.since == NOW - timedelta(hours=6)
    assert found.not_read == timedelta(hours=18)
    assert "slow down" in found.not_read_why


def test_a_graph_of_thousands_of_nodes_is_read() -> None:
    many = [node(number, f"table-{number}", TABLE, to(number + 1, 3)) for number in range(10, 5_000)]

    found = read(Recorded([many[:2500], PAIR, [*many[2500:], node(3, "payments", TABLE)]]))

    assert counts(found.callees) == {(TABLE, "payments", ""): 180}


def test_a_graph_whose_pages_do_not_end_is_given_up() -> None:
    def for_pages(number: int) -> Callable[[], bool]:
        left = iter([True] * number)
        return lambda: next(left, False)

    many = [[node(number, f"table-{number}", TABLE)] for number in range(500)]

    with pytest.raises(AwsProblem, match="took too long"):
        read(Recorded(many), go_on=for_pages(20))
    found = read(Recorded([PAIR], many), hours=12, go_on=for_pages(20))
    assert found.own
    assert (found.not_read, found.not_read_why) == (timedelta(hours=6), "reading it took too long")

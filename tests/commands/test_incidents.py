"""Alarms and their history, asked of the stand-in, and what is kept of them."""

from datetime import timedelta
from typing import Any

import pytest

from commands._audits import take_audit
from commands._mttr import mttr
from commands.incidents import LOOK_EVERY, incidents, look_at
from storage.kpis import Median, Window
from storage.models import Source
from tests.commands.conftest import BERLIN, HOME, OTHER, VIRGINIA, HandClock, World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS goes by the same clock, for what it has forgotten."""
    return {"clock": clock, "iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@pytest.fixture
def watched(world: World) -> World:
    """Two functions that were audited, and an alarm on each."""
    world.function("lit", mode="Active")
    world.function("dark", account=OTHER)
    world.aws.alarms.watch(HOME, BERLIN, "lit-errors", "lit")
    world.aws.alarms.watch(OTHER, BERLIN, "dark-errors", "dark")
    take_audit(world.context, source=Source.CLOCK)
    return world


def look(world: World) -> list[str]:
    """What the next look says; with new credentials, for AWS's clock has moved on and the machine's has not."""
    world.clock.forward(hours=LOOK_EVERY.total_seconds() / 3600)
    return [reply.text for reply in incidents(world.asks(), world.configured())]


def had(world: World, alarm: str, minutes: float, ago: timedelta = timedelta(hours=1)) -> None:
    started = world.clock() - ago
    account = HOME if alarm.startswith("lit") else OTHER
    world.aws.alarms.incident(account, BERLIN, alarm, started, started + minutes * MINUTE)


def now(world: World, days: int = 30):
    return mttr(world.context, Window(world.clock() - timedelta(days=days), world.clock()), None, None)


def minutes(median: Median | None) -> tuple[float | None, int, int]:
    assert median is not None
    return (None if median.seconds is None else median.seconds / 60, median.n, median.going_on)


def test_the_first_look_takes_what_aws_still_has(watched: World) -> None:
    for days in (1, 10, 20, 29, 31):
        had(watched, "lit-errors", 10 * days, ago=timedelta(days=days))

    assert look(watched) == ["alarms looked at in 2 accounts' regions"]
    found = now(watched)
    assert minutes(found.traced) == (100, 3, 0)
    # The function was modified since: whether it was traced 29 days ago, nobody can tell.
    assert found.unknown == "1 incident is in neither: whether its function was traced then is not known."


def test_what_was_seen_is_kept_when_aws_has_forgotten_it(watched: World) -> None:
    had(watched, "dark-errors", 30)
    look(watched)
    for _ in range(5):
        watched.clock.forward(days=10)
        look(watched)

    assert minutes(now(watched, days=60).untraced) == (30, 1, 0)
    assert minutes(now(watched, days=30).untraced) == (None, 0, 0)


def test_a_look_takes_what_happened_since_the_last_and_nothing_twice(watched: World) -> None:
    had(watched, "lit-errors", 10)
    look(watched)
    had(watched, "lit-errors", 20, ago=-timedelta(hours=1))
    look(watched)
    look(watched)

    assert minutes(now(watched).traced) == (15, 2, 0)
    asked = [call for call in watched.aws.calls if call.action == "DescribeAlarmHistory"]
    assert len(asked) == 6  # one for each place and look


def test_what_goes_on_is_counted_apart_and_ends_later(watched: World) -> None:
    watched.aws.alarms.incident(HOME, BERLIN, "lit-errors", watched.clock() - MINUTE, None)
    look(watched)
    assert minutes(now(watched).traced) == (None, 0, 1)

    watched.aws.alarms.changed(HOME, BERLIN, "lit-errors", watched.clock() + MINUTE, "ALARM", "OK")
    look(watched)
    assert now(watched).traced == Median(seconds=(LOOK_EVERY + 2 * MINUTE).total_seconds(), n=1, going_on=0)


def test_whether_a_function_was_traced_is_asked_of_the_time_it_began(watched: World) -> None:
    had(watched, "dark-errors", 30)
    look(watched)
    watched.aws.seed_tracing_mode(f"arn:aws:lambda:{BERLIN}:{OTHER}:function:dark", "Active", watched.clock())
    watched.audit(watched.configured())
    watched.clock.forward(hours=2)
    had(watched, "dark-errors", 7)
    look(watched)

    found = now(watched)
    assert (minutes(found.untraced), minutes(found.traced)) == ((30, 1, 0), (7, 1, 0))


def test_an_alarm_on_metric_math_counts_and_one_on_something_else_does_not(watched: World, monkeypatch) -> None:
    import boto3

    cloudwatch = boto3.client("cloudwatch", BERLIN)
    usual = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1}
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "Resource", "Value": "lit:live"}],
    }
    cloudwatch.put_metric_alarm(
        AlarmName="lit-rate",
        Metrics=[
            {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "e1", "Expression": "m1 * 100"},
        ],
        **usual,
    )
    disk = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Period": 60, "Statistic": "Average"}
    cloudwatch.put_metric_alarm(AlarmName="lit-machine", **disk, **usual)
    had(watched, "lit-rate", 12)
    had(watched, "lit-machine", 99)
    look(watched)

    assert minutes(now(watched).traced) == (12, 1, 0)


def test_a_refused_place_is_a_row_and_stops_nothing_else(watched: World) -> None:
    had(watched, "lit-errors", 10)
    had(watched, "dark-errors", 10)
    watched.aws.deny(account=HOME, service="cloudwatch", action="DescribeAlarmHistory")

    (said,) = look(watched)

    assert "1 could not be seen" in said
    assert "cloudwatch:DescribeAlarmHistory in account 123456789012, eu-central-1" in said
    found = now(watched)
    assert (minutes(found.traced), minutes(found.untraced)) == ((None, 0, 0), (10, 1, 0))
    assert "Alarms of 1 of 2 accounts' regions could not be read the last time: cloudwatch:Describe" in found.unknown


def test_where_all_is_refused_nothing_is_known_and_the_reason_is_told(watched: World) -> None:
    watched.aws.deny(service="cloudwatch", action="DescribeAlarms")
    look(watched)

    found = now(watched)
    assert (found.traced, found.untraced) == (None, None)
    assert found.unknown.startswith("No alarm could be read: cloudwatch:DescribeAlarms in account")


def test_throttles_are_waited_out(watched: World) -> None:
    had(watched, "lit-errors", 10)
    watched.aws.throttle(service="cloudwatch", times=4)
    look(watched)

    assert minutes(now(watched).traced) == (10, 1, 0)


def test_history_that_makes_no_sense_is_passed_over(watched: World) -> None:
    for data in ("{", "null", "[]", '{"newState": "ALARM"}', '{"newState": {"stateValue": 7}}', "[" * 5000):
        watched.aws.alarms.changed(HOME, BERLIN, "lit-errors", watched.clock() - MINUTE, "?", "?", data)
    had(watched, "lit-errors", 10)
    look(watched)

    assert minutes(now(watched).traced) == (10, 1, 0)


def test_long_histories_are_read_to_their_end(watched: World) -> None:
    for hours in range(1, 140):
        had(watched, "lit-errors", 3, ago=timedelta(hours=hours))
    look(watched)

    assert minutes(now(watched).traced) == (3, 139, 0)


def test_what_is_too_much_for_one_look_is_left_for_the_next(watched: World) -> None:
    for hours in range(1, 140):
        had(watched, "lit-errors", 3, ago=timedelta(hours=hours))
    place = (HOME, BERLIN)

    look_at(watched.configured(), place, most_pages=1)
    first = now(watched).traced
    seen = watched.store.incidents.seen_until(place)
    look_at(watched.configured(), place)

    assert minutes(first) == (3, 50, 0)  # a page is a hundred changes
    assert seen is not None
    assert seen < watched.clock() - timedelta(hours=80)
    assert minutes(now(watched).traced) == (3, 139, 0)


def test_aws_is_asked_only_where_there_are_functions_and_only_now_and_then(watched: World) -> None:
    look(watched)
    asked = {(call.account, call.region) for call in watched.aws.calls if call.action == "DescribeAlarms"}
    before = len(watched.aws.calls)
    watched.clock.forward(hours=5)

    assert asked == {(HOME, BERLIN), (OTHER, BERLIN)}
    assert VIRGINIA not in {region for _, region in asked}
    assert list(incidents(watched.asks(), watched.context)) == []
    assert len(watched.aws.calls) == before


def test_before_the_first_audit_nobody_is_asked(world: World) -> None:
    assert look(world) == []
    assert world.aws.calls == []


def test_a_time_that_nobody_saw_is_told_and_not_guessed(watched: World) -> None:
    watched.aws.alarms.incident(HOME, BERLIN, "lit-errors", watched.clock() - MINUTE, None)
    look(watched)
    first = watched.clock()
    watched.clock.forward(days=45)
    watched.aws.alarms.changed(HOME, BERLIN, "lit-errors", first + timedelta(days=3), "ALARM", "OK")
    look(watched)

    found = now(watched, days=60)
    assert minutes(found.traced) == (None, 0, 0)
    assert "Between Nov 23, 2026 and Dec 9, 2026 nobody looked at 2 accounts' regions" in found.unknown
    assert "1 incident is over without its end having been seen" in found.unknown
    assert now(watched, days=20).unknown == ""


def test_how_far_back_it_goes_is_told(watched: World) -> None:
    look(watched)

    assert now(watched, days=30).unknown == ""
    assert "The history of alarms is known from Oct 24, 2026 on" in now(watched, days=90).unknown


def test_a_place_that_came_later_is_known_from_later_on(watched: World) -> None:
    look(watched)
    watched.clock.forward(days=40)
    watched.function("new", region=VIRGINIA)
    watched.audit(watched.configured())
    look(watched)

    unknown = now(watched, days=60).unknown
    assert "The history of alarms of 1 of 3 accounts' regions is known from Dec 4, 2026 on" in unknown


def test_after_a_clock_was_set_back_the_history_is_read_again(watched: World) -> None:
    look(watched)
    watched.clock.forward(days=2)
    look(watched)
    watched.clock.forward(days=-2)
    look(watched)
    watched.clock.forward(hours=2)
    had(watched, "dark-errors", 30)

    look(watched)

    assert minutes(now(watched).untraced) == (30, 1, 0)

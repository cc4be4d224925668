"""A report over 100,000 functions and a year of audits of 500 teams, in less time than a person waits."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from commands._figures import figures
from commands._production import Production
from commands._teams import TeamSettings
from commands._types import Context, FixPolicy
from commands.aws.accounts import Cloud
from storage.connection import Connection, to_text
from storage.kpis import Window
from storage.models import Coverage
from storage.store import Store, open_store
from tests.commands.conftest import NOON, SETTINGS, HandClock, NamedPeople
from tests.yardstick import yards

FUNCTIONS, TEAMS, DAYS = 100_000, 500, 365
CHURN = 100  # one of so many functions changes each day
FIXED_A_DAY, ALARMS, INCIDENTS_A_DAY = 40, 2_000, 60
# Of the processor's time, SQLite's included. Where this was set a yard was 0.45 s, and a report took about 2 s, on a
# machine that needed 2.5 times as long for an audit as on the day before, when 2 s were the bound.
MOST_YARDS = 5.0
TRIES = 4
MOST_BYTES = 500_000_000

NUMBERS = "with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < :many)"
TEAM = f"iif(n % {TEAMS} = 0, null, 'team-' || (n % {TEAMS}))"
ARN = "'arn:aws:lambda:eu-central-1:' || (111111111111 + n % 100) || ':function:service-' || n || '-handler'"


def build(path: Path) -> None:
    """The file as a year leaves it, by SQL alone: audits, functions and their past, fixes, alarms, bills, traffic and
    use."""
    connection = Connection(path)
    with connection.transaction():
        for day in range(DAYS):
            at = NOON - timedelta(days=DAYS - 1 - day, minutes=5)
            connection.change(
                """
                insert into audits (source, scope, started_at, finished_at, accounts, regions, functions, aws_calls)
                values ('clock', '', ?, ?, 100, 17, ?, 5000)
                """,
                [to_text(at - timedelta(minutes=1)), to_text(at), FUNCTIONS],
            )
        audits = f"{NUMBERS}, teams as (select iif(n = 0, '', 'team-' || n) as team from numbers)"
        for table in ("coverage", "production_coverage"):
            connection.change(
                f"""
                {audits} insert into {table} select audits.id, team, audits.id % 200, 200 - audits.id % 200, 3, 2, 1
                from audits, teams
                """,
                {"many": TEAMS},
            )
        seen, first = to_text(NOON - timedelta(minutes=5)), to_text(NOON - timedelta(days=300))
        connection.change(
            f"""
            {NUMBERS} insert into functions (arn, account, region, name, mode, role, edge, layers, environment_keys,
                runtime, code_sha256, revision_id, handler, verdict, findings, since, seen_at, made_at, team,
                production)
            select {ARN}, 111111111111 + n % 100, 'eu-central-1', 'service-' || n || '-handler', 'Active',
                'arn:aws:iam::' || (111111111111 + n % 100) || ':role/service-role-' || n, 0,
                '["arn:aws:lambda:eu-central-1:615299751070:layer:AWSOpenTelemetryDistroPython:16"]',
                '["LOG_LEVEL","POWERTOOLS_SERVICE_NAME","STAGE","TABLE_NAME"]', 'python3.13', hex(randomblob(22)),
                hex(randomblob(16)), 'app.handler', iif(n % 3, 'traced', 'untraced'),
                iif(n % 3, '[]', '[{{"check":"passthrough","text":"TracingConfig.Mode is PassThrough."}}]'),
                :first, :seen, :first, {TEAM}, n % 2
            from numbers
            """,
            {"many": FUNCTIONS, "seen": seen, "first": first},
        )
        days, start = f"n % {CHURN} + {CHURN} * turn", NOON - timedelta(days=DAYS)
        turns = f"{NUMBERS}, turns(turn) as (values (0), (1), (2), (3)), at as (select n, turn from numbers, turns)"
        moment = "strftime('%Y-%m-%dT%H:%M:00.000000+00:00', :start, ({days}) || ' days')"
        connection.change("insert into past_functions (arn) select arn from functions")
        connection.change(
            f"""
            {turns} insert into past select id,
                iif(turn, {moment.format(days=f"{days} - {CHURN}")}, {moment.format(days="-1")}),
                {moment.format(days=days)}, iif((turn + n) % 3, 'traced', 'untraced'),
                iif(turn % 2, {TEAM}, 'team-1'), n % 2
            from at join past_functions on arn = {ARN} where {days} < {DAYS}
            """,
            {"many": FUNCTIONS, "start": start.strftime("%Y-%m-%d %H:%M:%S")},
        )
        connection.change(
            """
            update functions set known_since = (select max(until) from past join past_functions on id = function
            where past_functions.arn = functions.arn)
            """
        )
        connection.change(
            f"""
            {NUMBERS} insert into changes (audit_id, arn, kind, before, after, detail)
            select 1 + n / {FIXED_A_DAY}, {ARN}, 'fixed', 'untraced', 'traced', '{{}}' from numbers
            """,
            {"many": FIXED_A_DAY * DAYS},
        )
        connection.change(
            f"""
            {NUMBERS} insert into forecasts select {ARN}, :seen, :first, :seen, 3600, n, 'traces', n, n, n, null, null,
                null, null, null, null, '', 0, 0, 1.0 from numbers
            """,
            {"many": FUNCTIONS, "seen": seen, "first": first},
        )
        connection.change(
            f"""
            {NUMBERS} insert into alarms (account, region, name, functions, seen_at)
            select 111111111111, 'eu-central-1', 'errors-' || n, json_array({ARN}), :seen from numbers
            """,
            {"many": ALARMS, "seen": seen},
        )
        connection.change("insert into alarm_functions select id, functions ->> 0 from alarms")
        connection.change(
            f"""
            {NUMBERS} insert into incidents
            select 1 + n % {ALARMS}, strftime('%Y-%m-%dT%H:%M:00.000000+00:00', :start, (24 * n) || ' minutes'),
                strftime('%Y-%m-%dT%H:%M:00.000000+00:00', :start, (24 * n + n % 90) || ' minutes'), 0, n % 2
            from numbers
            """,
            {"many": INCIDENTS_A_DAY * DAYS, "start": (NOON - timedelta(days=DAYS)).strftime("%Y-%m-%d %H:%M:%S")},
        )
        connection.change(
            "insert into alarm_looks values ('111111111111', 'eu-central-1', ?, ?, ?, '')", [seen, first, seen]
        )
        connection.change(
            f"""
            {NUMBERS}, months as (select distinct substr(finished_at, 1, 7) || '-01' as month from audits)
            insert into usage select month, 111111111111 + n % 100, 'eu-central-1',
                iif(n < {TEAMS}, 'team-' || (n % {TEAMS}), ''), n + 1 from numbers, months where n > 0
            """,
            {"many": TEAMS + 100},
        )
        connection.change(
            """
            insert into spend_months select distinct substr(finished_at, 1, 7) || '-01', finished_at, 0 from audits
            group by substr(finished_at, 1, 7)
            """
        )
        for kind, usd in (("xray", "12.345678"), ("lambda", "987.654321")):
            connection.change(
                f"""
                {NUMBERS} insert into spend select month, 111111111111 + n, :kind, :usd from numbers, spend_months
                """,
                {"many": 100, "kind": kind, "usd": usd},
            )
    connection.close()


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("year") / "memory.db"
    build(path)
    with open_store(path) as store:
        yield store


@pytest.mark.parametrize(
    ("rule", "team"),
    [
        (Production(), None),
        (Production(tags=("env=prod",)), None),
        (Production(names=("service-*1-handler",)), None),
        (Production(tags=("env=prod",)), "team-7"),
    ],
    ids=["all", "production by tags", "production by names", "one team"],
)
def test_a_report_over_a_year_is_there_at_once(year: Store, rule: Production, team: str | None) -> None:
    context = Context(
        year, Cloud(SETTINGS), TeamSettings(), NamedPeople(), HandClock(), ZoneInfo("UTC"), FixPolicy(production=rule)
    )
    took: list[float] = []
    # Who shares the processor's caches slows down what is measured; the least is what the report itself takes.
    while len(took) < TRIES and min(took, default=MOST_YARDS) >= MOST_YARDS:
        found, needed = yards(lambda: figures(context, Window(NOON - timedelta(days=DAYS), NOON), team))
        took.append(needed)

    assert min(took) < MOST_YARDS, f"{took} yards"
    assert len(found.whole.trend) == DAYS
    assert len(found.by_team) == (1 if team else TEAMS)
    assert found.remediation.n > 0
    assert found.mttr_traced
    assert found.mttr_traced.n > 0
    assert found.whole.xray_usd is not None
    if team is None:
        parts = found.by_team.values()
        assert sum((one.xray_usd or 0 for one in parts), found.open_usd) == found.whole.xray_usd
        assert found.whole.xray_usd == pytest.approx(sum(one.xray_usd for one in found.spent), abs=Decimal("0.005"))
        assert sum(one.lambda_usd or 0 for one in parts) == found.whole.lambda_usd
        assert Coverage.sum(one.coverage for one in parts) == found.whole.coverage


def test_the_file_of_a_year_stays_small(year: Store) -> None:
    assert year.path.stat().st_size < MOST_BYTES


def test_a_look_is_found_to_be_due_at_once(year: Store) -> None:
    (places, last), took = yards(lambda: (year.incidents.places(), year.incidents.last_look()))

    assert len(places) == 100
    assert last is not None
    assert took < 1


def test_the_figures_of_a_short_window_are_there_at_once(year: Store) -> None:
    context = Context(year, Cloud(SETTINGS), TeamSettings(), NamedPeople(), HandClock(), ZoneInfo("UTC"))
    found, took = yards(lambda: figures(context, Window(NOON - timedelta(days=30), NOON), None))

    assert took < MOST_YARDS
    assert len(found.whole.trend) == 30

"""The plain views of the file: what Datasette shows of them, and that no later step stumbles over them."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasette.app import Datasette
from sqlite_utils import Database, Migrations

from storage.models import DecisionKind
from storage.schema_views import VIEWS, drop_views, make_views
from storage.store import Store
from tests.evidence_memory import APPROVERS, DAYS, NO_AUDIT, NOW, kept, organization

METADATA = yaml.safe_load((Path(__file__).parents[2] / "docs" / "datasette.yml").read_text(encoding="utf-8"))
TABLES = METADATA["databases"]["lamplighter"]["tables"]
QUERIES = METADATA["databases"]["lamplighter"]["queries"]
PATIENT = {"sql_time_limit_ms": 60_000}  # what else runs on the machine is no fault of a view
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # Datasette leaves its connections to the collector


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("views") / "lamplighter.db"


@pytest.fixture(scope="module")
def bot(path: Path) -> Iterator[Store]:
    """A bot that has the file open; a quarter is in it, and the newest decision in its -wal file alone."""
    store = Store(path)
    organization(store)
    store._connection.rows("pragma wal_checkpoint(truncate)")
    kept(store, DecisionKind.APPROVED, NOW, "policy", None, "newest")
    yield store
    store.close()


@pytest.fixture(scope="module")
def shown(bot: Store, path: Path) -> dict[str, Any]:
    """By address, what Datasette answers: every view, every query, and the database itself."""
    addresses = ["/lamplighter.json?_size=max"]
    addresses += [f"/lamplighter/{view}.json?_shape=array&_size=max" for view in VIEWS]
    addresses += [f"/lamplighter/{query}.json?_shape=array&function=service-00-worker-0" for query in QUERIES]
    return asyncio.run(asked(Datasette([str(path)], metadata=METADATA, settings=PATIENT), addresses))


async def asked(datasette: Datasette, addresses: list[str]) -> dict[str, Any]:
    answers = {address: await datasette.client.get(address) for address in addresses}
    failed = {address: one.text[:200] for address, one in answers.items() if one.status_code != 200}
    assert failed == {}
    return {address.split("/")[-1].partition(".")[0]: one.json() for address, one in answers.items()}


def test_datasette_lists_the_views_and_hides_every_table(shown: dict[str, Any]) -> None:
    database = shown["lamplighter"]

    assert [one["name"] for one in database["tables"] if not one["hidden"]] == [], "hide it in docs/datasette.yml"
    assert {one["name"] for one in database["views"]} == set(VIEWS)
    assert {one["name"] for one in database["queries"]} == set(QUERIES)


def test_each_view_says_what_it_is_in_columns_that_it_has(bot: Store) -> None:
    rows = bot._connection.rows
    columns = {view: [row["name"] for row in rows("select name from pragma_table_info(?)", [view])] for view in VIEWS}
    told = {name: TABLES[name] for name in VIEWS}

    assert [name for name, one in told.items() if not one.get("title")] == []
    for name, one in told.items():
        named = [*one.get("columns", ()), *one.get("facets", ()), one.get("sort"), one.get("sort_desc")]
        assert [column for column in named if column and column not in columns[name]] == [], name


def test_rows_are_plain_words_and_times(shown: dict[str, Any]) -> None:
    newest, *_ = shown["decision_log"]
    assert (newest["what"], newest["who"], newest["time"]) == (
        "approved a fix",
        "policy: grace period",
        "2026-10-02T09:00:00Z",
    )
    first = shown["decision_log"][-1]
    assert (first["what"], first["account"], first["region"], first["function"]) == (
        "asked for a fix",
        "111122223333",
        "eu-central-1",
        "service-00-worker-0",
    )
    assert len(shown["untraced_functions"]) == 120
    assert {one["verdict"] for one in shown["functions_now"]} == {"untraced"}
    assert shown["coverage_by_day"][0] | {"audit": 0} == {
        "day": "2026-09-29",
        "coverage_percent": 82.9,
        "traced": 745,
        "untraced": 135,
        "exempt": 19,
        "not_applicable": 40,
        "unknown": 10,
        "places_not_seen": 0,
        "audit": 0,
    }
    assert len(shown["coverage_by_day"]) == DAYS - len(NO_AUDIT)
    assert [one["coverage_percent"] for one in shown["team_coverage"]][:2] == [68.2, 68.9]
    assert {one["what"]: one["state"] for one in shown["all_exemptions"]}["service-19-worker-3"] == "revoked"
    assert {one["reason"] for one in shown["places_not_seen"]} == {
        "AccessDenied: lamplighter-audit cannot be assumed there."
    }
    assert len(shown["refused_attempts"]) == 9
    now = [one for one in shown["who_could_approve"] if one["until"] is None and one["team"] == "all teams"]
    assert {one["who"]: one["by_group"] for one in now} == dict.fromkeys(APPROVERS, "") | {
        "U0DAN000004": "S0PLATFORM1",
        "U0FAY000006": "S0PLATFORM1",
    }


def test_the_questions_that_come_with_it_are_answered(shown: dict[str, Any]) -> None:
    assert shown["a_functions_history"][0]["what"] == "asked for a fix"
    assert [one["day"] for one in shown["days_without_an_audit"]][:3] == ["2026-08-07", "2026-08-08", "2026-08-27"]
    assert sum(one["number"] for one in shown["approvals_by_person"] if one["what"] == "approved a fix") == 56
    assert {one["functions"] for one in shown["untraced_by_team"]} == {6}


def test_a_file_that_a_bot_has_open_is_shown_as_it_is_unless_it_is_taken_for_immutable(bot: Store, path: Path) -> None:
    address = "/lamplighter/decision_log.json?_shape=array&_size=1"
    live = asyncio.run(asked(Datasette([str(path)], metadata=METADATA, settings=PATIENT), [address]))
    stale = asyncio.run(asked(Datasette([], immutables=[str(path)], metadata=METADATA, settings=PATIENT), [address]))

    assert live["decision_log"][0]["request"] == "newest"
    assert stale["decision_log"][0]["request"] != "newest"  # which is why the README says to leave out -i


def test_nothing_can_be_written_through_it(bot: Store, path: Path) -> None:
    before = bot.evidence.head()

    async def write() -> int:
        sql = "delete+from+approval_looks"
        return (await Datasette([str(path)]).client.get(f"/lamplighter.json?sql={sql}")).status_code

    assert asyncio.run(write()) == 400
    assert bot.evidence.head() == before
    assert bot.approvers.days()


def test_a_step_that_makes_a_table_anew_does_not_stumble_over_a_view(tmp_path: Path) -> None:
    later = Migrations("later")

    @later()
    def anew(db: Database) -> None:
        db.execute("create table requests_new as select * from requests")
        db.execute("drop table requests")
        db.execute("alter table requests_new rename to requests")

    path = tmp_path / "memory.db"
    Store(path).close()
    with sqlite3.connect(path) as file:
        db = Database(file)
        with pytest.raises(sqlite3.OperationalError, match="error in view fixes"):
            later.apply(db)
        drop_views(db)
        later.apply(db)
        make_views(db)
        assert file.execute("select count(*) from fixes").fetchone() == (0,)
    file.close()


def test_an_opened_file_gets_its_views_anew_after_a_step_and_is_left_alone_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    Store(path).close()
    with sqlite3.connect(path) as file:
        file.execute("drop view fixes")
        file.execute("create view fixes as select 1 as old")
    Store(path).close()
    with sqlite3.connect(path) as file:
        assert [row[1] for row in file.execute("pragma table_info(fixes)")] == ["old"]
        # As a file of the version before, whose last step is still to be taken.
        for table in ("evidence_posts", "evidence_reports", "approval_looks", "approval_rules"):
            file.execute(f"drop table {table}")
        file.execute("delete from _sqlite_migrations where name = 'm024_evidence'")
    file.close()

    Store(path).close()

    with sqlite3.connect(path) as file:
        assert "approved_by" in [row[1] for row in file.execute("pragma table_info(fixes)")]
        names = {name for (name,) in file.execute("select name from sqlite_master where type = 'view'")}
    file.close()
    assert names == set(VIEWS)

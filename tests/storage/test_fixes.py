import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from storage import schema
from storage.fixes import AliasMove, AliasPlan, AliasStep, FixPlan, Receipt, RequestState, RoleStep
from storage.forecasts import Range, Unit
from storage.models import Manager, MayWrite, PostKind, TracingMode
from storage.store import Store
from tests.storage.conftest import NOON
from tests.storage.forecasts import forecast

PLAN = FixPlan(
    made_at=NOON,
    mode=TracingMode.PASS_THROUGH,
    role="arn:aws:iam::111122223333:role/refund",
    role_may_write=MayWrite.NO,
    role_step=RoleStep.ATTACH,
    role_manager=Manager.CDK,
    sharing=3,
    aliases=(AliasPlan("live", "7", AliasStep.DEPLOY, "version 7 has other code"),),
    manager=Manager.SAM,
    forecast=replace(forecast("arn:refund"), unit=Unit.SPANS, gigabytes=Range(0.1, 0.2, 0.3), usd=None, spiky=True),
    no_forecast="no price is known",
)
RECEIPT = Receipt(
    role=PLAN.role,
    policy="lamplighter-xray-write",
    mode_before=None,
    published="8",
    moves=(AliasMove("live", "7", "8"),),
    requests=("7f3c", "81aa"),
)


def test_a_plan_and_a_receipt_are_kept_as_they_were(store: Store, make_function) -> None:
    asked = store.requests.open_for(make_function(), NOON)

    store.requests.keep_plan(asked.id, PLAN)
    store.requests.keep_receipt(asked.id, RECEIPT)

    kept = store.requests.get(asked.id)
    assert kept.plan == PLAN
    assert kept.receipt == RECEIPT


def test_a_plan_that_was_kept_before_there_were_forecasts_is_read_as_one_without(store: Store) -> None:
    row = PLAN.to_row()
    for one in ("forecast", "no_forecast"):
        del row[one]

    assert FixPlan.from_row(row | {"monthly_usd": None}) == replace(PLAN, forecast=None, no_forecast="")


def test_a_plan_that_was_approved_is_not_replaced(store: Store, make_function) -> None:
    asked = store.requests.open_for(make_function(), NOON)
    store.requests.keep_plan(asked.id, PLAN)
    store.requests.claim(asked.id, "U0ANA", NOON)

    store.requests.keep_plan(asked.id, FixPlan(NOON, None, "", None, RoleStep.NOTHING))

    assert store.requests.get(asked.id).plan == PLAN


def test_a_file_of_an_earlier_release_keeps_its_requests_and_what_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "earlier.db"
    earlier = Database(sqlite3.connect(path))
    earlier.execute("pragma foreign_keys = on")
    schema.migrations.apply(earlier, stop_before="m004_plans_and_ends_of_requests")
    at = "2026-11-23T12:00:00.000000+00:00"
    columns = "id, function_arn, state, created_at"
    earlier.execute(f"insert into requests({columns}) values ('r1', 'arn', 'failed', ?)", [at])
    columns = "id, key, kind, channel, state, created_at, next_at"
    earlier.execute(f"insert into posts({columns}) values (1, 'k', 'digest', 'C', 'sent', ?, ?)", [at, at])
    earlier.execute("insert into post_items values (1, 1, 'r1')")
    earlier.conn.commit()
    earlier.close()

    store = Store(path)

    kept = store.requests.get("r1")
    assert (kept.state, kept.created_at) == (RequestState.FAILED, datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert store.posts.requests_of(1) == ["r1"]
    store.posts.create("later", PostKind.DIGEST, "C", NOON, requests=["r1"])  # post_items still points to requests
    store.close()

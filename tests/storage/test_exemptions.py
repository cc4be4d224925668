"""Exemptions in memory: what an older file held, what counts once, and who has left."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from sqlite_utils import Database

from storage.exemptions import Wish
from storage.models import ExemptScope, ExemptState
from storage.schema import migrations
from storage.store import Store
from storage.tag_marks import mark, markable, marks
from tests.storage.conftest import NOON

DAY = timedelta(days=1)
RULE = Wish(
    "made by the platform", NOON + 9 * DAY, "payments", ("payments", None), scope=ExemptScope.NAME, target="c-*"
)


def test_an_older_files_exemptions_are_kept_and_those_that_were_over_are_told_of_no_more(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    migrations.apply(Database(old), stop_before="m011_exemptions_that_are_rules")
    row = "insert into exemptions (function_arn, reason, granted_by, granted_at, expires_at) values (?, ?, ?, ?, ?)"
    times = [("2020-01-01T00:00:00.000000+00:00", "2020-02-01T00:00:00.000000+00:00")]
    times.append(("2026-01-01T00:00:00.000000+00:00", "2999-01-01T00:00:00.000000+00:00"))
    for number, (granted, expires) in enumerate(times):
        old.execute(row, [f"arn:{number}", "why", "U0ANA", granted, expires])
    old.commit()
    old.close()

    store = Store(path)

    assert store.exemptions.over(NOON) == []
    assert list(store.exemptions.in_force(NOON)) == ["arn:1"]
    kept = store.exemptions.covering("arn:1", NOON)
    assert (kept.reason, kept.scope, kept.teams, kept.state) == ("why", ExemptScope.FUNCTION, (None,), "granted")
    assert store.exemptions.find(kept.token) == kept
    store.close()


def test_a_rule_covers_its_members_until_they_leave_or_it_ends(store: Store) -> None:
    rule = store.exemptions.create(RULE, ("a", "b"), "U0ANA", NOON)
    assert set(store.exemptions.in_force(NOON)) == {"a", "b"}
    assert store.exemptions.ending_before(NOON, NOON + 9 * DAY) == [rule]
    assert store.exemptions.ending_before(NOON, NOON + 8 * DAY) == []

    assert store.exempted.leave(rule.id, "a", "traced", NOON)
    assert not store.exempted.leave(rule.id, "a", "traced", NOON)
    assert not store.exempted.add(rule.id, "a", NOON), "who has left does not come back"
    assert set(store.exemptions.in_force(NOON)) == {"b"}

    assert store.exemptions.finish(rule.id, ExemptState.GRANTED, ExemptState.REVOKED, "U0BO", NOON)
    assert not store.exemptions.finish(rule.id, ExemptState.GRANTED, ExemptState.ENDED, "clock", NOON)
    assert store.exemptions.in_force(NOON) == {}


def test_what_is_not_known_to_belong_to_it_is_not_covered(store: Store) -> None:
    rule = store.exemptions.create(RULE, ("a", "b"), "U0ANA", NOON)

    store.exempted.known(rule.id, ["a"], False)

    assert set(store.exemptions.in_force(NOON)) == {"b"}
    assert store.exemptions.covering("a", NOON) is None


def test_what_is_asked_for_covers_nothing_until_somebody_else_confirms_it(store: Store) -> None:
    asked = store.exemptions.ask(RULE, ("a",), "U0ANA", NOON, NOON + DAY)
    assert store.exemptions.in_force(NOON) == {}
    assert store.exemptions.asked_for(RULE) == asked

    assert not store.exemptions.confirm(asked.id, "U0ANA", NOON)
    assert not store.exemptions.confirm(asked.id, "U0BO", NOON + DAY)
    assert store.exemptions.confirm(asked.id, "U0BO", NOON)
    assert not store.exemptions.confirm(asked.id, "U0EVE", NOON)
    assert store.exemptions.covering("a", NOON).granted_by == "U0BO"


def test_marks_tell_tags_apart_and_keep_none_that_aws_gives_or_that_hold_an_address() -> None:
    kept = marks({"team": "payments", "purpose": "deployment", "aws:cloudformation:stack-id": "x", "by": "a@b.c"})

    assert kept.split() == sorted([mark("team=payments"), mark("purpose=deployment")])
    assert mark("team=Payments") not in kept
    assert "payments" not in kept
    assert marks({}) == marks({"aws:x": "y"}) == ""
    assert not markable("owner=a@b.c")

"""Who could approve: kept where it is news, never changed, and a row that was shows."""

import re
import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from storage.approvers import ApprovalRules, TeamRules
from storage.store import Store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = ApprovalRules(
    approvers=("U0ANA", "S0PLATFORM"),
    deny=("U0BO",),
    teams={"payments": TeamRules(("U0CLEO",), ("U0ANA",)), "search": TeamRules(("S0SEARCH",))},
    groups={"S0PLATFORM": ("U0BO", "U0DAN"), "S0SEARCH": None},
    two_people="always",
    grace_days=14,
    grace_teams=("payments",),
)
LATER = ApprovalRules(approvers=("U0ANA",), grace_teams=None)


def test_groups_are_their_members_and_who_is_denied_could_not() -> None:
    assert RULES.for_all() == {"U0ANA", "U0DAN"}
    assert RULES.people("payments") == {"U0CLEO", "U0DAN"}
    assert RULES.people("search") == {"U0ANA", "U0DAN"}
    assert RULES.everybody() == {"U0ANA", "U0CLEO", "U0DAN"}
    assert RULES.unread == ("S0SEARCH",)


def test_a_row_is_added_where_something_is_new_and_each_look_is_a_day(store: Store) -> None:
    looks = [(0, RULES), (1, RULES), (49, LATER), (50, RULES)]
    news = [store.approvers.seen(rules, NOON + timedelta(hours=hours)) for hours, rules in looks]

    assert news == [True, False, True, True]
    assert store.approvers.begins() == NOON
    assert store.approvers.at(NOON - timedelta(seconds=1)) is None
    assert [store.approvers.at(NOON + timedelta(hours=hours)).rules for hours in (0, 48, 49, 99)] == [
        RULES, RULES, LATER, RULES,
    ]  # fmt: skip
    changed = store.approvers.changed(NOON, NOON + timedelta(hours=50))
    assert [(one.since, one.rules) for one in changed] == [(NOON + timedelta(hours=49), LATER)]
    assert store.approvers.days() == {date(2026, 11, 23), date(2026, 11, 25)}
    assert store.approvers.verify() is None


@pytest.mark.parametrize("sql", ["update approval_rules set rules = '{}'", "delete from approval_rules"])
def test_no_row_can_be_changed_or_removed(store: Store, sql: str) -> None:
    store.approvers.seen(RULES, NOON)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store._connection.change(sql)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("update approval_rules set since = '2026-01-01T00:00:00.000000+00:00' where id = 1", "row 1 .* was changed"),
        ("update approval_rules set rules = replace(rules, 'U0CLEO', 'U0EVE') where id = 1", "row 1 .* was changed"),
        ("delete from approval_rules where id = 2", "row 2 .* is missing"),
        ("delete from approval_rules where id = 3", "row 3 .* is missing"),
    ],
)
def test_whoever_takes_the_triggers_away_is_found_out(store: Store, sql: str, said: str) -> None:
    for hours, rules in enumerate((RULES, LATER, RULES)):
        store.approvers.seen(rules, NOON + timedelta(hours=hours))
    for name in ("changed", "removed"):
        store._connection.change(f"drop trigger approval_rules_are_never_{name}")

    store._connection.change(sql)

    assert re.search(said, store.approvers.verify() or "")

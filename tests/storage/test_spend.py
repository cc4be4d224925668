"""What AWS billed, as it is kept: to the last decimal, and each month in place of what was known of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from storage.kpis import Spent
from storage.spend import AccountSpent, Bill, Billed, SpendLookUp
from storage.store import Store

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
ONE, OTHER = "111122223333", "444455556666"


def bill(month: date, account: str, kind: Billed, usd: str) -> Bill:
    return Bill(month, account, kind, Decimal(usd))


@pytest.fixture
def known(store: Store) -> Store:
    bills = [
        bill(OCTOBER, ONE, Billed.XRAY, "12.1000000001"),
        bill(OCTOBER, ONE, Billed.LAMBDA, "100"),
        bill(NOVEMBER, ONE, Billed.XRAY, "0.1"),
        bill(NOVEMBER, ONE, Billed.TRANSACTION_SEARCH, "0.2"),
        bill(NOVEMBER, OTHER, Billed.XRAY, "7"),
        bill(NOVEMBER, OTHER, Billed.LAMBDA, "14"),
    ]
    store.spend.save(bills, NOW, {OCTOBER: False, NOVEMBER: True})
    return store


def test_months_add_up_over_accounts_to_the_last_decimal(known: Store) -> None:
    assert known.spend.months(date(2026, 10, 31)) == (
        Spent(OCTOBER, Decimal("12.1000000001"), Decimal(100), NOW, estimated=False),
        Spent(NOVEMBER, Decimal("7.3"), Decimal(14), NOW, estimated=True),
    )
    assert [spent.month for spent in known.spend.months(NOVEMBER)] == [NOVEMBER]


def test_accounts_are_told_by_what_xray_cost_them(known: Store) -> None:
    (november,) = known.spend.billed(date(2026, 11, 28))
    assert november.accounts == (
        AccountSpent(OTHER, Decimal(7), Decimal(14)),
        AccountSpent(ONE, Decimal("0.3"), Decimal(0)),
    )
    assert known.spend.of_kind(NOVEMBER, Billed.TRANSACTION_SEARCH) == Decimal("0.2")


def test_a_newer_answer_takes_the_place_of_a_month_and_leaves_the_others(known: Store) -> None:
    later = NOW + timedelta(days=1)
    known.spend.save([bill(NOVEMBER, ONE, Billed.XRAY, "9")], later, {NOVEMBER: True})
    october, november = known.spend.months(OCTOBER)
    assert (october.xray_usd, october.asked_at) == (Decimal("12.1000000001"), NOW)
    assert (november.xray_usd, november.lambda_usd, november.asked_at) == (Decimal(9), Decimal(0), later)
    assert [one.account for one in known.spend.billed(NOVEMBER)[0].accounts] == [ONE]


def test_a_month_that_cost_nothing_is_known_and_one_that_was_never_told_is_not(store: Store) -> None:
    store.spend.save([], NOW, {NOVEMBER: True})
    assert [(one.month, one.xray_usd, one.share) for one in store.spend.months(OCTOBER)] == [(NOVEMBER, 0, None)]


def test_days_of_one_month_are_kept_in_order(store: Store) -> None:
    days = {date(2026, 11, 2): Decimal("1.5"), date(2026, 11, 1): Decimal(1), date(2026, 10, 31): Decimal(4)}
    store.spend.save_days(days)
    store.spend.save_days({date(2026, 11, 2): Decimal(2)})
    assert list(store.spend.days(NOVEMBER).items()) == [
        (date(2026, 11, 1), Decimal(1)),
        (date(2026, 11, 2), Decimal(2)),
    ]


def test_look_ups_are_counted_and_the_newest_is_told(store: Store) -> None:
    assert store.spend.last_asked() is None
    assert store.spend.usage_types() is None
    told = SpendLookUp(NOW, 2, Decimal("0.02"))
    refused = SpendLookUp(NOW + timedelta(days=1), 1, Decimal("0.01"), "AWS refused", told=False, denied=True)
    store.spend.asked(told, ["EUC1-XRay-Spans-Indexed"])
    store.spend.asked(refused)
    assert store.spend.last_asked() == refused
    assert store.spend.last_asked(that_told=True) == told
    assert store.spend.usage_types() == (NOW, ("EUC1-XRay-Spans-Indexed",))
    assert store.spend.requests_since(NOW) == 3
    assert store.spend.requests_since(NOW + timedelta(hours=1)) == 1
    assert store.spend.requests_since(NOW + timedelta(days=2)) == 0


def test_an_alert_is_kept_once_a_month(store: Store) -> None:
    store.spend.alert(NOVEMBER, "actual", [80, 100], NOW)
    store.spend.alert(NOVEMBER, "actual", [100], NOW + timedelta(days=1))
    assert store.spend.alerted(NOVEMBER, "actual") == {80, 100}
    assert store.spend.alerted(NOVEMBER, "forecast") == frozenset()
    assert store.spend.alerted(OCTOBER, "actual") == frozenset()
    assert store.spend.alerts(NOVEMBER) == (("actual", 80, NOW), ("actual", 100, NOW))

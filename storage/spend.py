"""What AWS billed for tracing and for Lambda, by account and month, and what it cost to ask."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from storage.connection import Connection, maybe_time, to_json, to_text, to_time
from storage.kpis import Spent

_NOTHING = Decimal(0)


class Billed(StrEnum):
    """What for. A report adds Transaction Search to X-Ray: it is the same traces, billed by CloudWatch."""

    XRAY = "xray"
    TRANSACTION_SEARCH = "transaction_search"
    LAMBDA = "lambda"


@dataclass(frozen=True, slots=True)
class Bill:
    """One account's, of a month and a kind, in US dollars as Cost Explorer spells them."""

    month: date  # its first day
    account: str
    kind: Billed
    usd: Decimal


@dataclass(frozen=True, slots=True)
class AccountSpent:
    """One account's month."""

    account: str
    xray_usd: Decimal  # the usage types of Transaction Search included
    lambda_usd: Decimal


@dataclass(frozen=True, slots=True)
class MonthBilled:
    """A month's bill, whole and by account, from one look at memory: Cost Explorer may be telling of it anew."""

    spent: Spent
    accounts: tuple[AccountSpent, ...]  # what X-Ray cost most first; they add up to `spent`. Empty: it cost nothing


@dataclass(frozen=True, slots=True)
class SpendLookUp:
    """Cost Explorer was asked, whether or not it told."""

    asked_at: datetime  # UTC
    requests: int  # each page is one, also one that was refused
    usd: Decimal  # what AWS bills for them
    problem: str = ""  # a sentence: why what it should have told is not known, all or in part
    told: bool = True  # False: it changed nothing that is kept
    denied: bool = False  # nothing comes of asking again before somebody changes a policy or a setting


class Spend:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def save(self, bills: Iterable[Bill], asked_at: datetime, estimated: Mapping[date, bool]) -> None:
        """In place of what was known of each month in `estimated`, by its first day: whether AWS called it an estimate.

        A month without any bill cost nothing, and is known to.
        """
        with self._db.transaction():
            for month, is_estimate in estimated.items():
                self._db.change("delete from spend where month = ?", [month.isoformat()])
                self._db.change(
                    "insert or replace into spend_months (month, asked_at, estimated) values (?, ?, ?)",
                    [month.isoformat(), to_text(asked_at), int(is_estimate)],
                )
            self._db.change_many(
                "insert into spend (month, account, kind, usd) values (?, ?, ?, ?)",
                ([bill.month.isoformat(), bill.account, str(bill.kind), str(bill.usd)] for bill in bills),
            )

    def months(self, since: date) -> tuple[Spent, ...]:
        """The months that are known, oldest first, from the one that `since` is in; of all accounts together."""
        return tuple(one.spent for one in self.billed(since))

    def billed(self, since: date) -> tuple[MonthBilled, ...]:
        """The same, with what each account was billed."""
        sql = """
            select month, asked_at, estimated, account, kind, usd from spend_months left join spend using (month)
            where month >= ? order by month
        """  # one question, so that no look at Cost Explorer comes between whole and parts
        sums: dict[tuple[str, str, bool], dict[str, list[Decimal]]] = {}
        for month, asked_at, estimated, account, kind, usd in self._db.tuples(sql, [since.replace(day=1).isoformat()]):
            of_month = sums.setdefault((month, asked_at, bool(estimated)), {})
            if account is not None:
                of_month.setdefault(account, [_NOTHING, _NOTHING])[kind == Billed.LAMBDA] += Decimal(usd)
        return tuple(_billed(*of, its) for of, its in sums.items())

    def of_kind(self, month: date, kind: Billed) -> Decimal:
        """What all accounts were billed for it in the month that this day is in; 0 where nothing is known too."""
        sql = "select usd from spend where month = ? and kind = ?"
        told = self._db.tuples(sql, [month.replace(day=1).isoformat(), str(kind)])
        return sum((Decimal(usd) for (usd,) in told), _NOTHING)

    # ---- days, of which a forecast is made

    def save_days(self, days: Mapping[date, Decimal]) -> None:
        """What X-Ray cost on each, Transaction Search included; in place of what was known of them."""
        self._db.change_many(
            "insert or replace into spend_days (day, usd) values (?, ?)",
            ([day.isoformat(), str(usd)] for day, usd in days.items()),
        )

    def days(self, month: date) -> Mapping[date, Decimal]:
        """Those that are known of the month that this day is in, in order."""
        like = f"{month:%Y-%m}-%"
        told = self._db.tuples("select day, usd from spend_days where day like ? order by day", [like])
        return {date.fromisoformat(day): Decimal(usd) for day, usd in told}

    # ---- asking

    def asked(self, look_up: SpendLookUp, usage_types: Sequence[str] | None = None) -> None:
        """`usage_types`: those of Transaction Search that stand on bills, where they were asked for."""
        self._db.insert(
            "spend_lookups",
            {
                "asked_at": to_text(look_up.asked_at),
                "requests": look_up.requests,
                "usd": str(look_up.usd),
                "problem": look_up.problem,
                "told": int(look_up.told),
                "denied": int(look_up.denied),
                "usage_types": None if usage_types is None else to_json(list(usage_types)),
            },
        )

    def last_asked(self, *, that_told: bool = False) -> SpendLookUp | None:
        """The newest look-up, or the newest that changed what is kept."""
        row = self._db.row("select * from spend_lookups where told >= ? order by id desc limit 1", [int(that_told)])
        if row is None:
            return None
        return SpendLookUp(
            asked_at=to_time(row["asked_at"]),
            requests=row["requests"],
            usd=Decimal(row["usd"]),
            problem=row["problem"],
            told=bool(row["told"]),
            denied=bool(row["denied"]),
        )

    def first_told(self) -> datetime | None:
        """When Cost Explorer first told anything; None: it never did."""
        row = self._db.row("select min(asked_at) as at from spend_lookups where told = 1")
        return maybe_time(row["at"]) if row else None

    def requests_since(self, when: datetime) -> int:
        """How many requests Cost Explorer was sent since then."""
        row = self._db.row("select total(requests) as n from spend_lookups where asked_at >= ?", [to_text(when)])
        return int(row["n"]) if row else 0

    def usage_types(self) -> tuple[datetime, tuple[str, ...]] | None:
        """When AWS was last asked which usage types of Transaction Search there are, and what it said."""
        row = self._db.row("select * from spend_lookups where usage_types is not null order by id desc limit 1")
        return (to_time(row["asked_at"]), tuple(json.loads(row["usage_types"]))) if row else None

    # ---- alerts

    def alerted(self, month: date, which: str) -> frozenset[int]:
        """The thresholds, in percent of the budget, that somebody was told of; `which` is `actual` or `forecast`."""
        sql = "select threshold from budget_alerts where month = ? and which = ?"
        return frozenset(threshold for (threshold,) in self._db.tuples(sql, [month.isoformat(), which]))

    def alert(self, month: date, which: str, thresholds: Iterable[int], at: datetime) -> None:
        """They were passed and told, in this month never again. Belongs in the transaction that makes the post."""
        self._db.change_many(
            "insert or ignore into budget_alerts (month, which, threshold, at) values (?, ?, ?, ?)",
            ([month.isoformat(), which, threshold, to_text(at)] for threshold in thresholds),
        )

    def alerts(self, month: date) -> tuple[tuple[str, int, datetime], ...]:
        """Which, its threshold, and when it was told; in the order of the telling."""
        sql = "select which, threshold, at from budget_alerts where month = ? order by at, which, threshold"
        told = self._db.tuples(sql, [month.isoformat()])
        return tuple((which, threshold, to_time(at)) for which, threshold, at in told)


def _billed(month: str, asked_at: str, estimated: bool, its: Mapping[str, Sequence[Decimal]]) -> MonthBilled:
    accounts = [AccountSpent(account, xray, of_lambda) for account, (xray, of_lambda) in its.items()]
    accounts.sort(key=lambda one: (-one.xray_usd, -one.lambda_usd, one.account))
    xray = sum((one.xray_usd for one in accounts), _NOTHING)
    of_lambda = sum((one.lambda_usd for one in accounts), _NOTHING)
    spent = Spent(date.fromisoformat(month), xray, of_lambda, to_time(asked_at), estimated)
    return MonthBilled(spent, tuple(accounts))

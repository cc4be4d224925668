"""`/trace-report`: who asks for what, the button that shares it, and the weekly post that comes once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from commands import COMMANDS
from commands._budget_alerts import look
from commands._budget_rules import BudgetRules, SpendRules
from commands._drawing import draw
from commands._forecast_rules import ForecastRules
from commands._report_rules import ReportRules
from commands._reports import POINTS, fewer, make_report
from commands._schedule import Slot
from commands._types import Clock, Context, Progress, Replace, Reply, Request, Say
from commands.budget import budget
from commands.digest import AUDIT, DAILY
from commands.report import WEEKLY, Wanted, report, share, weekly
from commands.spend import SPEND
from commands.views.report import SHARE
from commands.views.report_csv import report_csv
from storage.kpis import Day
from storage.models import THE_CLOCK, Coverage, Function, Inventory, Post, PostKind, Source, Verdict
from storage.spend import Bill, Billed, SpendLookUp
from storage.usage import UsageLook
from tests.commands.conftest import ANA, HandClock
from tests.commands.views.test_views import words
from tests.reporting import coverage


@pytest.fixture
def audited(context: Context, clock: HandClock, remembered: Callable[..., Function]) -> Context:
    """Two functions of payments, one of which is traced, were seen."""
    begun = clock()
    dark, lit = remembered("refund"), remembered("ledger", verdict=Verdict.TRACED)
    clock.forward(seconds=5)
    seen = Inventory((dark, lit), (), ("123456789012",), ("eu-central-1",), 9)
    counts = {"payments": Coverage.of((dark, lit))}
    context.store.audits.record(seen, counts, source=Source.CLOCK, started_at=begun, finished_at=clock())
    context.store.functions.save((dark, lit), begun, audited=True)
    return context


def asks(text: str = "", **more: object) -> Request:
    given = {"source": Source.SLASH, "workspace": "T0LAMPLIT", "channel": "C0PAY", "text": text} | more
    return Request(user=ANA, now=HandClock()(), **given)


def answer(context: Context, text: str = "") -> list[Reply]:
    return list(report(asks(text), context))


def say(replies: list[Reply]) -> Say:
    (found,) = [one for one in replies if isinstance(one, Say)]
    return found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Wanted("", 30)),
        ("payments", Wanted("payments", 30)),
        ("payments 7d", Wanted("payments", 7)),
        ("365D Data Platform", Wanted("Data Platform", 365)),
        ("4w", Wanted("", 28)),
        ("52w", Wanted("", 364)),
    ],
)
def test_a_team_and_a_window_are_read_in_either_order(text: str, wanted: Wanted) -> None:
    assert Wanted.read(text) == wanted


@pytest.mark.parametrize("text", ["6d", "366d", "53w", "0w", "30", "-7d", "7.5d", "30m", "9999999d", "payments 30days"])
def test_what_is_no_window_is_one_clear_line(audited: Context, text: str) -> None:
    (reply,) = answer(audited, text)

    assert isinstance(reply, Say)
    assert f"`{text.rsplit(maxsplit=1)[-1]}` is no window of time. Write days from `7d` to `365d`" in reply.text
    assert "\n" not in reply.text


def test_two_windows_are_one_too_many(audited: Context) -> None:
    assert "more than one window in that: `7d` and `30d`" in say(answer(audited, "7d 30d")).text


def test_a_team_may_be_called_what_looks_like_a_window(audited: Context, remembered: Callable[..., Function]) -> None:
    remembered("login", team="2fa")

    assert "Tracing report of *2fa*" in say(answer(audited, "2fa")).text


def test_a_team_that_nobody_knows_is_asked_back(audited: Context) -> None:
    (reply,) = answer(audited, "payment 30d")

    assert isinstance(reply, Say)
    assert "No function is of a team `payment`. Did you mean `payments`?" in reply.text


def test_before_the_first_audit_there_is_nothing_to_report(context: Context) -> None:
    assert "No audit has been taken yet" in say(answer(context)).text


def test_first_that_it_is_worked_on_then_the_figures_with_a_button(audited: Context) -> None:
    first, second = answer(audited, "payments 90d")

    assert first == Progress("Working out the figures of 90 days…")
    assert isinstance(second, Say)
    assert "Tracing report of *payments*" in second.text
    assert "(90 days, UTC)" in words(list(second.blocks))
    (button,) = second.blocks[-1]["elements"]
    assert button["action_id"] == SHARE
    assert audited.store.reports.get(button["value"])


def click(context: Context, value: str, **more: object) -> list[Reply]:
    return list(share(asks(value=value, source=Source.BUTTON, **more), context))


@pytest.mark.parametrize("hour", [0, 9, 12, 23])
@pytest.mark.parametrize("days", [7, 30])
def test_the_days_that_it_names_are_those_that_it_is_of(
    audited: Context, clock: HandClock, days: int, hour: int
) -> None:
    clock.now = clock.now.replace(hour=hour, minute=5)
    shown = words(say(answer(audited, f"{days}d")).blocks)

    window = make_report(audited, days, None).window
    assert (window.last - window.first).days + 1 == window.days == days
    assert window.since == datetime.combine(window.first, time(), UTC)
    assert window.until == clock.now
    assert f"{'Nov 17' if days == 7 else 'Oct 25'} – Nov 23, 2026 ({days} days" in shown


def test_a_figure_reads_alike_wherever_it_stands(audited: Context, clock: HandClock) -> None:
    """In the report, in `/trace-budget`, and in the alert of a threshold."""
    month = date(2026, 11, 1)
    bills = [("123456789012", Billed.XRAY, "1023.62"), ("123456789012", Billed.LAMBDA, "5092.64")]
    audited.store.spend.save([Bill(month, who, kind, Decimal(usd)) for who, kind, usd in bills], clock(), {month: True})
    context = replace(audited, budget=BudgetRules(Decimal("1637.79"), thresholds_actual=(50,)))

    reported = words(say(answer(context)).blocks)
    budgeted = words(say(list(budget(replace(asks(), text=""), context))).blocks)
    look(context, clock())
    alert = context.store.posts.all(PostKind.NOTICE)[0].text

    space = "\N{NO-BREAK SPACE}"
    for part in ("$1,023.62", f"62.5{space}%", "$1,637.79"):
        assert part in reported
        assert part in budgeted
        assert part in alert
    for part in ("$5,092.64", f"20.1{space}%"):
        assert part in reported
        assert part in budgeted
    assert "1023.62" in report_csv(make_report(context, 30, None))


def test_the_button_posts_the_same_report_in_the_channel_once(audited: Context, clock: HandClock) -> None:
    shown = say(answer(audited))
    value = shown.blocks[-1]["elements"][0]["value"]
    clock.forward(minutes=10)

    redrawn, told = click(audited, value, private=True)
    again = click(audited, value, private=True)

    assert isinstance(redrawn, Replace)
    assert all(block["type"] != "actions" for block in redrawn.blocks)
    assert "Posting it here" in say([told]).text
    assert [reply.text for reply in again if isinstance(reply, Say)] == ["This report was posted here already."]
    (post,) = audited.store.posts.all(PostKind.REPORT)
    (files,) = audited.store.posts.all(PostKind.REPORT_FILES)
    assert (post.channel, files.thread) == ("C0PAY", post.id)
    text, blocks = draw(audited, post)
    assert text == shown.text
    assert "shared by <@U0ANA>" in words(blocks)


def test_a_report_that_is_no_longer_kept_is_asked_for_anew(audited: Context, clock: HandClock) -> None:
    value = say(answer(audited)).blocks[-1]["elements"][0]["value"]
    clock.forward(days=8)
    audited.store.reports.forget(clock() - timedelta(days=7))

    assert "This report is no longer kept. Ask for a new one" in say(click(audited, value)).text
    assert "This report is no longer kept. Ask for a new one" in say(click(audited, "of another installation")).text


def test_a_report_is_posted_in_channels_only(audited: Context) -> None:
    value = say(answer(audited)).blocks[-1]["elements"][0]["value"]

    assert "this is a direct message" in say(click(audited, value, channel="D0ANA")).text
    assert audited.store.posts.all(PostKind.REPORT) == []


# -- The weekly post.


def turn(context: Context) -> list[Post]:
    """The clock looks; the reports that wait by now."""
    list(weekly(Request(THE_CLOCK, context.clock(), Source.CLOCK), context))
    return context.store.posts.all(PostKind.REPORT)


def run_of_the_day(context: Context, job: str) -> None:
    day = context.clock().astimezone(context.zone).date()
    context.store.daily_runs.begin(job, day, context.clock())
    context.store.daily_runs.end(job, day, context.clock())


def alarms_read(context: Context) -> None:
    now = context.clock()
    for place in context.store.incidents.places():
        context.store.incidents.looked(place, now, now - timedelta(days=30), now)


def gb_seconds_read(context: Context) -> None:
    for place in context.store.incidents.places():
        context.store.usage.told([], {}, UsageLook(*place, context.clock()))


def reads_of_the_day(context: Context) -> None:
    run_of_the_day(context, AUDIT)
    run_of_the_day(context, SPEND)
    alarms_read(context)
    gb_seconds_read(context)


def test_it_is_posted_once_on_its_day_however_late_and_not_on_the_next(audited: Context, clock: HandClock) -> None:
    clock.now = clock.now.replace(hour=8, minute=59)  # 09:59 in Berlin
    reads_of_the_day(audited)
    assert turn(audited) == []
    clock.forward(minutes=1)
    (post,) = turn(audited)
    clock.forward(hours=5)
    assert turn(audited) == [post]
    for _ in range(6):
        clock.forward(days=1)
        assert turn(audited) == [post]
    clock.forward(days=1)
    reads_of_the_day(audited)
    assert [one.key for one in turn(audited)] == ["report:weekly:2026-11-23", "report:weekly:2026-11-30"]
    assert post.channel == "#finops"


def test_a_bot_that_was_down_at_its_hour_posts_it_later_that_day(audited: Context, clock: HandClock) -> None:
    clock.now = clock.now.replace(hour=22)
    assert len(turn(audited)) == 1


def test_a_bot_that_was_down_all_day_leaves_it_out(audited: Context, clock: HandClock) -> None:
    clock.forward(days=1)
    assert turn(audited) == []


def run_of(job: str) -> Callable[[Context], None]:
    return lambda context: run_of_the_day(context, job)


READS = {"audit": run_of(AUDIT), "spend": run_of(SPEND), "alarms": alarms_read, "GB-seconds": gb_seconds_read}


@pytest.mark.parametrize("last", READS)
def test_it_waits_for_all_that_the_day_reads_but_not_for_long(last: str, audited: Context, clock: HandClock) -> None:
    clock.now = clock.now.replace(hour=9, minute=30)
    for name, read in READS.items():
        if name != last:
            read(audited)
    assert turn(audited) == []
    READS[last](audited)
    assert len(turn(audited)) == 1


def test_after_two_hours_it_says_what_it_does_not_know(audited: Context, clock: HandClock) -> None:
    run_of_the_day(audited, AUDIT)
    clock.now = clock.now.replace(hour=10, minute=59)  # 11:59 in Berlin
    assert turn(audited) == []
    clock.forward(minutes=1)
    (post,) = turn(audited)
    text, blocks = draw(audited, post)
    assert "history of alarms was not read yet" in "\n".join([text, words(blocks)])


def test_it_waits_for_forecasts_that_are_being_made(audited: Context, clock: HandClock) -> None:
    clock.now = clock.now.replace(hour=9, minute=30)
    reads_of_the_day(audited)
    with audited.in_hand.hold(DAILY):
        assert turn(audited) == []
    assert len(turn(audited)) == 1


def test_it_does_not_wait_for_what_is_switched_off_or_comes_later_that_day(audited: Context, clock: HandClock) -> None:
    clock.now = clock.now.replace(hour=9, minute=30)
    run_of_the_day(audited, AUDIT)
    alarms_read(audited)
    quiet = replace(audited, spending=SpendRules(enabled=False), forecasting=ForecastRules(enabled=False))
    assert len(turn(quiet)) == 1


def test_it_does_not_wait_for_a_bill_that_is_asked_for_in_the_afternoon(audited: Context, clock: HandClock) -> None:
    """Yesterday's answer serves."""
    at = clock.now.replace(hour=9, minute=30)
    clock.now = at - timedelta(days=1)
    audited.store.spend.asked(SpendLookUp(clock(), 1, Decimal("0.01"), "", told=True, denied=False), None)
    clock.now = at
    alarms_read(audited)
    gb_seconds_read(audited)
    run_of_the_day(audited, AUDIT)
    general = replace(audited.schedule.general, slot=Slot(time(14, 0), audited.zone))
    assert len(turn(replace(audited, schedule=replace(audited.schedule, general=general)))) == 1


def test_without_any_audit_there_is_none(context: Context, clock: HandClock) -> None:
    reads_of_the_day(context)
    assert turn(context) == []


def test_the_day_the_hour_and_the_channel_are_those_of_the_settings(audited: Context, clock: HandClock) -> None:
    rules = ReportRules(weekly=4, at=time(16, 45), channel="#cloud-costs")
    friday = replace(audited, reporting=rules)
    assert turn(friday) == []
    clock.forward(days=4, hours=4)
    reads_of_the_day(friday)
    (post,) = turn(friday)
    assert post.channel == "#cloud-costs"


def test_never_is_never(audited: Context, clock: HandClock) -> None:
    off = replace(audited, reporting=ReportRules(weekly=None))
    for _ in range(8):
        reads_of_the_day(off)
        assert turn(off) == []
        clock.forward(days=1)


def test_the_clock_looks_often_enough_for_a_late_start() -> None:
    (entry,) = [one for one in COMMANDS if isinstance(one, Clock) and one.job_id == WEEKLY]
    assert entry.every
    assert entry.every <= timedelta(minutes=15)


@pytest.mark.parametrize("days", [1, 30, 62, 63, 90, 365])
def test_a_long_trend_keeps_its_newest_day_and_even_steps(days: int) -> None:
    whole = [Day(date(2025, 11, 24) + timedelta(days=at), coverage(10, 4)) for at in range(days)]
    kept = fewer(whole, whole[-1].on)

    assert kept[-1] == whole[-1]
    assert len(kept) <= POINTS
    assert len({(later.on - earlier.on).days for earlier, later in pairwise(kept)}) <= 1
    assert (kept[0].on - whole[0].on).days < 7

"""What people read, in the page and at both widths: digests of four sizes, the forms, Home and the reminder.

Each is drawn by the bot itself from memory. It is one bot for all of them, since two weeks of digests take longer to
send than to look at: what is clicked on here decides nothing, and what was opened is closed again. Where
LAMPLIGHTER_SCREENSHOTS names a folder, the pictures are left there.
"""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs
from playwright.sync_api import Browser, Locator, Page, expect
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.app import build_app
from bot.channels import ChannelNames
from bot.demo import people
from bot.demo.people import ANA
from bot.demo.slack import TEAM_ID, SlackStandIn, Workspace
from bot.desk import Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from commands import COMMANDS
from commands._drawing import draw
from commands._requests import ask
from commands._telling import Day, tell
from commands._types import Context, Request
from commands.exemption_clock import turn
from storage.exemptions import Wish
from storage.forecasts import Forecast, Range
from storage.models import (
    THE_CLOCK,
    CheckName,
    Coverage,
    Finding,
    Function,
    Inventory,
    Manager,
    MayWrite,
    NotScanned,
    Source,
    TracingMode,
    Verdict,
)
from tests.bot.conftest import ROOT, SetClock, context_in
from tests.bot.demo.slack.conftest import hang_up

pytestmark = pytest.mark.browser

SIZES = {"checkout": 0, "search": 3, "payments": 40, "data-platform": 400}
CHANNELS = {team: people._CHANNEL_IDS[team] for team in SIZES}
PRIYA = "U07A8N2RPAY"
PLACES = (("482915067331", "eu-central-1"), ("730264918852", "eu-central-1"), ("482915067331", "us-east-1"))
THINGS = ("refund", "ledger", "settlement", "payout", "invoice", "chargeback", "receipt", "voucher", "tax", "statement")
DOINGS = ("worker", "export", "webhook", "mailer", "renderer", "scheduler", "importer", "archiver", "monitor", "replay")
SLOWLY = 20_000  # milliseconds


def function(team: str, number: int, verdict: Verdict = Verdict.UNTRACED) -> Function:
    """As an account has them: some roles lack the permission, some are deployed by a stack, some names are long."""
    account, region = PLACES[0 if number < 3 else number % 3]
    name = f"{team.split('-', maxsplit=1)[0]}-{THINGS[number % 10]}-{DOINGS[number // 10 % 10]}" + (
        f"-{number // 100}" if number > 99 else ""
    )
    if number == 2:
        name = f"{team}-nightly-reconciliation-of-settled-transactions-handler"
    aliased = Finding(
        CheckName.ALIAS_UNTRACED, "Alias live serves version 7, which was published without active tracing."
    )
    return Function(
        arn=f"arn:aws:lambda:{region}:{account}:function:{name}",
        account=account,
        region=region,
        name=name,
        mode=TracingMode.ACTIVE if verdict is Verdict.TRACED else TracingMode.PASS_THROUGH,
        role=f"arn:aws:iam::{account}:role/{team}-worker",
        role_may_write=MayWrite.NO if number % 4 == 0 else MayWrite.YES,
        team=team,
        verdict=verdict,
        managed_by=Manager.SAM if number % 5 == 1 else None,
        findings=(aliased,) if number == 1 and verdict is Verdict.UNTRACED else (),
    )


# Calls a day of one function after another; None: CloudWatch would not say.
DAILY = (84_000, 2_400_000, 310, 0, 12_500, None, 1_440, 190_000, 26)


def traffic(one: Function, number: int, clock: SetClock) -> Forecast | None:
    """Two weeks of it: steady, but for a function that comes in bursts and one of high volume."""
    daily, until = DAILY[number % len(DAILY)], clock().replace(minute=0)
    if daily is None:
        return None
    a_month = daily * 30.0
    seconds = 2_592_000.0
    low, high = 0.05 * a_month + min(a_month, 720) * 0.95, 0.95 * min(a_month, seconds) + 0.05 * a_month
    expected = 0.95 * seconds * (1 - math.exp(-a_month / seconds)) + 0.05 * a_month
    recorded = Range(low, min(high, expected), high)
    return Forecast(
        one.arn,
        clock(),
        until - timedelta(days=14),
        until,
        3600,
        daily * 14,
        recorded,
        usd=recorded.times(0.000005),
        price="$5.00 per million traces recorded in eu-central-1 (AWS's Price List)",
        spiky=daily == 1_440,
        busy=daily > 1_000_000,
    )


def seen(context: Context, clock: SetClock, functions: Sequence[Function]) -> None:
    """An audit that saw these and no others; each team hears of it."""
    begun = clock()
    context.store.functions.save(functions, begun, audited=True)
    context.store.forecasts.save(
        known for number, one in enumerate(functions) if (known := traffic(one, number, clock))
    )
    clock.forward(seconds=44)
    teams = {one.team for one in functions}
    counts = {team: Coverage.of(one for one in functions if one.team == team) for team in teams}
    unseen = (NotScanned("915837204466", "", "AccessDenied: not authorized to perform sts:AssumeRole"),)
    inventory = Inventory(
        tuple(functions), unseen, tuple({one.account for one in functions}), ("eu-central-1", "us-east-1"), 61
    )
    audit = context.store.audits.record(inventory, counts, source=Source.CLOCK, started_at=begun, finished_at=clock())
    day = Day.of(context, audit, clock().date())
    for team in SIZES:
        tell(context, team, day)


@pytest.fixture(scope="module")
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, clock: SetClock) -> Iterator[Context]:
    with context_in(tmp_path_factory.mktemp("bot"), clock) as made:
        yield made


@pytest.fixture(scope="module")
def slack(clock: SetClock) -> Iterator[SlackStandIn]:
    """Its messages are of the day that the bot believes in, so that a picture is the same tomorrow."""
    workspace = Workspace(people.people(), people.channels(), people.user_groups(), clock=lambda: clock().timestamp())
    with SlackStandIn(ROOT / "manifest.yml", workspace) as running:
        yield running


@pytest.fixture(scope="module")
def client(slack: SlackStandIn) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture(scope="module")
def bot(slack: SlackStandIn, client: WebClient, context: Context, clock: SetClock) -> Iterator[None]:
    """A week after checkout's last functions were told, and on the morning on which they are traced."""
    who = SlackPeople(client, TEAM_ID, people.APPROVERS, {})
    context = replace(context, people=who)
    lit = [function(team, number, Verdict.TRACED) for team in SIZES for number in range(500, 560)]
    dark = [function("checkout", number) for number in range(2)]
    base = function("payments", 0).arn.rpartition(":")[0]
    exempt = structs.replace(
        function("payments", 77, Verdict.EXEMPT), name="chargeback-scheduler", arn=f"{base}:chargeback-scheduler"
    )
    clock.forward(days=-7, hours=-5)
    seen(context, clock, [*lit, *dark, exempt])
    until = clock().replace(hour=22, minute=59, second=59) + timedelta(days=14)
    wish = Wish(
        "Moves to containers in December, nobody touches it until then", until, "payments", ("payments",), exempt.arn
    )
    context.store.exemptions.create(wish, (exempt.arn,), ANA, clock() - timedelta(days=30))
    _send(context, client, clock)
    clock.now = clock().replace(hour=8, minute=0, second=0) + timedelta(days=7)
    dark = [function(team, number) for team, untraced in SIZES.items() for number in range(untraced)]
    solved = [function("checkout", number, Verdict.TRACED) for number in range(2)]
    seen(context, clock, [*lit, *dark, *solved, exempt])
    list(turn(Request(THE_CLOCK, clock(), Source.CLOCK), context))
    asked = context.store.requests.open_for(function("payments", 1), clock())
    ask(Request(PRIYA, clock(), Source.SLASH, workspace=TEAM_ID), context, asked, "we were blind in OPS-12")
    _send(context, client, clock)
    desk = Desk(context, who, Outbox(context, client, ChannelNames(client), draw))
    wire = WebClient(token=slack.app_token, base_url=slack.api_url)
    handler = SocketModeHandler(build_app(COMMANDS, desk, client, ""), slack.app_token, web_client=wire)
    handler.connect()
    slack.wait_until_connected()
    yield
    desk.stop()
    handler.client.auto_reconnect_enabled = False
    slack.drop_connections(goodbye=True)
    hang_up(handler)
    assert slack.faults == []


def _send(context: Context, client: WebClient, clock: SetClock) -> None:
    """All that is due, each time by an outbox that keeps no pace of an earlier one."""
    for _ in range(6):
        Outbox(context, client, ChannelNames(client), draw).send_due()
        clock.forward(seconds=5)


@pytest.fixture(params=[1280, 400])
def page(
    browser: Browser, bot: None, slack: SlackStandIn, clock: SetClock, request: pytest.FixtureRequest
) -> Iterator[Page]:
    opened = browser.new_page(
        viewport={"width": request.param, "height": 900}, timezone_id="Europe/Berlin", locale="en-GB"
    )
    opened.clock.set_fixed_time(clock())
    unread = dict(slack.workspace._last_read)
    yield opened
    opened.close()
    slack.workspace._last_read = unread  # so that each finds the channels as if nobody had looked
    assert slack.faults == []


def visit(page: Page, slack: SlackStandIn, place: str, more: str = "") -> None:
    page.goto(f"{slack.url}/#/{place}?as={ANA}{more}")


def keep(page: Page, name: str, shown: Locator | None = None) -> None:
    """Nothing runs out of the page, nor out of what it shows; as high as that is, up to a limit."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    if shown:
        height = int(shown.evaluate("one => one.scrollHeight"))
        page.set_viewport_size({"width": width, "height": max(620, min(1500, height + 330))})
        shown.evaluate("one => one.scrollIntoView()")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    folder = os.environ.get("LAMPLIGHTER_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}-{width}.png", animations="disabled")


def newest(page: Page, words: str) -> Locator:
    found = page.get_by_test_id("message").filter(has_text=words).last
    expect(found).to_be_visible(timeout=SLOWLY)
    return found


@pytest.mark.parametrize(
    ("team", "words"),
    [
        ("checkout", ["All 62 functions of checkout are traced since"]),
        (
            "search",
            [
                "3 Lambda functions without active tracing",
                "Team search",
                "Review and fix…",
                "new",
                "Tracing all 3: about $",
                "Tracing it: ≈",
            ],
        ),
        (
            "payments",
            [
                "40 Lambda functions without active tracing",
                "30 others, by account",
                "in this thread",
                "4 of them not known",
                "High volume:",
            ],
        ),
        ("data-platform", ["400 Lambda functions without active tracing", "390 others, by account", "in this thread"]),
    ],
)
def test_a_digest(page: Page, slack: SlackStandIn, team: str, words: Sequence[str]) -> None:
    visit(page, slack, CHANNELS[team])
    shown = newest(page, words[0])
    for one in words:
        expect(shown).to_contain_text(one)
    expect(shown.get_by_label("Approve fix of")).to_have_count({0: 0, 3: 3}.get(SIZES[team], 10))
    keep(page, f"digest-{SIZES[team]}", shown)


def test_the_dialog_before_a_fix(page: Page, slack: SlackStandIn) -> None:
    visit(page, slack, CHANNELS["search"])
    newest(page, "3 Lambda functions").get_by_label("Approve fix of").first.click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Cost: about $", timeout=SLOWLY)
    keep(page, "confirm")


@pytest.mark.parametrize(
    ("team", "words"), [("payments", "payments-chargeback-export"), ("data-platform", "395 more rows")]
)
def test_the_full_list_in_the_thread(page: Page, slack: SlackStandIn, team: str, words: str) -> None:
    top = next(one for one in reversed(slack.workspace.messages(CHANNELS[team])) if "without active" in one.text)
    visit(page, slack, CHANNELS[team], f"&thread={top.ts}")
    expect(page.get_by_test_id("thread")).to_contain_text(words, timeout=SLOWLY)
    keep(page, f"list-{SIZES[team]}")


def test_the_forms(page: Page, slack: SlackStandIn) -> None:
    visit(page, slack, CHANNELS["search"])
    digest, modal = newest(page, "3 Lambda functions"), page.get_by_test_id("modal")
    digest.get_by_label("Exempt search-refund-worker").click()
    expect(modal).to_contain_text("refund-worker", timeout=SLOWLY)
    expect(modal.get_by_label("Why may it stay untraced?")).to_be_visible()
    keep(page, "exempt")
    page.get_by_test_id("modal-close").first.click()
    digest.get_by_label("More actions").first.click()
    keep(page, "menu")
    page.get_by_role("menuitem", name="Snooze…").click()
    expect(modal).to_contain_text("nooze", timeout=SLOWLY)
    keep(page, "snooze")
    page.get_by_test_id("modal-close").first.click()
    digest.get_by_label("Review and fix functions of search").click()
    expect(modal).to_contain_text("that match", timeout=SLOWLY)
    modal.get_by_label("Take all of them").check()
    expect(modal).to_contain_text("Tracing all 3: about $", timeout=SLOWLY)
    keep(page, "review")
    page.get_by_test_id("modal-close").first.click()
    expect(modal).to_be_hidden()


def test_a_reminder_of_an_exemption(page: Page, slack: SlackStandIn) -> None:
    visit(page, slack, CHANNELS["payments"])
    shown = newest(page, "The exemption of chargeback-scheduler")
    expect(shown.get_by_label("Extend the exemption of chargeback-scheduler")).to_be_visible()
    keep(page, "exemption-reminder", shown)


def test_home(page: Page, slack: SlackStandIn) -> None:
    visit(page, slack, "home")
    expect(page.get_by_role("heading", name="Tracing coverage of all teams")).to_be_visible(timeout=SLOWLY)
    expect(page.get_by_text("1 request waits for your approval")).to_be_visible()
    page.set_viewport_size({**page.viewport_size, "height": 1500})  # type: ignore[arg-type,dict-item]  # it has a size
    keep(page, "home")

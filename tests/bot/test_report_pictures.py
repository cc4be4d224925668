"""A report as people read it in the page, at both widths. Where LAMPLIGHTER_SCREENSHOTS names a folder, it is kept."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo import people
from bot.demo.slack import SlackStandIn, Workspace
from bot.outbox import Outbox
from commands._drawing import draw
from commands._report_posts import post_report
from commands._types import Context
from commands.views.page import WIDTH
from tests.bot.conftest import ROOT, SetClock
from tests.bot.test_pictures import keep, newest, visit
from tests.reporting import figures

pytestmark = pytest.mark.browser

FINOPS = "C06F1N0PSX2"


@pytest.fixture
def slack(clock: SetClock) -> Iterator[SlackStandIn]:
    """Its messages are of the day that the bot believes in."""
    workspace = Workspace(people.people(), people.channels(), people.user_groups(), clock=lambda: clock().timestamp())
    with SlackStandIn(ROOT / "manifest.yml", workspace) as running:
        yield running


@pytest.fixture
def posted(context: Context, slack: SlackStandIn, client: WebClient, clock: SetClock) -> None:
    report_id = context.store.reports.add(figures(teams=14), clock())
    assert post_report(context, report_id, "report:weekly:2026-11-23", "#finops")
    for _ in range(5):
        Outbox(context, client, ChannelNames(client), draw).send_due()
        clock.forward(seconds=5)


@pytest.fixture(params=[1280, 400])
def page(browser: Browser, posted: None, clock: SetClock, request: pytest.FixtureRequest) -> Iterator[Page]:
    opened = browser.new_page(
        viewport={"width": request.param, "height": 900}, timezone_id="Europe/Berlin", locale="en-GB"
    )
    opened.clock.set_fixed_time(clock())
    yield opened
    opened.close()


def test_a_report_has_its_pictures_in_it(page: Page, slack: SlackStandIn) -> None:
    visit(page, slack, FINOPS)
    shown = newest(page, "Tracing report: all teams")
    for alt in ("Tracing coverage by team", "X-Ray cost against the budget"):
        picture = shown.locator(f'img[alt^="{alt}"]')
        expect(picture).to_be_visible()
        expect(picture).to_have_js_property("naturalWidth", WIDTH)  # once it is loaded
    expect(shown).to_contain_text("57.5")
    keep(page, "report", shown)


def test_the_thread_has_pictures_and_the_csv_file(page: Page, slack: SlackStandIn) -> None:
    top = next(one for one in slack.workspace.messages(FINOPS) if "Tracing report" in one.text)
    visit(page, slack, FINOPS, f"&thread={top.ts}")
    thread = page.get_by_test_id("thread")
    expect(thread.get_by_test_id("file")).to_contain_text("Figures of the report")
    expect(thread.get_by_alt_text("Tracing coverage by team, ", exact=False).last).to_be_visible()
    keep(page, "report-thread")

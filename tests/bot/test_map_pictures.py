"""A trace map as people see it in the page, at both widths; kept where LAMPLIGHTER_SCREENSHOTS names a folder."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo import people
from bot.demo.slack import SlackStandIn, Workspace
from bot.outbox import Outbox
from commands._drawing import draw
from commands._map_posts import post_map
from commands._types import Context
from commands.views.map_picture import drawn
from commands.views.page import WIDTH
from storage.maps import LAMBDA, Around, Edge, SilentCaller, Statistics, TraceMap
from tests.bot.conftest import NOON, ROOT, SetClock
from tests.bot.test_pictures import keep, newest, visit

pytestmark = pytest.mark.browser

FINOPS = "C06F1N0PSX2"
LEGIBLE = 9  # pixels


def twelve_services() -> TraceMap:
    """As an account has them: a gateway and a queue before it, and what a payment takes behind it."""

    def edge(name: str, kind: str, calls: int, seconds: float, *failed: int, later: bool = False) -> Edge:
        return Edge(name, kind, Statistics(calls, *failed, seconds=calls * seconds), asynchronous=later)

    callers = (
        edge("payments-api/prod", "AWS::ApiGateway::Stage", 18_400, 0.240, 120, 0, 8),
        edge("order-events-fanout", LAMBDA, 812, 0.300, 0, 4),
        edge("refund-requests", "AWS::SQS::Queue", 1_204, 0, later=True),
    )
    callees = (
        edge("payments", "AWS::DynamoDB::Table", 40_300, 0.012, 0, 12, 1),
        edge("ledger-writer", LAMBDA, 9_200, 0.180, 0, 0, 210),
        edge("api.psp.example.com", "remote", 9_100, 0.912, 14, 0, 3),
        edge("payments-prod-settlement-reconciliation-with-acquirers-handler", LAMBDA, 9_050, 0.090),
        edge("psp-credentials", "AWS::SecretsManager", 9_000, 0.006),
        edge("receipts", "AWS::SNS::Topic", 4_100, 0.020),
        edge("refund-evidence", "AWS::S3::Bucket", 300, 0.040),
        edge("ledger@eu-central-1", "Database::SQL", 120, 0.300),
    )
    around = Around(NOON - timedelta(hours=6), NOON, Statistics(20_412, 0, 4, 220, 20_412 * 0.233), callers, callees)
    arn = "arn:aws:lambda:eu-central-1:482915067331:function:refund-worker"
    silent = (SilentCaller("charge-dispatcher", LAMBDA, "may call it, and sends no traces"),)
    return TraceMap(arn, "482915067331", "eu-central-1", "refund-worker", around, silent)


@pytest.fixture
def slack(clock: SetClock) -> Iterator[SlackStandIn]:
    """Its messages are of the day that the bot believes in."""
    workspace = Workspace(people.people(), people.channels(), people.user_groups(), clock=lambda: clock().timestamp())
    with SlackStandIn(ROOT / "manifest.yml", workspace) as running:
        yield running


@pytest.fixture
def posted(context: Context, slack: SlackStandIn, client: WebClient, clock: SetClock) -> None:
    map_id = context.store.maps.add(twelve_services(), clock())
    assert post_map(context, map_id, "map:1", "#finops", shared_by=f"<@{people.ANA}>")
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


def test_a_map_of_twelve_services_can_be_read(page: Page, slack: SlackStandIn) -> None:
    visit(page, slack, FINOPS)
    shown = newest(page, "Trace map: refund-worker")
    picture = shown.locator('img[alt^="Trace map of refund-worker"]')
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", WIDTH)  # once it is loaded
    box = picture.bounding_box()
    assert box
    smallest = min(text.get_fontsize() * 100 / 72 for text in drawn(twelve_services()).texts() if text.get_text())
    assert smallest * box["width"] / WIDTH >= LEGIBLE
    expect(shown).to_contain_text("Most failing: refund-worker → ledger-writer")
    keep(page, "trace-map", shown)

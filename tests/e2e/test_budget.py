"""What tracing costs, over the wire and in the page: the alert, `/trace-budget`, and AWS's own budget set by hand.

Where LAMPLIGHTER_SCREENSHOTS names a folder, the pictures are left there.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.demo.fleet_data import MANAGEMENT
from bot.demo.people import ANA, FINOPS_LEAD
from storage.models import DecisionKind, PostKind, PostState
from tests.e2e.scene import Scene, wait_for, words

pytestmark = pytest.mark.browser

SLOWLY = 20_000  # milliseconds
OURS = "lamplighter-xray"
TOPIC = f"arn:aws:sns:us-east-1:{MANAGEMENT}:finops"


@pytest.fixture(autouse=True)
def looked(scene: Scene) -> None:
    """After the audit, Cost Explorer was asked; and Slack has what was to be told of that."""

    def is_told() -> bool:
        with scene.memory() as store:
            waiting = any(post.state is PostState.WAITING for post in store.posts.all(PostKind.NOTICE))
            return store.spend.last_asked() is not None and not waiting

    wait_for(is_told, 90, "a look at the bill")


@pytest.fixture(params=[1280, 400])
def page(browser: Browser, scene: Scene, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Ana's, wide and narrow; anything on the browser's console is a failure."""
    opened = browser.new_page(viewport={"width": request.param, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{scene.slack.url}/#/{scene.channel('finops')}?as={ANA}")
    yield opened
    opened.close()
    assert complaints == []


def keep(page: Page, name: str, shown: Locator) -> None:
    """Nothing runs out of the page, nor out of what it shows; as high as that is, up to a limit."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    height = int(shown.evaluate("one => one.scrollHeight"))
    page.set_viewport_size({"width": width, "height": max(620, min(1700, height + 330))})
    shown.evaluate("one => one.scrollIntoView()")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    folder = os.environ.get("LAMPLIGHTER_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}-{width}.png", animations="disabled")


def asked(page: Page) -> Locator:
    """What `/trace-budget` answers."""
    page.get_by_test_id("composer").click()
    page.keyboard.type("/trace-budget")
    page.get_by_test_id("send").click()
    shown = page.get_by_test_id("ephemeral").filter(has_text="What tracing costs").last
    expect(shown).to_be_visible(timeout=SLOWLY)
    return shown


def test_the_answer_and_the_form(page: Page, scene: Scene) -> None:
    shown = asked(page)
    for one in ("X-Ray has cost $", "of the budget of $", "By account:", "By month", "observability", "3 requests"):
        expect(shown).to_contain_text(one)
    keep(page, "budget", shown)

    shown.get_by_label("Set the AWS budget of X-Ray").click()
    modal = page.get_by_test_id("modal")
    expect(modal.get_by_label("US dollars a month")).to_be_visible(timeout=SLOWLY)
    keep(page, "budget-form", modal)
    modal.get_by_label("SNS topic").fill("farid@example.com")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("E-mail addresses are not taken here")
    modal.get_by_label("US dollars a month").fill("321")
    modal.get_by_label("SNS topic").fill(TOPIC)
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("Asking AWS for a budget of $321.00 a month", timeout=SLOWLY)
    page.get_by_test_id("modal-close").first.click()

    told = page.get_by_test_id("message").filter(has_text="The AWS budget of X-Ray is set").last
    expect(told).to_contain_text("321.00 USD a month", timeout=SLOWLY)
    keep(page, "budget-set", told)
    kept = scene.aws.budgets.of(MANAGEMENT, OURS)
    assert kept.definition["BudgetLimit"] == {"Amount": "321", "Unit": "USD"}
    assert {who[0]["Address"] for _, who in kept.notifications} == {TOPIC}
    session = scene.aws.sessions[-1]
    assert (session.account, session.source_identity) == (MANAGEMENT, ANA)

    def kinds() -> list[DecisionKind]:
        with scene.memory() as store:
            return [one.kind for one in store.decisions.all()]

    # The message of the one before may still be the newest that says so.
    wait_for(lambda: kinds()[-2:] == [DecisionKind.BUDGET_APPROVED, DecisionKind.BUDGET_SET], 20, "a budget set")


def test_an_alert_stands_in_the_channel_once(page: Page, scene: Scene) -> None:
    with scene.memory() as store:
        spent = store.spend.months(scene.aws.now().date())[-1:]
    if not spent or not spent[0].xray_usd:
        pytest.skip("in the first days of a month nothing is billed that could pass a threshold")
    alerts = page.get_by_test_id("message").filter(has_text="Reached: the threshold")
    expect(alerts.first).to_be_visible(timeout=SLOWLY)
    keep(page, "budget-alert", alerts.first)
    messages = [words(one) for one in scene.workspace.messages(scene.channel("finops")) if "Reached:" in words(one)]
    assert len(messages) == len(set(messages))
    assert sum("for the actual cost" in one for one in messages) == 1


def test_who_may_not_approve_sees_what_it_costs_and_no_button(scene: Scene) -> None:
    answer = scene.answer(FINOPS_LEAD, "finops", "/trace-budget", "What tracing costs")

    assert "observability" in words(answer)
    assert "Set AWS budget" not in words(answer)

"""Exemptions by hand, in the demo's page: a reminder that is answered, and a pattern that shows what it covers."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.demo.people import ANA
from commands._exempting import end_of
from storage.exemptions import Wish
from storage.models import DecisionKind, Verdict
from storage.store import open_store
from tests.e2e.scene import Scene

pytestmark = pytest.mark.browser

SLOWLY = 40_000  # milliseconds


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A bot that was told, a month ago, of an exemption that ends in five days."""
    with Scene(tmp_path) as made:
        (arn,) = (one.arn for one in made.fleet.functions if one.arn.endswith(":relevance-experiments"))
        now = datetime.now(UTC)
        until = end_of((now + timedelta(days=5)).date(), UTC)
        with open_store(made.environment["LAMPLIGHTER_DATABASE"]) as store:
            wish = Wish("An experiment that ends in March, OPS-77", until, "search", ("search",), arn)
            store.exemptions.create(wish, (arn,), ANA, now - timedelta(days=30))
        made.start_bot()
        made.until_posted()
        yield made
        assert made.slack.faults == []


@pytest.fixture
def page(browser: Browser, scene: Scene) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


def reminder(page: Page) -> Locator:
    return page.get_by_test_id("message").filter(has_text="The exemption of relevance-experiments").last


def shot(page: Page, name: str) -> None:
    """At both widths that it has to read well at, where somebody wants to see it."""
    folder = os.environ.get("LAMPLIGHTER_SCREENSHOTS")
    for width in (400, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}-{width}.png", animations="disabled")


def test_a_reminder_is_answered_and_a_pattern_shows_what_it_covers(page: Page, scene: Scene) -> None:
    page.goto(f"{scene.slack.url}/#/{scene.channel('team-search')}?as={ANA}")
    expect(reminder(page)).to_contain_text("its last day is", timeout=SLOWLY)
    function = scene.function("relevance-experiments")
    assert function.verdict is Verdict.EXEMPT
    shot(page, "exemption-reminder")

    reminder(page).get_by_label("Extend the exemption of relevance-experiments").click()
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("Why it was granted: An experiment that ends in March, OPS-77")
    modal.locator('input[type="date"]').fill((datetime.now(UTC) + timedelta(days=60)).date().isoformat())
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("exempt until", timeout=SLOWLY)
    page.get_by_test_id("modal-close").first.click()
    expect(reminder(page)).to_contain_text("was extended until", timeout=SLOWLY)
    assert scene.history(function.arn)[-1].kind is DecisionKind.EXEMPTION_EXTENDED

    page.goto(f"{scene.slack.url}/#/{scene.channel('team-payments')}?as={ANA}")
    digest = page.get_by_test_id("message").filter(has_text="without active tracing").last
    digest.get_by_label("Exempt settlement-export").first.click()
    expect(modal).to_contain_text("settlement-export")
    modal.get_by_role("combobox").first.click()
    page.get_by_role("option", name="Functions by a pattern of their names").click()
    expect(modal).to_contain_text("Nothing is looked at yet.", timeout=SLOWLY)
    modal.get_by_label("Pattern of names").fill("s*")
    modal.get_by_label("Pattern of names").press("Enter")
    expect(modal).to_contain_text("untraced function", timeout=SLOWLY)
    expect(modal).to_contain_text("settlement-export")
    shot(page, "exempt-by-pattern")

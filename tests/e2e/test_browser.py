"""By hand, as it were: the demo's page in a real browser, Bolt, the AWS stand-in and SQLite behind it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.demo.people import ANA, BO
from storage.models import DecisionKind, Verdict
from tests.e2e.scene import Scene, wait_for

pytestmark = pytest.mark.browser

PROD, STAGING = "482915067331", "730264918852"
ACTIVE_BY_BO = re.compile(r"Active since \d+:\d\d [AP]M, approved by @Bo")
ACTIVE_BY_ANA = re.compile(r"Active since \d+:\d\d [AP]M, approved by @Ana")
SLOWLY = 40_000  # milliseconds: a fix waits out IAM


@pytest.fixture
def page(browser: Browser, scene: Scene) -> Iterator[Page]:
    """The page of Ana; anything on the browser's console is a failure."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    opened.close()
    assert complaints == []


def visit(page: Page, scene: Scene, channel: str, who: str = ANA) -> None:
    page.goto(f"{scene.slack.url}/#/{scene.channel(channel)}?as={who}")
    expect(page.get_by_test_id(f"channel-{channel}")).to_be_visible()


def digest(page: Page) -> Locator:
    return page.get_by_test_id("message").filter(has_text="without active tracing").last


def button(page: Page, label: str, described: str, nth: int = 0) -> Locator:
    """A row's button, found as a screen reader names it."""
    return digest(page).get_by_label(f"{label} {described}").nth(nth)


def test_approve_in_the_digest_and_see_it_active(page: Page, scene: Scene) -> None:
    visit(page, scene, "team-payments")
    button(page, "Approve fix of", "settlement-export").click()
    dialog = page.get_by_test_id("confirm")
    expect(dialog).to_contain_text(f"Sets TracingConfig of settlement-export ({PROD}, eu-central-1)")
    page.get_by_test_id("confirm-no").click()
    expect(dialog).to_be_hidden()
    function = scene.function("settlement-export", PROD)
    assert scene.history(function.arn) == []

    button(page, "Approve fix of", "settlement-export").click()
    page.get_by_test_id("confirm-yes").click()

    expect(digest(page)).to_contain_text(ACTIVE_BY_ANA, timeout=SLOWLY)
    expect(button(page, "Approve fix of", "settlement-export")).to_have_count(0)
    assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "Active"
    assert [(one.kind, one.actor) for one in scene.history(function.arn)] == [
        (DecisionKind.APPROVED, ANA),
        (DecisionKind.APPLIED, ANA),
    ]


def test_a_double_click_and_a_second_person_change_nothing_more(page: Page, browser: Browser, scene: Scene) -> None:
    visit(page, scene, "team-identity")
    other = browser.new_page(viewport={"width": 1280, "height": 900})
    visit(other, scene, "team-identity", BO)
    for who in (page, other):
        button(who, "Approve fix of", "password-reset-mailer").click()
    for who in (page, other):  # two clicks in one breath, before the page can draw anything anew
        who.get_by_test_id("confirm-yes").evaluate("button => { button.click(); button.click(); }")

    function = scene.function("password-reset-mailer", PROD)
    expected = [DecisionKind.APPROVED, DecisionKind.APPLIED]
    wait_for(lambda: [one.kind for one in scene.history(function.arn)] == expected, 40)
    first = {one.actor for one in scene.history(function.arn)}
    assert first in ({ANA}, {BO})  # two clicks within a few milliseconds: which of them Slack delivers first is open
    by_the_first = ACTIVE_BY_ANA if first == {ANA} else ACTIVE_BY_BO
    for who in (page, other):  # both see who it was
        expect(digest(who)).to_contain_text(by_the_first, timeout=SLOWLY)
    other.close()


def test_the_patch_is_shown_as_code_and_changes_nothing(page: Page, scene: Scene) -> None:
    visit(page, scene, "team-identity")
    button(page, "Show patch for", "session-revoke").click()
    modal = page.get_by_test_id("modal")

    expect(modal).to_contain_text("Patch for CloudFormation")
    expect(modal.locator("pre")).to_contain_text("SessionRevokeFunction:")
    expect(modal.locator("pre")).to_contain_text("Mode: Active")
    page.get_by_test_id("modal-close").first.click()
    assert scene.history(scene.function("session-revoke").arn) == []


def test_exempt_in_the_modal(page: Page, scene: Scene) -> None:
    visit(page, scene, "team-search")
    button(page, "Exempt", "relevance-experiments").click()
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("relevance-experiments")
    modal.locator('input[type="date"]').fill("2031-01-01")
    modal.locator("textarea").fill("An experiment that ends in March, OPS-77")
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("One year at most")

    until = scene_day(scene)
    modal.locator('input[type="date"]').fill(until)
    page.get_by_test_id("modal-submit").click()

    expect(modal).to_contain_text("is exempt until", timeout=SLOWLY)
    page.get_by_test_id("modal-close").first.click()
    expect(digest(page)).to_contain_text("An experiment that ends in March, OPS-77", timeout=SLOWLY)
    function = scene.function("relevance-experiments")
    assert function.verdict is Verdict.EXEMPT
    assert scene.history(function.arn)[-1].kind is DecisionKind.EXEMPTED


def scene_day(scene: Scene) -> str:
    """A month from now."""
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


def say(page: Page, line: str) -> None:
    page.get_by_test_id("composer").click()
    page.keyboard.type(line)
    page.get_by_test_id("send").click()


def test_ask_for_a_team_and_for_one_function(page: Page, scene: Scene) -> None:
    visit(page, scene, "team-checkout")
    say(page, "/trace-audit checkout")
    answer = page.get_by_test_id("ephemeral").last
    expect(answer).to_contain_text("Team checkout", timeout=SLOWLY)
    expect(answer).to_contain_text("voucher-validate")

    say(page, f"/trace-audit order-confirmation {PROD} eu-central-1")
    card = page.get_by_test_id("ephemeral").last
    expect(card).to_contain_text("may not write to X-Ray", timeout=SLOWLY)
    expect(card).to_contain_text("PassThrough")
    card.get_by_label("Approve fix of order-confirmation").click()
    page.get_by_test_id("confirm-yes").click()

    expect(page.get_by_test_id("ephemeral").filter(has_text="Active since")).to_be_visible(timeout=SLOWLY)


def test_a_name_that_nobody_knows_gets_the_nearest(page: Page, scene: Scene) -> None:
    visit(page, scene, "finops")
    say(page, "/trace-audit refund-wroker")

    answer = page.get_by_test_id("ephemeral").last
    expect(answer).to_contain_text("Did you mean refund-worker", timeout=SLOWLY)


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_runs_out_of_the_page(page: Page, scene: Scene, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{scene.slack.url}/#/{scene.channel('team-payments')}?as={ANA}")
    expect(digest(page)).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    folder = os.environ.get("LAMPLIGHTER_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/digest-{width}.png")


def test_review_and_fix_several_in_the_modal(page: Page, scene: Scene) -> None:
    visit(page, scene, "team-data-platform")
    digest(page).get_by_label("Review and fix functions of data-platform").click()
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("that match", timeout=SLOWLY)
    expect(modal).to_contain_text("Nothing is chosen yet.")
    modal.locator("input[type=text]").first.fill("no such function")
    modal.locator("input[type=text]").first.press("Enter")
    expect(modal).to_contain_text("Nothing matches.")
    modal.locator("input[type=text]").first.fill("")
    modal.locator("input[type=text]").first.press("Enter")
    expect(modal).to_contain_text("Nothing is chosen yet.")
    modal.get_by_label("Take all of them, whatever is chosen above").check()
    expect(modal).to_contain_text("chosen.", timeout=SLOWLY)
    page.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("approved.", timeout=SLOWLY)
    page.get_by_test_id("modal-close").first.click()

    ended = page.get_by_test_id("message").filter(has_text=re.compile(r"\d+ of \d+ Lambda functions fixed"))
    expect(ended).to_contain_text("Active since", timeout=2 * SLOWLY)

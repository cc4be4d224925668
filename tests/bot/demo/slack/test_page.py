"""The page in a real browser: homes, menus by keyboard, tables, charts and files, wide and narrow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.demo.slack import BOT_USER_ID, Channel, SlackStandIn
from tests.bot.demo.slack.conftest import actions, button, plain, section

pytestmark = pytest.mark.browser

Connect = Callable[[], SocketModeHandler]
Json = dict[str, Any]
WIDTHS = pytest.mark.parametrize("width", [1280, 400])


@pytest.fixture
def page(browser: Browser, slack: SlackStandIn) -> Iterator[Page]:
    """Closed before the stand-in goes; anything on the browser's console is a failure."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    opened.close()
    assert complaints == []


def fits(page: Page, width: int, name: str) -> bool:
    """Whether nothing runs out of the page; keeps a picture where LAMPLIGHTER_SCREENSHOTS names a folder."""
    folder = os.environ.get("LAMPLIGHTER_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/stand-in-{name}-{width}.png")
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def cell(text: str) -> Json:
    return {"type": "raw_text", "text": text}


def number(value: float) -> Json:
    return {"type": "raw_number", "value": value}


def menu(action_id: str, *texts: str) -> Json:
    options = [{"text": plain(text), "value": text.lower()} for text in texts]
    return {"type": "overflow", "action_id": action_id, "options": options}


def home() -> Json:
    days = [f"{day} Nov" for day in range(11, 25)]
    points = [{"label": day, "value": 60 + at} for at, day in enumerate(days)]
    axes = {"categories": days, "y_label": "%"}
    line = {"type": "line", "series": [{"name": "payments", "data": points}], "axis_config": axes}
    waits = section("`refund-worker` waits\nfor an hour", accessory=menu("waits", "Approve fix", "Deny…"))
    rows = [[cell("Function"), cell("Until")], [cell("card-tokenizer"), cell("1 Dec")]]
    return {
        "type": "home",
        "private_metadata": "page 2",
        "blocks": [
            {"type": "header", "text": plain("92 % traced")},
            {"type": "data_visualization", "title": "Coverage", "chart": line},
            waits,
            {"type": "table", "rows": rows},
            actions(button("next", "Next")),
            {"type": "container", "title": plain("Not seen"), "is_collapsible": True, "child_blocks": [section("us")]},
        ],
    }


@WIDTHS
def test_a_home_is_drawn_and_its_menu_is_used_by_keyboard_alone(
    page: Page, slack: SlackStandIn, bolt: App, connect: Connect, width: int
) -> None:
    chosen: list[Json] = []

    @bolt.action("waits")
    def hear(ack: Ack, body: Json) -> None:
        ack()
        chosen.append(body)

    bolt.event("app_home_opened")(lambda event, client: client.views_publish(user_id=event["user"], view=home()))
    connect()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{slack.url}/#/home?as=U1ANA")

    expect(page.get_by_role("heading", name="92 % traced")).to_be_visible()
    expect(page.get_by_role("img", name="Coverage: line chart. payments 11 Nov 60, 12 Nov 61")).to_be_visible()
    expect(page.get_by_role("region", name="Table")).to_contain_text("card-tokenizer")
    expect(page.locator("details", has_text="Not seen")).to_be_visible()
    assert fits(page, width, "home")
    page.get_by_label("More actions for refund-worker waits", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Approve fix")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    body = slack.workspace.wait_for(lambda: chosen)[0]
    assert body["actions"][0]["selected_option"]["value"] == "deny…"
    assert (body["container"]["type"], body["view"]["private_metadata"]) == ("view", "page 2")
    expect(page.get_by_role("menu")).to_have_count(0)


@WIDTHS
def test_a_csv_file_is_a_card_with_its_first_rows(
    page: Page, slack: SlackStandIn, client: WebClient, width: int
) -> None:
    lines = ["function,reason", *(f'refund-{n},"no, not yet"' for n in range(400))]
    top = client.chat_postMessage(channel="C1PAY", text="400 functions")["ts"]
    client.files_upload_v2(
        channel="C1PAY", thread_ts=top, content="\n".join(lines), filename="payments.csv", title="All of payments"
    )
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{slack.url}/#/C1PAY?as=U1ANA&thread={top}")
    thread = page.get_by_test_id("thread")

    rows = thread.get_by_role("region", name="First rows of All of payments").get_by_role("row")
    expect(rows).to_have_text(["functionreason", *(f"refund-{n}no, not yet" for n in range(5))])
    expect(thread).to_contain_text("and 395 more rows")
    assert fits(page, width, "csv")
    with page.expect_download() as download:
        thread.get_by_label("Download All of payments, CSV · 400 rows").click()
    assert download.value.suggested_filename == "payments.csv"
    assert Path(download.value.path()).read_text() == "\n".join(lines)


@WIDTHS
def test_a_data_table_is_turned_and_sorted(page: Page, slack: SlackStandIn, client: WebClient, width: int) -> None:
    rows = [[cell("Function"), cell("Calls")], *([cell(f"f{n}"), number(n * 7 % 10)] for n in range(8))]
    table = {"type": "data_table", "caption": "By calls", "rows": rows, "row_header_column_index": 0}
    client.chat_postMessage(channel="C1PAY", text="8 functions", blocks=[table])
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{slack.url}/#/C1PAY?as=U1ANA")
    heads = page.get_by_role("region", name="By calls").get_by_role("rowheader")

    expect(heads).to_have_text([f"f{n}" for n in range(5)])
    page.get_by_role("button", name="Next").click()
    expect(heads).to_have_text(["f5", "f6", "f7"])
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("button", name="Calls").click()
    expect(heads).to_have_text(["f0", "f3", "f6", "f2", "f5"])
    page.get_by_role("button", name="Calls").click()
    expect(heads.first).to_have_text("f7")
    assert fits(page, width, "data-table")


def test_a_radio_button_without_a_first_choice_may_be_left_out_or_chosen(
    page: Page, slack: SlackStandIn, bolt: App, client: WebClient, connect: Connect
) -> None:
    options = [{"text": plain(text), "value": text} for text in ("One function", "A tag")]
    radio = {"type": "radio_buttons", "action_id": "scope", "options": options}
    field = {"type": "input", "block_id": "b", "optional": True, "label": plain("Scope"), "element": radio}
    form = {"type": "modal", "callback_id": "f", "title": plain("F"), "submit": plain("Send"), "blocks": [field]}
    sent: list[Any] = []

    @bolt.action("open")
    def open_form(ack: Ack, body: Json) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=form)

    @bolt.view("f")
    def take(ack: Ack, body: Json) -> None:
        ack()
        sent.append(body["view"]["state"]["values"]["b"]["scope"]["selected_option"])

    connect()
    client.chat_postMessage(channel="C1PAY", text="x", blocks=[actions(button("open", "Open"))])
    page.goto(f"{slack.url}/#/C1PAY?as=U1ANA")
    for choice in (None, "A tag"):
        page.get_by_role("button", name="Open", exact=True).click()
        if choice:
            page.get_by_label(choice).check()
        page.get_by_test_id("modal-submit").click()
        expect(page.get_by_test_id("modal")).to_have_count(0)

    assert sent == [None, options[1]]


def test_leaving_a_channel_closes_its_thread(page: Page, slack: SlackStandIn, client: WebClient) -> None:
    top = client.chat_postMessage(channel="C1PAY", text="Dark")["ts"]
    page.goto(f"{slack.url}/#/C1PAY?as=U1ANA&thread={top}")
    expect(page.get_by_test_id("thread")).to_be_visible()
    page.get_by_test_id("app-home").click()

    expect(page.get_by_test_id("thread")).to_be_hidden()


def test_a_link_that_is_pressed_while_something_arrives_is_followed(page: Page, slack: SlackStandIn) -> None:
    slack.workspace.put_channel(Channel("C8T001", "team-001", members={"U1ANA", BOT_USER_ID}))
    page.goto(f"{slack.url}/#/C1PAY?as=U1ANA")
    page.get_by_test_id("app-home").hover()
    page.mouse.down()
    slack.workspace.post("C8T001", BOT_USER_ID, "digest", bot=True)
    unread = page.get_by_test_id("channel-team-001").and_(page.get_by_label("team-001, 1 unread", exact=True))
    with pytest.raises(AssertionError):  # the side bar is drawn anew only after the click
        expect(unread).to_be_visible(timeout=500)
    page.mouse.up()

    expect(page.get_by_test_id("app-home")).to_have_attribute("aria-current", "page")
    expect(unread).to_be_visible()


def test_five_hundred_channels_stay_quick_to_use(page: Page, slack: SlackStandIn) -> None:
    for n in range(500):
        slack.workspace.put_channel(Channel(f"C8T{n:03d}", f"team-{n:03d}", members={"U1ANA", BOT_USER_ID}))
    page.goto(f"{slack.url}/#/C1PAY?as=U1ANA")
    expect(page.get_by_test_id("channel-team-499")).to_be_attached()
    for n in range(1000):
        slack.workspace.post(f"C8T{n % 500:03d}", BOT_USER_ID, f"digest {n}", bot=True)

    expect(page.get_by_test_id("channel-team-499")).to_have_accessible_name("team-499, 2 unread")
    page.get_by_test_id("channel-team-499").click()
    expect(page.get_by_test_id("message")).to_contain_text(["digest 499", "digest 999"])

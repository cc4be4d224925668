"""Trigger ids, the stack of modals, homes, and response URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.demo.slack import SlackStandIn, Workspace
from tests.bot.demo.slack.conftest import Clock, actions, button, plain, reason_modal, section

Connect = Callable[[], SocketModeHandler]
Body = dict[str, Any]
HOME = {"type": "home", "blocks": [section("Hello")]}


def error_of(call: Callable[..., Any], **args: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**args)
    return str(caught.value.response["error"])


@pytest.fixture
def click(slack: SlackStandIn, bolt: App, connect: Connect, client: WebClient) -> Callable[[], Body]:
    """Has Ana click a button, and gives the payload that the app got."""
    bodies: list[Body] = []

    @bolt.action("fix")
    def take(ack: Ack, body: Body) -> None:
        bodies.append(body)
        ack()

    connect()

    def click() -> Body:
        if not slack.workspace.messages("C1PAY"):
            client.chat_postMessage(channel="C1PAY", text="Dark", blocks=[section(), actions(button())])
        assert slack.acting_as("U1ANA").click(slack.workspace.messages("C1PAY")[0], "fix").ok
        return bodies[-1]

    return click


# -- trigger ids ---------------------------------------------------------------------------------------------


def test_a_trigger_id_opens_one_modal_within_three_seconds(
    slack: SlackStandIn, client: WebClient, click: Callable[[], Body], clock: Clock
) -> None:
    trigger = click()["trigger_id"]
    late = click()["trigger_id"]
    wrong = reason_modal(title=plain("x" * 25))

    assert error_of(client.views_open, trigger_id=trigger, view=wrong) == "invalid_arguments"
    client.views_open(trigger_id=trigger, view=reason_modal())
    assert error_of(client.views_open, trigger_id=trigger, view=reason_modal()) == "exchanged_trigger_id"
    assert error_of(client.views_open, trigger_id="1.2.3", view=reason_modal()) == "invalid_trigger_id"
    clock.ahead += 3.5
    assert error_of(client.views_open, trigger_id=late, view=reason_modal()) == "expired_trigger_id"
    assert len(slack.views("U1ANA")) == 1


# -- the stack -----------------------------------------------------------------------------------------------


def test_views_are_pushed_up_to_three_and_only_from_inside(
    slack: SlackStandIn, bolt: App, client: WebClient, click: Callable[[], Body]
) -> None:
    errors: list[str] = []

    @bolt.action("more")
    def push(ack: Ack, body: Body, client: WebClient) -> None:
        try:
            client.views_push(trigger_id=body["trigger_id"], view=deeper)
        except SlackApiError as refused:
            errors.append(refused.response["error"])
        ack()

    deeper = {"type": "modal", "title": plain("More"), "blocks": [actions(button("more"))]}
    assert error_of(client.views_push, trigger_id=click()["trigger_id"], view=deeper) == "invalid_trigger_id"
    client.views_open(trigger_id=click()["trigger_id"], view=deeper)
    ana = slack.acting_as("U1ANA")
    for _ in range(3):
        assert ana.click_in_view(ana.modal()["id"], "more").ok

    stack = slack.views("U1ANA")
    assert len(stack) == 3
    assert errors == ["push_limit_reached"]
    assert [view["previous_view_id"] for view in stack] == [None, stack[0]["id"], stack[1]["id"]]
    assert {view["root_view_id"] for view in stack} == {stack[0]["id"]}


def test_an_update_needs_the_latest_hash_and_keeps_what_was_typed(
    slack: SlackStandIn, client: WebClient, click: Callable[[], Body]
) -> None:
    opened = client.views_open(trigger_id=click()["trigger_id"], view=reason_modal(external_id="one"))["view"]
    ana = slack.acting_as("U1ANA")
    ana.submit(opened["id"], reason="x" * 41)  # too long: refused, but what was typed stays in the field

    updated = client.views_update(view_id=opened["id"], hash=opened["hash"], view=reason_modal(title=plain("Two")))

    assert updated["view"]["id"] == opened["id"]
    assert updated["view"]["state"]["values"]["why"]["reason"]["value"] == "x" * 41
    view = reason_modal()
    assert error_of(client.views_update, view_id=opened["id"], hash=opened["hash"], view=view) == "hash_conflict"
    assert error_of(client.views_update, view_id="V0", view=view) == "not_found"
    ana.close(opened["id"])
    assert error_of(client.views_update, view_id=opened["id"], view=view) == "not_found"


def test_two_open_views_cannot_share_an_external_id(
    slack: SlackStandIn, client: WebClient, click: Callable[[], Body]
) -> None:
    client.views_publish(user_id="U2BO", view={**HOME, "external_id": "one"})

    view = reason_modal(external_id="one")
    assert error_of(client.views_open, trigger_id=click()["trigger_id"], view=view) == "duplicate_external_id"


@pytest.mark.parametrize(
    ("answer", "left", "fault"),
    [
        ({}, [], None),
        ({"response_action": "clear"}, [], None),
        ({"response_action": "update", "view": reason_modal(title=plain("Next"))}, ["Next"], None),
        ({"response_action": "push", "view": reason_modal(title=plain("Top"))}, ["Exempt", "Top"], None),
        ({"response_action": "errors", "errors": {"nowhere": "x"}}, ["Exempt"], "what is no input block: nowhere"),
        ({"response_action": "explode"}, ["Exempt"], "not an answer to a submission"),
        ({"response_action": "update", "view": {"type": "modal"}}, ["Exempt"], "missing required field: title"),
    ],
    ids=["close", "clear", "update", "push", "errors elsewhere", "unknown", "wrong view"],
)
def test_a_submission_is_answered_as_the_app_says(
    slack: SlackStandIn,
    bolt: App,
    client: WebClient,
    click: Callable[[], Body],
    answer: Body,
    left: list[str],
    fault: str | None,
) -> None:
    bolt.view("exempt")(lambda ack: ack(**answer))
    view = client.views_open(trigger_id=click()["trigger_id"], view=reason_modal())["view"]

    outcome = slack.acting_as("U1ANA").submit(view["id"], reason="Vendor")

    assert [shown["title"]["text"] for shown in slack.views("U1ANA")] == left
    assert outcome.ok is (fault is None)
    assert (fault or "") in "".join(slack.faults)
    if fault:
        assert outcome.error == "We had some trouble connecting. Try again?"


def test_the_app_hears_of_closed_views_that_it_asked_about(
    slack: SlackStandIn, bolt: App, client: WebClient, click: Callable[[], Body]
) -> None:
    closed: list[Body] = []

    @bolt.view_closed("exempt")
    def hear(ack: Ack, body: Body) -> None:
        closed.append(body)
        ack()

    for notify in (False, True):
        view = client.views_open(trigger_id=click()["trigger_id"], view=reason_modal(notify_on_close=notify))["view"]
        assert slack.acting_as("U1ANA").close(view["id"]).ok

    assert [(body["view"]["notify_on_close"], body["is_cleared"]) for body in closed] == [(True, False)]
    assert slack.views("U1ANA") == []


def test_a_choice_in_a_view_is_told_with_the_stored_option_and_the_whole_state(
    slack: SlackStandIn, bolt: App, client: WebClient, click: Callable[[], Body]
) -> None:
    seen: list[Body] = []

    @bolt.action("team")
    def take(ack: Ack, body: Body) -> None:
        seen.append(body)
        ack()

    options = [{"text": plain(name), "value": name} for name in ("pay", "search")]
    menu = {"type": "static_select", "action_id": "team", "options": options}
    blocks = [section(block_id="pick", accessory=menu), *reason_modal()["blocks"]]
    view = client.views_open(trigger_id=click()["trigger_id"], view=reason_modal(blocks=blocks))["view"]
    ana = slack.acting_as("U1ANA")

    assert ana.click_in_view(view["id"], "team", {"value": "search", "text": plain("forged")}).ok

    (body,) = seen
    assert body["actions"][0]["selected_option"] == options[1]
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["view"]["state"]["values"]["pick"]["team"]["selected_option"] == options[1]
    assert body["view"]["state"]["values"]["why"]["reason"] == {"type": "plain_text_input", "value": None}
    assert "response_url" not in body


def test_choices_on_a_message_are_remembered_for_the_person_who_made_them(
    slack: SlackStandIn, bolt: App, connect: Connect, client: WebClient
) -> None:
    seen: list[Body] = []

    @bolt.action(re.compile("team|more|fix"))
    def take(ack: Ack, body: Body) -> None:
        seen.append(body)
        ack()

    options = [{"text": plain(name), "value": name} for name in ("pay", "search")]
    menu = {"type": "static_select", "action_id": "team", "options": options}
    overflow = {"type": "overflow", "action_id": "more", "options": options}
    rows = [actions(button(value=str(n)), block_id=f"row{n}") for n in range(3)]
    blocks = [actions(menu, overflow, block_id="b"), *rows]
    client.chat_postMessage(channel="C1PAY", text="Dark", blocks=blocks)
    connect()
    (message,) = slack.workspace.messages("C1PAY")

    assert slack.acting_as("U1ANA").click(message, "team", "search").ok
    assert slack.acting_as("U1ANA").click(message, "more", "pay").ok
    assert slack.acting_as("U2BO").click(message, "fix", "2").ok

    assert [body["actions"][0].get("selected_option") for body in seen] == [options[1], options[0], None]
    chosen = [body["state"]["values"]["b"]["team"]["selected_option"] for body in seen]
    assert chosen == [options[1], options[1], None]
    assert seen[2]["actions"][0]["block_id"] == "row2"
    assert seen[0]["message"]["ts"] == message.ts


# -- homes ---------------------------------------------------------------------------------------------------


def test_opening_the_home_lets_the_app_publish_it(slack: SlackStandIn, bolt: App, connect: Connect) -> None:
    bolt.event("app_home_opened")(lambda event, client: client.views_publish(user_id=event["user"], view=HOME))
    connect()

    assert slack.acting_as("U1ANA").open_home() is None
    home = slack.workspace.wait_for(lambda: slack.home("U1ANA"))

    assert home["blocks"][0]["text"]["text"] == "Hello"
    assert slack.home("U2BO") is None


def test_a_home_can_be_published_against_its_hash(slack: SlackStandIn, client: WebClient) -> None:
    first = client.views_publish(user_id="U1ANA", view=HOME)["view"]
    client.views_publish(user_id="U1ANA", view=HOME, hash=first["hash"])

    assert error_of(client.views_publish, user_id="U1ANA", view=HOME, hash=first["hash"]) == "hash_conflict"
    assert error_of(client.views_publish, user_id="U1ANA", view=reason_modal()) == "invalid_arguments"
    assert error_of(client.views_publish, user_id="U0", view=HOME) == "invalid_arguments"


def test_what_is_done_in_a_home_is_told_with_the_view_and_its_hash(
    slack: SlackStandIn, bolt: App, connect: Connect
) -> None:
    bodies: list[Body] = []

    @bolt.action("more")
    def hear(ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        bodies.append(body)
        client.views_open(trigger_id=body["trigger_id"], view=reason_modal())

    connect()
    options = [{"text": plain(text), "value": text} for text in ("Snooze", "Exempt")]
    menu = {"type": "overflow", "action_id": "more", "options": options}
    home = {"type": "home", "private_metadata": "page 2", "blocks": [section(accessory=menu)]}
    published = bolt.client.views_publish(user_id="U1ANA", view=home)["view"]
    ana = slack.acting_as("U1ANA")

    assert ana.click_in_view(published["id"], "more", "Exempt").ok
    (body,) = bodies

    assert body["container"] == {"type": "view", "view_id": published["id"]}
    assert (body["view"]["type"], body["view"]["private_metadata"]) == ("home", "page 2")
    assert body["view"]["hash"] == published["hash"]
    assert body["actions"][0]["selected_option"] == options[1]
    assert not {"channel", "message", "response_url"} & set(body)
    assert ana.modal()["callback_id"] == "exempt"


def test_an_app_without_a_home_or_without_its_event_is_told_of_no_opening(manifest: Path, workspace: Workspace) -> None:
    manifest.write_text(manifest.read_text().replace("home_tab_enabled: true", "home_tab_enabled: false"))
    with SlackStandIn(manifest, workspace) as slack:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        assert error_of(client.views_publish, user_id="U1ANA", view=HOME) == "not_enabled"
        slack.acting_as("U1ANA").open_home()
    manifest.write_text(manifest.read_text().replace("home_tab_enabled: false", "home_tab_enabled: true"))
    manifest.write_text(manifest.read_text().replace("[app_home_opened]", "[]"))
    with SlackStandIn(manifest, workspace, event_retry_seconds=()) as other:
        other.acting_as("U1ANA").open_home()
        other.acting_as("U1ANA").open_home()  # an event that was sent to nobody would be a fault by now

        assert other.faults == []
    assert slack.faults == []


# -- response URLs -------------------------------------------------------------------------------------------


def post(url: str, **body: Any) -> tuple[int, str | None]:
    answer = requests.post(url, json=body, timeout=5)
    return answer.status_code, answer.json().get("error")


def test_a_response_url_is_good_for_five_answers(slack: SlackStandIn, click: Callable[[], Body]) -> None:
    url = click()["response_url"]

    assert [post(url, text=str(n))[0] for n in range(5)] == [200] * 5
    assert post(url, text="6") == (404, "used_url")
    assert [message.text for message in slack.workspace.ephemerals("C1PAY", "U1ANA")] == ["0", "1", "2", "3", "4"]


def test_a_response_url_is_good_for_thirty_minutes(click: Callable[[], Body], clock: Clock) -> None:
    url = click()["response_url"]

    clock.ahead += 29 * 60
    assert post(url, text="in time") == (200, None)
    clock.ahead += 2 * 60
    assert post(url, text="late") == (404, "expired_url")
    assert post(url + "x", text="forged") == (404, "no_service")


def test_a_response_replaces_or_deletes_the_message_that_was_clicked(
    slack: SlackStandIn, click: Callable[[], Body]
) -> None:
    url = click()["response_url"]

    assert post(url, text="Lit", replace_original=True) == (200, None)
    (message,) = slack.workspace.messages("C1PAY")
    assert (message.text, message.blocks) == ("Lit", ())
    assert post(url, delete_original=True) == (200, None)
    assert slack.workspace.messages("C1PAY") == []


def test_an_ephemeral_message_can_be_clicked_and_replaced_and_comes_without_its_copy(
    slack: SlackStandIn, click: Callable[[], Body], client: WebClient, bolt: App
) -> None:
    seen: list[Body] = []

    @bolt.action("again")
    def take(ack: Ack, body: Body) -> None:
        seen.append(body)
        ack()

    client.chat_postEphemeral(channel="C1PAY", user="U1ANA", text="psst", blocks=[actions(button("again"))])
    click()
    slack.acting_as("U1ANA").click(slack.workspace.ephemerals("C1PAY", "U1ANA")[0], "again")

    (body,) = seen
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    assert post(body["response_url"], text="done", replace_original=True) == (200, None)
    assert [message.text for message in slack.workspace.ephemerals("C1PAY", "U1ANA")] == ["done"]
    assert post(body["response_url"], delete_original=True) == (200, None)
    assert slack.workspace.ephemerals("C1PAY", "U1ANA") == []


def test_what_a_response_url_cannot_take_it_refuses(slack: SlackStandIn, bolt: App, connect: Connect) -> None:
    urls: list[str] = []

    @bolt.command("/trace-audit")
    def take(ack: Ack, command: Body) -> None:
        urls.append(command["response_url"])
        ack()

    connect()
    slack.acting_as("U1ANA").command("C2OPEN", "/trace-audit")

    assert post(urls[0], delete_original=True) == (400, "no_original_message")
    assert post(urls[0], text="x", response_type="whisper") == (400, "invalid_response_type")
    assert post(urls[0], blocks=[section("")]) == (400, "invalid_blocks")
    assert post(urls[0], text="the bot is no member here", response_type="in_channel") == (200, None)
    assert slack.workspace.messages("C2OPEN")[0].text == "the bot is no member here"

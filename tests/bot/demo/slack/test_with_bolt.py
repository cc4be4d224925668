"""The stand-in against a real Bolt app over Socket Mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.demo.slack import SlackStandIn
from tests.bot.demo.slack.conftest import actions, button, reason_modal, section

Connect = Callable[[], SocketModeHandler]


def test_a_command_is_acknowledged_and_answered_by_its_response_url(
    slack: SlackStandIn, bolt: App, connect: Connect
) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.command("/trace-audit")
    def audit(ack: Ack, respond: Respond, command: dict[str, Any]) -> None:
        ack()
        seen.append(command)
        respond(text="3 functions are dark", response_type="in_channel", replace_original=False)

    connect()
    outcome = slack.acting_as("U1ANA").command("C1PAY", "/trace-audit @bo in #payments <now>")

    assert outcome.ok
    message = slack.workspace.wait_for(lambda: slack.workspace.messages("C1PAY"))[0]
    assert (message.text, message.bot) == ("3 functions are dark", True)
    assert seen[0]["text"] == "<@U2BO|bo> in <#C1PAY|payments> &lt;now&gt;"
    assert seen[0]["channel_name"] == "payments"
    assert slack.faults == []


def test_a_click_redraws_the_message_with_chat_update(
    slack: SlackStandIn, bolt: App, connect: Connect, client: WebClient
) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.action("fix")
    def fix(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        seen.append(body)
        client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="Lit", blocks=[section("Lit")])

    connect()
    client.chat_postMessage(channel="C1PAY", text="Dark", blocks=[section(), actions(button(value="R1"))])
    ana = slack.acting_as("U1ANA")

    assert ana.click(slack.workspace.messages("C1PAY")[0], "fix").ok

    message = slack.workspace.wait_for(lambda: [m for m in slack.workspace.messages("C1PAY") if m.edited_ts])[0]
    assert message.text == "Lit"
    assert message.blocks[0]["text"]["text"] == "Lit"
    body = seen[0]
    assert body["actions"][0]["value"] == "R1"
    assert body["user"] == {"id": "U1ANA", "username": "ana", "name": "ana", "team_id": "T0LAMPLIT"}
    assert body["container"]["is_ephemeral"] is False
    assert slack.faults == []


def test_a_modal_is_opened_refused_with_errors_and_then_taken(
    slack: SlackStandIn, bolt: App, connect: Connect, client: WebClient
) -> None:
    taken: list[dict[str, Any]] = []

    @bolt.action("exempt")
    def open_form(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=reason_modal(private_metadata="R1"))

    @bolt.view("exempt")
    def take(ack: Ack, view: dict[str, Any]) -> None:
        if view["state"]["values"]["why"]["reason"]["value"] == "because":
            ack(response_action="errors", errors={"why": "That is no reason."})
        else:
            ack()
            taken.append(view)

    connect()
    client.chat_postMessage(channel="C1PAY", text="Dark", blocks=[actions(button("exempt"))])
    ana = slack.acting_as("U1ANA")
    ana.click(slack.workspace.messages("C1PAY")[0], "exempt")
    modal = ana.modal()

    assert ana.submit(modal["id"]).errors == {"why": "Please complete this required field."}
    assert ana.submit(modal["id"], reason="because").errors == {"why": "That is no reason."}
    assert slack.views("U1ANA")
    assert ana.submit(modal["id"], reason="Vendor traces it", until="2027-01-31").ok

    assert slack.views("U1ANA") == []
    assert taken[0]["private_metadata"] == "R1"
    assert taken[0]["state"]["values"]["when"]["until"] == {"type": "datepicker", "selected_date": "2027-01-31"}
    assert slack.faults == []

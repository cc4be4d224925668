"""The page's API: what a browser sees, what it is pushed, and that it is not believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import requests
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.demo.slack import SlackStandIn
from tests.bot.demo.slack.conftest import actions, button, plain, reason_modal, section

Connect = Callable[[], SocketModeHandler]
Json = dict[str, Any]


class Browser:
    """A browser in one person's hands."""

    def __init__(self, slack: SlackStandIn, person_id: str) -> None:
        self.slack = slack
        self.person_id = person_id

    def get(self, path: str, **params: str) -> Json:
        answer = requests.get(f"{self.slack.url}/page/{path}", params={"as": self.person_id, **params}, timeout=5)
        found: Json = answer.json()
        return found

    def post(self, path: str, **body: Any) -> Json:
        answer = requests.post(f"{self.slack.url}/page/{path}", json={"as": self.person_id, **body}, timeout=5)
        found: Json = answer.json()
        return found

    def messages(self, channel: str, **params: str) -> list[Json]:
        found: list[Json] = self.get("messages", channel=channel, **params)["messages"]
        return found

    def pushes_during(self, act: Callable[[], Any], until: Callable[[list[Json]], bool]) -> list[Json]:
        """What this browser is pushed while `act` happens, until enough has come."""

        async def listen() -> list[Json]:
            heard: list[Json] = []
            url = f"{self.slack.url}/page/events?as={self.person_id}"
            async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket, asyncio.timeout(5):
                await asyncio.to_thread(act)
                while not until(heard):
                    heard.append(json.loads((await socket.receive()).data))
            return heard

        return asyncio.run(listen())


@pytest.fixture
def ana(slack: SlackStandIn) -> Browser:
    return Browser(slack, "U1ANA")


@pytest.fixture
def bo(slack: SlackStandIn) -> Browser:
    return Browser(slack, "U2BO")


def test_the_state_is_what_this_person_may_see(ana: Browser) -> None:
    state = ana.get("state")

    assert state["me"]["name"] == "ana"
    assert [person["name"] for person in state["people"]] == ["ana", "bo", "gus", "lamplighter"]
    assert [(channel["name"], channel["joined"]) for channel in state["channels"]] == [
        ("payments", True),
        ("general", True),
        ("ops", True),
        ("old", True),
    ]
    assert state["app"] == {"id": "A0LAMPLIT", "name": "Lamplighter", "bot_user_id": "U0LAMPLIT", "home_tab": True}
    assert state["commands"][0] == {
        "command": "/trace-audit",
        "description": "List functions",
        "usage_hint": "[team]",
    }
    assert state["usergroups"][0]["handle"] == "lambda-approvers"


def test_an_unknown_viewer_and_a_hidden_channel_are_not_found(slack: SlackStandIn, ana: Browser) -> None:
    assert Browser(slack, "U0").get("state") == {"ok": False, "error": "user_not_found"}
    assert requests.get(f"{slack.url}/page/state", timeout=5).json()["me"]["name"] == "ana"
    assert ana.get("messages", channel="G3SECRET") == {"ok": False, "error": "channel_not_found"}


def test_threads_ephemerals_and_unread_counts_are_shown(client: WebClient, ana: Browser, bo: Browser) -> None:
    parent = client.chat_postMessage(channel="C1PAY", text="Dark", blocks=[section()])["ts"]
    client.chat_postMessage(channel="C1PAY", text="Detail", thread_ts=parent)
    client.chat_postEphemeral(channel="C1PAY", user="U1ANA", text="psst")
    assert bo.post("say", channel="C1PAY", text="thanks", thread_ts=parent)["ok"]

    first, second = ana.messages("C1PAY")
    assert (first["text"], first["bot"], first["reply_count"]) == ("Dark", True, 2)
    assert first["reply_users"] == ["U2BO", "U0LAMPLIT"]
    assert (second["text"], second["ephemeral"]) == ("psst", True)
    assert [message["text"] for message in ana.messages("C1PAY", thread=parent)] == ["Dark", "Detail", "thanks"]
    assert len(bo.messages("C1PAY")) == 1

    def unread(who: Browser) -> int:
        return int(who.get("state")["channels"][0]["unread"])

    assert (unread(ana), unread(bo)) == (1, 0)
    ana.post("read", channel="C1PAY")
    assert unread(ana) == 0


def test_a_page_is_pushed_what_happens_and_only_what_is_its_own(
    client: WebClient, ana: Browser, bo: Browser, slack: SlackStandIn
) -> None:
    def act() -> None:
        ts = client.chat_postMessage(channel="C1PAY", text="Dark")["ts"]
        client.chat_postEphemeral(channel="C1PAY", user="U1ANA", text="psst")
        client.chat_update(channel="C1PAY", ts=ts, text="Lit")
        client.views_publish(user_id="U1ANA", view={"type": "home", "blocks": []})
        client.chat_delete(channel="C1PAY", ts=ts)

    def over(heard: list[Json]) -> bool:
        return any(push["type"] == "deleted" for push in heard)

    for_ana = ana.pushes_during(act, over)
    for_bo = bo.pushes_during(act, over)

    assert [push["type"] for push in for_ana] == ["message", "unread", "ephemeral", "changed", "home", "deleted"]
    assert [push["type"] for push in for_bo] == ["message", "unread", "changed", "deleted"]
    assert for_ana[1] == {"type": "unread", "channel": "C1PAY", "unread": 1}
    assert for_bo[1]["unread"] == 1
    assert slack.workspace.messages("C1PAY") == []


def test_a_whole_story_by_the_page(
    slack: SlackStandIn, bolt: App, connect: Connect, client: WebClient, ana: Browser
) -> None:
    seen: list[Json] = []

    @bolt.command("/trace-audit")
    def audit(ack: Ack, respond: Callable[..., Any]) -> None:
        ack()
        respond(text="Dark", blocks=[actions(button(value="R1"), block_id="b")])

    @bolt.action("fix")
    def fix(ack: Ack, body: Json, client: WebClient) -> None:
        seen.append(body["actions"][0])
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=reason_modal())

    @bolt.view("exempt")
    def exempt(ack: Ack, view: Json) -> None:
        seen.append(view["state"]["values"])
        ack()

    connect()
    assert ana.post("command", channel="C1PAY", text="/trace-audit payments") == {"ok": True}
    answer = slack.workspace.wait_for(lambda: ana.messages("C1PAY"))[0]
    forged = {"block_id": "b", "action_id": "fix", "type": "overflow", "value": "R999"}

    def click() -> None:
        assert ana.post("action", channel="C1PAY", message_ts=answer["ts"], **forged) == {"ok": True}

    pushes = ana.pushes_during(click, lambda heard: any(push["type"] == "views" for push in heard))
    view = pushes[-1]["stack"][-1]
    missing = ana.post("view/submit", view_id=view["id"], values={})
    values = {
        "why": {"reason": {"type": "plain_text_input", "value": "Vendor"}},
        "when": {"until": {"type": "datepicker", "selected_date": "2027-01-31"}},
    }
    taken = ana.post("view/submit", view_id=view["id"], values=values)

    assert seen[0]["value"] == "R1"
    assert seen[0]["type"] == "button"
    assert missing == {"ok": False, "errors": {"why": "Please complete this required field."}}
    assert taken == {"ok": True}
    assert seen[1]["when"]["until"]["selected_date"] == "2027-01-31"
    assert ana.get("views") == {"stack": []}
    assert slack.faults == []


def test_what_is_not_there_cannot_be_clicked_or_chosen(client: WebClient, ana: Browser, bo: Browser) -> None:
    menu = {
        "type": "static_select",
        "action_id": "team",
        "options": [{"text": plain("Pay"), "value": "pay"}],
    }
    ts = client.chat_postMessage(channel="G4OPS", text="x", blocks=[actions(button(), menu, block_id="b")])["ts"]
    place = {"channel": "G4OPS", "message_ts": ts, "block_id": "b"}
    other = {"action_id": "team", "selected_option": {"value": "search"}}

    assert "no_such_element" in ana.post("action", **place, action_id="approve")["error"]
    assert "not offered" in ana.post("action", **place, **other)["error"]
    assert bo.post("action", **place, action_id="fix")["error"] == "channel_not_found"
    assert ana.post("action", channel="G4OPS", message_ts="1.2", block_id="b", action_id="fix")["ok"] is False
    assert ana.post("view/submit", view_id="V0", values={}) == {"ok": False, "error": "view_not_found"}
    assert ana.post("view/close", view_id="V0") == {"ok": False, "error": "view_not_found"}
    assert "missing channel" in ana.post("say", text="x")["error"]


def test_a_file_block_gets_an_address_that_a_browser_can_open(
    client: WebClient, ana: Browser, slack: SlackStandIn
) -> None:
    upload = client.files_upload_v2(channel="C1PAY", content=b"<svg/>", filename="a.svg", title="A")
    picture = {"type": "image", "slack_file": {"id": upload["file"]["id"]}, "alt_text": "A"}
    client.chat_postMessage(channel="C1PAY", text="x", blocks=[picture])

    shared, shown = ana.messages("C1PAY")

    assert shared["files"][0]["url"] == shown["blocks"][0]["image_url"]
    answer = requests.get(slack.url + shared["files"][0]["url"], timeout=5)
    assert (answer.content, answer.headers["Content-Security-Policy"]) == (b"<svg/>", "sandbox")


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("a.csv", '\ufefff,why\nrefund,"a, b"\n\n', {"rows": [["f", "why"], ["refund", "a, b"]], "count": 1}),
        ("long.csv", "f\n" * 9, {"rows": [["f"]] * 6, "count": 8}),
        ("wide.csv", ",".join("x" * 20), {"rows": [["x"] * 12], "count": 0}),
        ("a.txt", "f,why", None),
    ],
)
def test_a_csv_file_is_shown_with_its_first_rows(
    client: WebClient, ana: Browser, name: str, content: str, shown: Json | None
) -> None:
    client.files_upload_v2(channel="C1PAY", content=content, filename=name)

    (file,) = ana.messages("C1PAY")[0]["files"]

    assert (file["preview"], file["size"]) == (shown, len(content.encode()))


def test_the_home_is_shown_and_its_opening_told(slack: SlackStandIn, bolt: App, connect: Connect, ana: Browser) -> None:
    view = {"type": "home", "blocks": [section("Hello")]}
    bolt.event("app_home_opened")(lambda event, client: client.views_publish(user_id=event["user"], view=view))
    connect()

    pushes = ana.pushes_during(lambda: ana.get("home"), lambda heard: any(push["type"] == "home" for push in heard))

    assert pushes[-1]["view"]["blocks"][0]["text"]["text"] == "Hello"
    assert ana.get("home")["view"]["type"] == "home"

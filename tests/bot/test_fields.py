"""A form's fields that tell of each change: what reaches a command, and whose drawing stays."""

import threading

import pytest
from slack_sdk import WebClient

from bot import inbound
from bot.demo.people import ANA
from bot.demo.slack import SlackStandIn
from bot.demo.slack.refusals import Refusal
from bot.replies import Drawings, ToField
from commands._types import OpenForm, Say
from storage.models import Source
from tests.bot.conftest import NOON


def view(text: str) -> dict[str, object]:
    option = {"text": {"type": "plain_text", "text": text}, "value": text}
    element = {"type": "multi_static_select", "action_id": "chosen", "options": [option]}
    label = {"type": "plain_text", "text": text}
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Fields"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [
            {"type": "input", "block_id": "chosen", "label": label, "element": element, "dispatch_action": True}
        ],
    }


@pytest.fixture
def opened(slack: SlackStandIn) -> dict[str, str]:
    """Ana's open form."""
    made = slack.modals.open(ANA, view("first"))
    return {"view_id": made["id"], "view_hash": made["hash"]}


def shown(slack: SlackStandIn) -> str:
    return str(slack.acting_as(ANA).modal()["blocks"][0]["label"]["text"])


def test_several_choices_reach_a_command_with_commas_between() -> None:
    picked = [{"value": "a"}, {"value": "b"}]
    body = {
        "user": {"id": ANA, "team_id": "T0"},
        "actions": [{"action_id": "chosen", "action_ts": "12.5"}],
        "view": {
            "id": "V1",
            "hash": "h",
            "type": "modal",
            "private_metadata": "what it was drawn for",
            "state": {
                "values": {
                    "x": {"chosen": {"type": "multi_static_select", "selected_options": picked}},
                    "y": {"text": {"type": "plain_text_input", "value": None}},
                }
            },
        },
    }

    request = inbound.from_field(body, NOON)

    assert inbound.is_in_form(body)
    assert (request.user, request.value, request.source) == (ANA, "what it was drawn for", Source.BUTTON)
    assert dict(request.fields) == {"chosen": "a,b", "text": ""}
    assert inbound.form_drawing(body) == ("V1", "h", "12.5")
    assert not inbound.is_in_form({"message": {}, "actions": []})


def test_a_later_change_is_drawn_though_an_earlier_ones_drawing_came_between(
    slack: SlackStandIn, client: WebClient, opened: dict[str, str]
) -> None:
    drawings = Drawings()
    earlier = ToField(client, drawings, **opened, at="1.0")
    earlier(OpenForm(view("of the earlier")))
    later = ToField(client, drawings, **opened, at="2.0")  # acted on the drawing before that

    later(OpenForm(view("of the later")))

    assert shown(slack) == "of the later"


def test_an_earlier_change_that_is_slow_does_not_overwrite_a_later_one(
    slack: SlackStandIn, client: WebClient, opened: dict[str, str]
) -> None:
    drawings = Drawings()
    earlier = ToField(client, drawings, **opened, at="1.0")
    later = ToField(client, drawings, **opened, at="2.0")
    later(OpenForm(view("of the later")))

    earlier(OpenForm(view("of the earlier")))
    earlier(Say("is not for a form"))

    assert shown(slack) == "of the later"


def test_the_local_slack_tells_of_no_change_in_a_field_that_did_not_ask_for_it(slack: SlackStandIn) -> None:
    quiet = view("quiet")
    blocks = quiet["blocks"]
    assert isinstance(blocks, list)
    made = slack.modals.open(ANA, {**quiet, "blocks": [{**blocks[0], "dispatch_action": False}]})

    with pytest.raises(Refusal, match="no_dispatch_action"):
        slack.acting_as(ANA).click_in_view(made["id"], "chosen", [{"value": "quiet"}])


def test_drawings_are_forgotten_in_the_end() -> None:
    drawings = Drawings()
    threads = [threading.Thread(target=lambda: [drawings.note(f"V{n}", 5.0) for n in range(1500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not drawings.is_latest("V1499", 4.0)
    assert drawings.is_latest("V0", 4.0)

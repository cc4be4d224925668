"""An event that Slack sends again, since it did not hear that it arrived, is acted on once."""

from collections.abc import Iterator

import pytest
from slack_bolt import BoltRequest
from slack_sdk import WebClient

from bot.app import build_app
from bot.channels import ChannelNames
from bot.demo.people import ANA
from bot.demo.slack import SlackStandIn
from bot.demo.slack.payloads import event_callback
from bot.desk import Desk
from bot.once import KEEP_SECONDS, Once
from bot.outbox import Outbox
from bot.people import SlackPeople
from commands._drawing import draw
from commands._types import Context, Event, Request
from tests.e2e.scene import wait_for


@pytest.fixture
def desk(context: Context, client: WebClient, slack: SlackStandIn) -> Iterator[Desk]:
    people = SlackPeople(client, slack.workspace.team_id, [ANA], {})
    made = Desk(context, people, Outbox(context, client, ChannelNames(client), draw))
    yield made
    made.stop()


def test_an_event_that_comes_again_is_acknowledged_and_acted_on_once(
    slack: SlackStandIn, client: WebClient, desk: Desk
) -> None:
    acted: list[Request] = []
    app = build_app([Event("app_home_opened", lambda request, _: acted.append(request) or [])], desk, client, "")
    opened = {"type": "app_home_opened", "user": ANA, "tab": "home", "event_ts": "1.0"}
    body = event_callback(opened, slack.app, slack.workspace)
    headers = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}

    again = [app.dispatch(BoltRequest(body=body, headers=headers, mode="socket_mode")).status for _ in range(3)]
    another = app.dispatch(BoltRequest(body={**body, "event_id": "Ev2"}, mode="socket_mode")).status

    assert [*again, another] == [200, 200, 200, 200]
    wait_for(lambda: len(acted) >= 2)
    desk.stop()
    assert len(acted) == 2


def test_what_was_taken_is_kept_as_long_as_it_could_come_again_and_no_longer() -> None:
    now = [0.0]
    once = Once(lambda: now[0], most=10)

    assert [once.take("a"), once.take("a"), once.take("b")] == [True, False, True]
    now[0] += KEEP_SECONDS - 1
    assert not once.take("a")
    now[0] += 2
    assert once.take("a")
    for number in range(30):
        once.take(f"{number}")
    assert len(once._taken) <= 11

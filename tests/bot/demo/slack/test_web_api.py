"""The Web API's tokens, scopes, refusals and limits, asked with slack_sdk's own client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.demo.slack import BOT_USER_ID, Message, SlackStandIn, UserGroup, Workspace
from tests.bot.demo.slack.conftest import MANIFEST, Clock, actions, button, section


def refusal(client: WebClient, method: str, **args: Any) -> str:
    """The error that this call is refused with."""
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, json=args)
    return str(caught.value.response["error"])


# -- tokens and scopes ---------------------------------------------------------------------------------------


def test_auth_test_says_who_the_bot_is_and_what_it_may_do(client: WebClient) -> None:
    answer = client.auth_test()

    assert answer["user_id"] == BOT_USER_ID
    assert answer["team_id"] == "T0LAMPLIT"
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert (
        headers["x-oauth-scopes"]
        == "commands,chat:write,channels:read,groups:read,files:write,users:read,usergroups:read"
    )


def test_a_call_without_the_right_token_is_refused(slack: SlackStandIn) -> None:
    def error(token: str | None, method: str) -> str:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return str(requests.post(f"{slack.api_url}{method}", headers=headers, timeout=5).json()["error"])

    assert error(None, "auth.test") == "not_authed"
    assert error("xoxb-wrong", "auth.test") == "invalid_auth"
    assert error(slack.app_token, "chat.postMessage") == "not_allowed_token_type"
    assert error(slack.bot_token, "apps.connections.open") == "not_allowed_token_type"


def test_a_method_beyond_the_manifest_names_the_scope_it_needs(tmp_path: Path, workspace: Workspace) -> None:
    manifest = tmp_path / "narrow.yml"
    manifest.write_text(MANIFEST.replace(", users:read, usergroups:read", ""))
    with SlackStandIn(manifest, workspace) as slack:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        with pytest.raises(SlackApiError) as caught:
            client.users_info(user="U1ANA")

    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "users:read"
    assert caught.value.response["provided"] == "commands,chat:write,channels:read,groups:read,files:write"


def test_what_slack_does_not_know_the_stand_in_does_not_know_either(client: WebClient) -> None:
    assert refusal(client, "chat.shout", text="hi") == "unknown_method"


def test_arguments_may_come_as_query_form_or_json(slack: SlackStandIn) -> None:
    url, auth = f"{slack.api_url}users.info", {"Authorization": f"Bearer {slack.bot_token}"}
    answers = [
        requests.get(url, params={"user": "U1ANA", "token": slack.bot_token}, timeout=5),
        requests.post(url, data={"user": "U1ANA", "token": slack.bot_token}, timeout=5),
        requests.post(url, json={"user": "U1ANA"}, headers=auth, timeout=5),
    ]

    assert [answer.json()["user"]["name"] for answer in answers] == ["ana"] * 3
    assert all("token" not in call.args for call in slack.calls)


# -- posting -------------------------------------------------------------------------------------------------

POST_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown channel": ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
    "not invited": ({"channel": "C2OPEN", "text": "x"}, "not_in_channel"),
    "private and not invited": ({"channel": "G3SECRET", "text": "x"}, "channel_not_found"),
    "archived": ({"channel": "C5OLD", "text": "x"}, "is_archived"),
    "direct message": ({"channel": "U1ANA", "text": "x"}, "messages_tab_disabled"),
    "nothing": ({"channel": "C1PAY"}, "no_text"),
    "no channel": ({"text": "x"}, "invalid_arguments"),
    "too long": ({"channel": "C1PAY", "text": "x" * 40_001}, "msg_too_long"),
    "wrong blocks": ({"channel": "C1PAY", "text": "x", "blocks": [section("")]}, "invalid_blocks"),
    "blocks that are no JSON": ({"channel": "C1PAY", "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
    "blocks too long together": (
        {"channel": "C1PAY", "text": "x", "blocks": [section("x" * 3000)] * 5},
        "msg_blocks_too_long",
    ),
    "101 attachments": ({"channel": "C1PAY", "attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
    "thread that is none": ({"channel": "C1PAY", "text": "x", "thread_ts": "17"}, "invalid_thread_ts"),
    "thread that is gone": ({"channel": "C1PAY", "text": "x", "thread_ts": "1700000000.000100"}, "thread_not_found"),
    "metadata without payload": (
        {"channel": "C1PAY", "text": "x", "metadata": {"event_type": "a"}},
        "invalid_metadata_format",
    ),
}


@pytest.mark.parametrize(("args", "error"), POST_REFUSED.values(), ids=POST_REFUSED.keys())
def test_a_post_that_slack_would_refuse_is_refused(
    client: WebClient, slack: SlackStandIn, args: dict[str, Any], error: str
) -> None:
    assert refusal(client, "chat.postMessage", **args) == error
    assert slack.workspace.messages(args.get("channel", "")) == []
    assert slack.calls_of("chat.postMessage")[0].error == error


def test_a_refused_block_is_pointed_at(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C1PAY", text="x", blocks=[section(), section("x" * 3001)])

    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


def test_a_post_is_stored_as_given_with_the_ids_that_slack_makes_up(client: WebClient, slack: SlackStandIn) -> None:
    unnamed = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    answer = client.chat_postMessage(channel="C1PAY", text="a &lt;b&gt; <c>", blocks=[actions(unnamed)])

    (message,) = slack.workspace.messages("C1PAY")
    assert message.text == "a &lt;b&gt; <c>"
    assert message.blocks[0]["block_id"]
    assert message.blocks[0]["elements"][0]["action_id"]
    assert answer["message"]["blocks"] == list(message.blocks)
    assert answer["message"]["bot_id"] == client.auth_test()["bot_id"]


def test_timestamps_are_unique_and_grow(client: WebClient) -> None:
    stamps = [client.chat_postMessage(channel="C1PAY", text=str(n))["ts"] for n in range(5)]

    assert stamps == sorted(set(stamps))
    assert all(len(stamp) == 17 for stamp in stamps)


def test_a_reply_to_a_reply_lands_in_the_thread_of_its_parent(client: WebClient, slack: SlackStandIn) -> None:
    parent = client.chat_postMessage(channel="C1PAY", text="Dark")["ts"]
    reply = client.chat_postMessage(channel="C1PAY", text="One", thread_ts=parent)["ts"]
    client.chat_postMessage(channel="C1PAY", text="Two", thread_ts=reply)

    assert [message.text for message in slack.workspace.replies("C1PAY", parent)] == ["One", "Two"]


def test_a_broadcast_reply_is_in_the_thread_and_in_the_channel(client: WebClient, slack: SlackStandIn) -> None:
    parent = client.chat_postMessage(channel="C1PAY", text="Dark")["ts"]
    client.chat_postMessage(channel="C1PAY", text="Lit", thread_ts=parent, reply_broadcast=True)

    (reply,) = slack.workspace.replies("C1PAY", parent)
    assert reply.in_channel
    assert slack.workspace.unread("U1ANA", "C1PAY") == 2
    assert refusal(client, "chat.postMessage", channel="C1PAY", text="x", reply_broadcast=True) == "invalid_arguments"


def test_with_chat_write_public_the_bot_may_post_where_it_is_no_member_but_not_upload(
    tmp_path: Path, workspace: Workspace
) -> None:
    manifest = tmp_path / "public.yml"
    manifest.write_text(MANIFEST.replace("chat:write,", "chat:write, chat:write.public,"))
    with SlackStandIn(manifest, workspace) as slack:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        assert client.chat_postMessage(channel="C2OPEN", text="x")["ok"]
        assert refusal(client, "chat.postMessage", channel="G3SECRET", text="x") == "channel_not_found"
        with pytest.raises(SlackApiError, match="not_in_channel"):
            client.files_upload_v2(channel="C2OPEN", content="a", filename="a.csv")


def test_a_taken_port_is_said_at_once(slack: SlackStandIn, manifest: Path) -> None:
    port = int(slack.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        SlackStandIn(manifest, Workspace(), port=port).start()


def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text("features: {}")

    with pytest.raises(ValueError, match=r"manifest\.yml is not a Slack app manifest"):
        SlackStandIn(path, Workspace())


def test_a_public_channel_can_be_named(client: WebClient) -> None:
    assert client.chat_postMessage(channel="#payments", text="x")["channel"] == "C1PAY"


# -- changing and deleting -----------------------------------------------------------------------------------


def test_an_update_replaces_what_it_names_and_keeps_the_rest(client: WebClient, slack: SlackStandIn) -> None:
    ts = client.chat_postMessage(channel="C1PAY", text="Dark", blocks=[section()], metadata=METADATA)["ts"]

    client.chat_update(channel="C1PAY", ts=ts, text="Lit")
    (kept,) = slack.workspace.messages("C1PAY")
    client.chat_update(channel="C1PAY", ts=ts, text="Lit", blocks=[])
    (bare,) = slack.workspace.messages("C1PAY")

    assert (kept.text, len(kept.blocks), kept.metadata) == ("Lit", 1, METADATA)
    assert (bare.text, bare.blocks) == ("Lit", ())
    assert bare.edited_ts is not None


METADATA = {"event_type": "digest", "event_payload": {"id": "7"}}


def test_only_the_bots_own_messages_can_be_changed_or_deleted(client: WebClient, slack: SlackStandIn) -> None:
    theirs = slack.acting_as("U1ANA").say("C1PAY", "mine").ts
    ours = client.chat_postMessage(channel="C1PAY", text="x")["ts"]

    assert refusal(client, "chat.update", channel="C1PAY", ts=theirs, text="y") == "cant_update_message"
    assert refusal(client, "chat.delete", channel="C1PAY", ts=theirs) == "cant_delete_message"
    assert refusal(client, "chat.update", channel="C1PAY", ts="1700000000.000100", text="y") == "message_not_found"
    assert refusal(client, "chat.update", channel="C1PAY", ts=ours, text="x" * 4001) == "msg_too_long"
    assert refusal(client, "chat.update", channel="C1PAY", ts=ours, text="") == "no_text"
    assert refusal(client, "chat.update", channel="C1PAY", ts=ours, text="y", blocks=[{}]) == "invalid_blocks"


def test_a_deleted_message_is_gone_but_leaves_a_stone_over_its_replies(client: WebClient, slack: SlackStandIn) -> None:
    alone = client.chat_postMessage(channel="C1PAY", text="alone")["ts"]
    parent = client.chat_postMessage(channel="C1PAY", text="parent")["ts"]
    client.chat_postMessage(channel="C1PAY", text="reply", thread_ts=parent)

    client.chat_delete(channel="C1PAY", ts=alone)
    client.chat_delete(channel="C1PAY", ts=parent)

    assert [message.text for message in slack.workspace.messages("C1PAY")] == ["This message was deleted.", "reply"]
    assert refusal(client, "chat.update", channel="C1PAY", ts=parent, text="back") == "cant_update_message"


def test_an_ephemeral_message_is_for_one_member_and_cannot_be_updated(client: WebClient, slack: SlackStandIn) -> None:
    ts = client.chat_postEphemeral(channel="C1PAY", user="U1ANA", text="psst")["message_ts"]

    assert [message.text for message in slack.workspace.ephemerals("C1PAY", "U1ANA")] == ["psst"]
    assert slack.workspace.messages("C1PAY") == []
    assert refusal(client, "chat.update", channel="C1PAY", ts=ts, text="y") == "message_not_found"
    assert refusal(client, "chat.postEphemeral", channel="G4OPS", user="U2BO", text="x") == "user_not_in_channel"
    assert refusal(client, "chat.postEphemeral", channel="C1PAY", user="U0", text="x") == "user_not_found"


def test_a_permalink_leads_to_the_page(client: WebClient, slack: SlackStandIn) -> None:
    def leads_to(ts: str) -> str:
        link = client.chat_getPermalink(channel="C1PAY", message_ts=ts)["permalink"]
        assert link == f"{slack.url}/archives/C1PAY/p{ts.replace('.', '')}"
        return requests.get(link, timeout=5, allow_redirects=False).headers["Location"]

    alone = client.chat_postMessage(channel="C1PAY", text="x")["ts"]
    parent = client.chat_postMessage(channel="C1PAY", text="x")["ts"]
    reply = client.chat_postMessage(channel="C1PAY", text="x", thread_ts=parent)["ts"]

    assert leads_to(alone) == "/#/C1PAY"
    assert leads_to(parent) == f"/#/C1PAY?thread={parent}"
    assert leads_to(reply) == f"/#/C1PAY?thread={parent}"
    assert refusal(client, "chat.getPermalink", channel="C1PAY", message_ts="1.2") == "message_not_found"


# -- people and channels -------------------------------------------------------------------------------------


def test_a_users_record_tells_guests_bots_and_the_deactivated_apart(client: WebClient) -> None:
    def user(user_id: str) -> dict[str, Any]:
        found: dict[str, Any] = client.users_info(user=user_id)["user"]
        return found

    assert user("U3GUEST")["is_restricted"] is True
    assert user("U4GONE")["deleted"] is True
    assert "is_restricted" not in user("U4GONE")
    assert user(BOT_USER_ID)["is_bot"] is True
    assert "email" not in user("U1ANA")["profile"]
    assert refusal(client, "users.info", user="U0") == "user_not_found"


def test_lists_come_in_pages(client: WebClient) -> None:
    first = client.users_list(limit=3)
    second = client.users_list(limit=3, cursor=first["response_metadata"]["next_cursor"])

    assert [user["name"] for user in first["members"] + second["members"]] == [
        "ana",
        "bo",
        "gus",
        "gone",
        "lamplighter",
    ]
    assert second["response_metadata"]["next_cursor"] == ""
    assert refusal(client, "users.list", cursor="zz") == "invalid_cursor"


def test_the_bot_sees_public_channels_and_the_private_ones_it_is_in(client: WebClient) -> None:
    public = client.conversations_list(exclude_archived=True)["channels"]
    everything = client.conversations_list(types="public_channel,private_channel")["channels"]

    assert [(channel["name"], channel["is_member"]) for channel in public] == [("payments", True), ("general", False)]
    assert [channel["name"] for channel in everything] == ["payments", "general", "ops", "old"]
    assert refusal(client, "conversations.list", types="im") == "missing_scope"
    assert refusal(client, "conversations.info", channel="G3SECRET") == "channel_not_found"
    assert client.conversations_info(channel="G4OPS")["channel"]["is_private"] is True
    assert client.conversations_members(channel="G4OPS")["members"] == [BOT_USER_ID, "U1ANA"]
    assert refusal(client, "conversations.open", users="U1ANA") == "missing_scope"


def test_user_groups_need_a_paid_plan(client: WebClient, slack: SlackStandIn) -> None:
    assert client.usergroups_list()["usergroups"][0]["handle"] == "lambda-approvers"
    assert client.usergroups_users_list(usergroup="S1APPROVE")["users"] == ["U2BO"]
    assert refusal(client, "usergroups.users.list", usergroup="S0") == "no_such_subteam"
    slack.workspace.put_usergroup(UserGroup("S2OFF", "off", "Off", disabled=True))
    assert [one["id"] for one in client.usergroups_list()["usergroups"]] == ["S1APPROVE"]
    every = client.usergroups_list(include_disabled=True)["usergroups"]
    assert [(one["id"], bool(one["date_delete"])) for one in every] == [("S1APPROVE", False), ("S2OFF", True)]

    slack.workspace.usergroups_available = False

    assert refusal(client, "usergroups.users.list", usergroup="S1APPROVE") == "plan_upgrade_required"


def test_blocks_validate_needs_no_token(slack: SlackStandIn) -> None:
    def validate(**args: Any) -> dict[str, Any]:
        answer: dict[str, Any] = requests.post(f"{slack.api_url}blocks.validate", json=args, timeout=5).json()
        return answer

    assert validate(blocks=[section()]) == {"ok": True}
    assert validate(blocks=[section("")])["response_metadata"]["messages"]
    assert validate(view={"type": "home", "blocks": [{}]})["ok"] is False


# -- files ---------------------------------------------------------------------------------------------------


def test_an_uploaded_file_is_shared_shown_and_can_stand_in_an_image_block(
    client: WebClient, slack: SlackStandIn
) -> None:
    thread = client.chat_postMessage(channel="C1PAY", text="Dark")["ts"]
    answer = client.files_upload_v2(
        channel="C1PAY", content=b"\x89PNG", filename="coverage.png", title="Coverage", alt_txt="80 %", thread_ts=thread
    )

    (reply,) = slack.workspace.replies("C1PAY", thread)
    (file,) = reply.files
    assert (file.title, file.alt_txt, file.mimetype) == ("Coverage", "80 %", "image/png")
    assert requests.get(answer["file"]["url_private"], timeout=5).content == b"\x89PNG"
    picture = {"type": "image", "slack_file": {"id": file.id}, "alt_text": "80 %"}
    assert client.chat_postMessage(channel="C1PAY", text="x", blocks=[picture])["ok"]
    picture = {"type": "image", "slack_file": {"id": "F0"}, "alt_text": "80 %"}
    assert refusal(client, "chat.postMessage", channel="C1PAY", text="x", blocks=[picture]) == "invalid_blocks"


def test_a_file_needs_bytes_and_membership(client: WebClient, slack: SlackStandIn) -> None:
    place = client.files_getUploadURLExternal(filename="a.csv", length=3)
    files = [{"id": place["file_id"], "title": "a"}]

    assert refusal(client, "files.completeUploadExternal", files=files, channel_id="C1PAY") == "file_not_found"
    assert requests.post(place["upload_url"], data=b"ab", timeout=5).status_code == 400
    assert requests.post(place["upload_url"], data=b"abc", timeout=5).status_code == 200
    assert refusal(client, "files.completeUploadExternal", files=files, channel_id="C2OPEN") == "not_in_channel"
    client.files_completeUploadExternal(files=files, channel_id="C1PAY")
    assert refusal(client, "files.completeUploadExternal", files=files, channel_id="C1PAY") == "file_not_found"
    too_long = {"filename": "a", "length": 1, "alt_txt": "x" * 1001}
    assert refusal(client, "files.getUploadURLExternal", **too_long) == "alt_txt_too_large"


def test_a_file_goes_to_a_channels_id_and_never_to_a_name_or_a_person(client: WebClient, slack: SlackStandIn) -> None:
    for wanted in ("payments", "#payments", "U1ANA"):
        with pytest.raises(SlackApiError) as caught:
            client.files_upload_v2(channel=wanted, content="a,b", filename="a.csv")
        answer = caught.value.response
        assert answer["error"] == "invalid_arguments"
        assert answer["response_metadata"]["messages"] == [
            "[ERROR] input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]"
        ]
    client.files_upload_v2(content="a,b", filename="a.csv")  # to nobody: it stays the bot's own

    assert slack.workspace.messages("C1PAY") == []


def test_a_file_comes_with_its_comment_or_with_blocks(client: WebClient, slack: SlackStandIn) -> None:
    def upload(**more: Any) -> Message:
        place = client.files_getUploadURLExternal(filename="a.csv", length=1)
        requests.post(place["upload_url"], data=b"a", timeout=5)
        client.files_completeUploadExternal(files=[{"id": place["file_id"]}], channel_id="C1PAY", **more)
        return slack.workspace.messages("C1PAY")[-1]

    with_blocks = upload(blocks=json.dumps([section("All 40")]))
    with_both = upload(blocks=json.dumps([section("All 40")]), initial_comment="All 41")

    assert (with_blocks.blocks[0]["text"]["text"], with_blocks.files[0].name) == ("All 40", "a.csv")
    assert (with_both.text, with_both.blocks) == ("All 41", ())


def test_a_workspace_may_forbid_uploads(client: WebClient, slack: SlackStandIn) -> None:
    slack.workspace.uploads_allowed = False

    assert refusal(client, "files.getUploadURLExternal", filename="a.csv", length=1) == "file_uploads_disabled"


# -- limits and failures -------------------------------------------------------------------------------------


def test_posts_beyond_one_a_second_in_a_channel_are_put_off(
    client: WebClient, slack: SlackStandIn, clock: Clock
) -> None:
    for number in range(5):
        client.chat_postMessage(channel="C1PAY", text=str(number))
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C1PAY", text="one too many")

    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert int(caught.value.response.headers["Retry-After"]) == 1
    assert client.chat_postMessage(channel="G4OPS", text="another channel")["ok"]
    clock.ahead += 1
    assert client.chat_postMessage(channel="C1PAY", text="later")["ok"]


def test_other_methods_are_limited_by_their_tier(client: WebClient) -> None:
    for _ in range(20):
        client.users_list()

    assert refusal(client, "users.list") == "ratelimited"


def test_slack_sdks_own_retry_gets_through_an_ordered_limit(client: WebClient, slack: SlackStandIn) -> None:
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    slack.fail_next("users.info", status=429, retry_after=0)

    assert client.users_info(user="U1ANA")["user"]["name"] == "ana"
    assert [call.error for call in slack.calls_of("users.info")] == ["ratelimited", None]


def test_ordered_failures_come_as_often_as_ordered(client: WebClient, slack: SlackStandIn) -> None:
    slack.fail_next("users.info", error="fatal_error", times=2)
    slack.fail_next("chat.postMessage", status=500, error="internal_error")

    assert [refusal(client, "users.info", user="U1ANA") for _ in range(2)] == ["fatal_error"] * 2
    assert client.users_info(user="U1ANA")["ok"]
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C1PAY", text="x")
    assert caught.value.response.status_code == 500
    assert slack.workspace.messages("C1PAY") == []


def test_an_answer_can_be_lost_after_the_message_was_posted(slack: SlackStandIn) -> None:
    client = WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    slack.fail_next("chat.postMessage", status=0, error="lost", after_effect=True)

    with pytest.raises((ConnectionError, OSError)):
        client.chat_postMessage(channel="C1PAY", text="Dark")

    assert [message.text for message in slack.workspace.messages("C1PAY")] == ["Dark"]
    assert [call.error for call in slack.calls_of("chat.postMessage")] == ["lost"]


def test_clicks_are_only_of_buttons_that_are_there(client: WebClient, slack: SlackStandIn) -> None:
    client.chat_postMessage(channel="C1PAY", text="x", blocks=[actions(button())])

    with pytest.raises(LookupError, match="no 'explode' here, but fix"):
        slack.acting_as("U1ANA").click(slack.workspace.messages("C1PAY")[0], "explode")

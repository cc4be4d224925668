"""The modal of several fixes and the message of a batch, held against Slack's limits."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long, view_is_too_large
from commands.views import batch, review
from commands.views.review import Review
from storage.fixes import Batch, Candidate, FixRequest, RequestState
from tests.commands.views.test_views import HOSTILE, NOON, words
from tests.storage.forecasts import forecast

ROLE = "arn:aws:iam::111122223333:role/"


def candidate(number: int = 0, **facts: Any) -> Candidate:
    name = facts.pop("name", f"function-{number:05}")
    account, region = facts.pop("account", "111122223333"), facts.pop("region", "eu-central-1")
    given = {"role": f"{ROLE}writes", "gives_policy": False, "callers": (), "request": f"token-{number:016}"} | facts
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    return Candidate(arn=arn, account=account, region=region, name=name, **given)


def shown(matching: list[Candidate], **facts: Any) -> Review:
    places = list(dict.fromkeys(one.place for one in matching))
    given = {"team": "payments", "text": "", "place": "", "places": places, "total": len(matching), "chosen": ()}
    given |= {
        "take_all": False,
        "largest": 300,
        "per_second": 1.0,
        "where": "#team-payments",
        "seen": "0123456789abcdef",
    }
    return Review(matching=matching, **{**given, **facts})


def form(review_: Review, metadata: str = "{}") -> dict[str, Any]:
    made = review.review_form(review_, metadata)
    assert view_problems(made) == []
    assert not view_is_too_large(made)
    assert len(json.dumps(made)) < 250_000  # as it goes over the wire, each strange letter six characters
    return made


def element(view: dict[str, Any], action_id: str) -> dict[str, Any]:
    return next(one["element"] for one in view["blocks"] if one.get("element", {}).get("action_id") == action_id)


def offered(view: dict[str, Any]) -> list[str]:
    return [one["value"] for group in element(view, review.CHOSEN)["option_groups"] for one in group["options"]]


@pytest.mark.parametrize("number", [0, 1, 100, 101, 400, 10_000])
def test_a_modal_of_any_size_is_one_that_slack_takes(number: int) -> None:
    view = form(shown([candidate(one) for one in range(number)]))

    if number == 0:
        assert "Nothing matches" in words(view["blocks"])
        return
    assert len(offered(view)) == min(number, review.MOST_LISTED)
    assert max(len(group["options"]) for group in element(view, review.CHOSEN)["option_groups"]) <= 100
    beyond = number - review.MOST_LISTED
    assert ("the first 500 are listed" in words(view["blocks"])) == (beyond > 0)
    label = next(one["label"]["text"] for one in view["blocks"] if one.get("block_id") == review.ALL)
    expected = f"All {number:,} that match" if number <= 300 else f"The first 300 of the {number:,} that match"
    assert label.startswith(expected)


def test_functions_stand_under_their_account_and_region() -> None:
    places = [("111122223333", "eu-central-1"), ("111122223333", "us-east-1"), ("222233334444", "us-east-1")]
    view = form(shown([candidate(n, account=a, region=r) for n, (a, r) in enumerate(places)]))

    labels = [group["label"]["text"] for group in element(view, review.CHOSEN)["option_groups"]]
    assert labels == ["111122223333 eu-central-1", "111122223333 us-east-1", "222233334444 us-east-1"]
    assert [one["value"] for one in element(view, review.WHERE)["options"]] == [review.EVERYWHERE, *labels]


def test_more_than_a_hundred_places_are_cut_and_the_chosen_one_stays() -> None:
    many = [candidate(n, account=f"{n:012}") for n in range(300)]
    view = form(shown(many, place="000000000299 eu-central-1"))

    assert len(element(view, review.WHERE)["options"]) == 100
    assert element(view, review.WHERE)["initial_option"]["value"] == "000000000299 eu-central-1"
    assert len(element(view, review.CHOSEN)["option_groups"]) == 100
    assert "201 smaller ones are not listed" in json.dumps(view)


def test_the_sum_counts_a_shared_role_once_and_says_what_is_not_known_of_the_cost() -> None:
    mute = {"role": f"{ROLE}mute", "gives_policy": True}
    known = [forecast("one", 1.5), forecast("other", 2.0, busy=True)]
    chosen = [candidate(1, **mute), candidate(2, **mute, forecast=known[0]), candidate(3, forecast=known[1])]

    said = words(form(shown(chosen, chosen=chosen))["blocks"])

    assert "*3 functions of 3 chosen.*" in said
    assert "1 execution role gets permission to write to X-Ray: `mute`." in said
    assert "Tracing all 3: about $3.50 a month ($0.35–$5.25), 1 of them not known; before the free tier" in said
    assert said.count("*High volume:* `function-00003`. Lambda's own sampling cannot be set.") == 1
    unpriced = words(form(shown(chosen[:1], chosen=chosen[:1]))["blocks"])
    assert "Tracing it: cost not known yet." in unpriced
    assert "High volume" not in unpriced
    assert "No execution role is changed." in words(form(shown(chosen[2:], chosen=chosen[2:]))["blocks"])


def test_a_role_of_the_same_name_in_two_accounts_is_named_once_with_their_number() -> None:
    roles = [f"arn:aws:iam::{account}:role/mute" for account in ("111122223333", "444455556666")]
    chosen = [candidate(number, role=role, gives_policy=True) for number, role in enumerate(roles)]

    said = words(form(shown(chosen, chosen=chosen))["blocks"])

    assert "2 execution roles get permission to write to X-Ray: `mute` in 2 accounts." in said


def test_other_functions_to_choose_from_are_another_field() -> None:
    ids = {_chosen_block(form(shown([candidate()], seen=seen))) for seen in ("aaaa", "bbbb")}

    assert len(ids) == 2


def _chosen_block(view: dict[str, Any]) -> str:
    return next(one["block_id"] for one in view["blocks"] if str(one.get("block_id", "")).startswith(review.CHOSEN))


@given(HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=100, deadline=None)
def test_hostile_names_break_no_limit_and_call_nobody(name: str, team: str, note: str) -> None:
    hostile = [candidate(n, name=name, role=f"{ROLE}{name}", gives_policy=True) for n in range(101)]

    view = form(shown(hostile, team=team, text=name.strip()[: review.TEXT_LIMIT], chosen=hostile, note="Look again."))

    for block in view["blocks"]:
        if block["type"] in ("section", "context"):
            assert "<!channel>" not in json.dumps(block, ensure_ascii=False)


@given(st.lists(HOSTILE, min_size=500, max_size=500))
@settings(max_examples=3, deadline=None)
def test_five_hundred_hostile_names_fit_into_a_view(names: list[str]) -> None:
    form(shown([candidate(n, name=name) for n, name in enumerate(names)]))


BATCH = Batch(7, "batch-token", "payments", "#team-payments", "U0ANA", NOON, 1)


def member(number: int, state: RequestState = RequestState.RUNNING, **facts: Any) -> FixRequest:
    arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{facts.pop('name', f'f{number:03}')}"
    given = {"approved_by": "U0ANA", "approved_at": NOON, "finished_at": NOON, "batch": 7} | facts
    return FixRequest(f"token-{number}", arn, "payments", state, NOON, **given)


def drawn(members: list[FixRequest], run: Batch = BATCH) -> str:
    made = batch.batch_blocks(run, members, threaded=len(members) > 25)
    assert message_problems(made) == []
    assert not blocks_are_too_long(made)
    return words(made)


def test_a_batch_under_way_counts_what_is_done_failed_at_work_and_left_and_can_be_stopped() -> None:
    applied, failed = member(1, RequestState.APPLIED), member(2, RequestState.FAILED, outcome="The role denies it.")
    members = [applied, failed, member(3, step="Waiting for IAM…"), member(4, queued=True), member(5, queued=True)]

    said = drawn(members)

    assert "1 done · 1 failed · 1 at work · 2 left" in said
    assert "2 of 5" in said
    assert "`f002` 111122223333 eu-central-1: *not fixed*: The role denies it." in said
    assert "`f003` 111122223333 eu-central-1: turning on… Waiting for IAM…" in said
    stop = batch.batch_blocks(BATCH, members, threaded=False)[-1]["elements"][0]
    assert (stop["action_id"], stop["value"]) == (batch.STOP, "batch-token")


def test_a_batch_that_ended_or_was_stopped_has_no_button() -> None:
    ended = replace(BATCH, finished_at=NOON + timedelta(minutes=5))
    stopped = replace(ended, stopped_by="U0BO", stopped_at=NOON)
    members = [member(1, RequestState.APPLIED), member(2, RequestState.OPEN, batch=None)]

    for run in (ended, stopped):
        assert "actions" not in {block["type"] for block in batch.batch_blocks(run, members, threaded=False)}
    said = drawn(members, stopped)
    assert "1 of 2 Lambda functions fixed, then stopped" in said
    assert "stopped by <@U0BO>" in said
    assert "1 not begun and open again" in said
    assert "░` 1 of 2" in said  # what was stopped is not done


@given(st.lists(st.tuples(HOSTILE, st.sampled_from(RequestState)), min_size=1, max_size=300))
@settings(max_examples=25, deadline=None)
def test_a_batch_of_anything_is_a_message_that_slack_takes(rows: list[tuple[str, RequestState]]) -> None:
    members = [member(n, state, outcome=text, step=text, note=text) for n, (text, state) in enumerate(rows)]

    drawn(members)
    page = batch.page_blocks(members[:25], 3)
    assert message_problems(page) == []
    assert not blocks_are_too_long(page)

"""Full members who may not decide, and try: each is kept once for each thing, with the words that they were told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from commands import assign, exempt, not_these, review, snooze, stop
from commands._types import Answer, Context, Request
from commands.views.assign import PATTERN
from commands.views.assign import TEAM as OWNER
from commands.views.snooze import FOR, TEAM, WHAT
from storage.models import THE_CLOCK, DecisionKind, Function, PostKind, Source
from tests.commands.conftest import ANA, EVE, NOON, WORKSPACE, HandClock

Try = tuple[Callable[[Request, Context], Answer], str, dict[str, Any]]
FILLED = {"reason": "moves in OPS-12", "until": "2026-12-24"}


@pytest.fixture
def tries(context: Context, clock: HandClock, remembered: Callable[..., Function]) -> dict[str, list[Try]]:
    """By thing, what Eve does with it."""
    store, function = context.store, remembered("refund")
    asked = store.requests.open_for(function, NOON)
    digest = store.posts.create("d", PostKind.DIGEST, "#team-payments", NOON, team="payments", requests=[asked.id])
    head = store.posts.create("g", PostKind.GRACE, "#team-payments", NOON, team="payments", requests=[asked.id])
    batch_post = store.posts.create("b", PostKind.BATCH, "#team-payments", NOON, team="payments", requests=[asked.id])
    assert digest
    assert head
    assert batch_post
    notice = store.grace.announce("payments", "#team-payments", head.id, 1, NOON.date(), [function.arn], NOON)
    batch = store.batches.create("payments", "#team-payments", THE_CLOCK, batch_post.id, NOON)
    nap = store.snoozes.begin(None, "payments", ANA, NOON, NOON + timedelta(days=1))
    rule = store.owners.assign("batch-*", "payments", ANA, NOON)
    drawn = '{"pattern": "batch-*", "team": "payments", "seen": ""}'
    owner = {"fields": {PATTERN: "batch-*", OWNER: "payments"}}
    whole_team = {"fields": {WHAT: TEAM, FOR: "7"}}
    of_team = '{"team": "payments", "text": "", "place": "", "seen": ""}'
    return {
        asked.id: [
            (exempt.open_form, asked.id, {}),
            (exempt.open_some, asked.id, {}),
            (exempt.look_again, asked.id, {}),
            (exempt.grant, asked.id, {"fields": FILLED}),
            (exempt.exempt, "", {"text": "refund"}),
        ],
        "owners": [
            (assign.open_form, "assign-owner", {}),
            (assign.look_again, drawn, owner),
            (assign.submit, drawn, owner),
        ],
        rule.token: [(assign.end, rule.token, {})],
        f"digest:{digest.id}": [(snooze.snooze, str(digest.id), whole_team)],
        nap.id: [(snooze.end, nap.id, {})],
        notice.token: [
            (not_these.open_form, notice.token, {}),
            (not_these.not_these, notice.token, {"fields": {"reason": "not this year"}}),
        ],
        batch.token: [(stop.stop, batch.token, {})],
        "team:payments": [
            (review.open_review, asked.id, {}),
            (review.look_again, of_team, {}),
            (review.submit, of_team, {}),
        ],
    }


def test_each_try_is_kept_once_for_a_person_and_a_thing(context: Context, tries: dict[str, list[Try]]) -> None:
    given = {"source": Source.BUTTON, "workspace": WORKSPACE, "channel": "C0PAY"}
    for _ in range(2):
        for thing, ways in tries.items():
            for run, value, more in ways:
                replies = list(run(Request(EVE, NOON, value=value, **given | more), context))
                assert "not an approver" in str(replies[-1]), (thing, run)

    rows = context.store.decisions.all()
    assert [(row.kind, row.actor, row.reason) for row in rows] == [
        (DecisionKind.REFUSED, EVE, "You are not an approver.")
    ] * len(tries)
    assert [row.request_id for row in rows] == list(tries)
    assert context.store.exemptions.granted(NOON) == []
    assert context.store.decisions.verify() is None


def test_another_person_is_another_try(context: Context, tries: dict[str, list[Try]]) -> None:
    run, value, more = tries["owners"][0]
    for who in (EVE, "U0MAL", EVE):
        list(run(Request(who, NOON, Source.BUTTON, value=value, workspace=WORKSPACE, **more), context))

    assert [row.actor for row in context.store.decisions.all()] == [EVE, "U0MAL"]

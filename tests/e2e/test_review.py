"""Several fixes at once through the real bot: the modal, and the batch's message."""

import json
from typing import Any

from bot.demo.people import ANA, FINOPS_LEAD
from bot.demo.slack import Message
from commands.views.digest import REVIEW
from commands.views.review import ALL, CHOSEN, TEXT
from storage.models import DecisionKind
from tests.e2e.scene import Scene, wait_for, words


def modal(scene: Scene, who: str, containing: str) -> dict[str, Any]:
    """The person's modal, once it says this."""
    hands = scene.slack.acting_as(who)
    try:
        return wait_for(
            lambda: next((v for v in [hands.modal()] if containing in json.dumps(v, ensure_ascii=False)), None)
        )
    except AssertionError:
        shown = [words_of(block) for block in hands.modal()["blocks"]]
        raise AssertionError(f"no {containing!r} in {shown}\n{scene.logged()[-2000:]}") from None


def words_of(block: dict[str, Any]) -> str:
    return json.dumps(block.get("text") or block.get("label") or block.get("elements"), ensure_ascii=False)


def review(scene: Scene, who: str, team: str) -> None:
    outcome = scene.slack.acting_as(who).click(scene.digest(team), REVIEW)
    assert outcome.ok, outcome


def options(view: dict[str, Any]) -> dict[str, str]:
    """What can be chosen: names and what stands for them."""
    element = next(one["element"] for one in view["blocks"] if one.get("element", {}).get("action_id") == CHOSEN)
    return {one["text"]["text"]: one["value"] for group in element["option_groups"] for one in group["options"]}


def batch_message(scene: Scene, team: str, containing: str, seconds: float = 60) -> Message:
    def look() -> Message | None:
        messages = scene.workspace.messages(scene.channel(f"team-{team}"))
        return next((one for one in messages if one.bot and containing in words(one)), None)

    return wait_for(look, seconds, f"a message with {containing!r}\n{scene.logged()[-1500:]}")


def test_filter_choose_and_fix_in_the_modal(scene: Scene) -> None:
    ana = scene.slack.acting_as(ANA)
    review(scene, ANA, "payments")
    view = modal(scene, ANA, "that match")
    names = options(view)
    assert "refund-worker" in names

    assert ana.click_in_view(view["id"], TEXT, "REFUND").ok
    narrowed = wait_for(lambda: next((v for v in [ana.modal()] if len(options(v)) < len(names)), None))
    assert all("refund" in name for name in options(narrowed))
    assert ana.click_in_view(view["id"], TEXT, None).ok
    wide = wait_for(lambda: next((v for v in [ana.modal()] if len(options(v)) == len(names)), None))
    two = ["refund-worker", "settlement-export"]
    picked = [{"value": options(wide)[name]} for name in two]
    assert ana.click_in_view(view["id"], CHOSEN, picked).ok
    summed = modal(scene, ANA, "*2 functions of ")
    assert "Tracing all 2: " in json.dumps(summed)

    assert ana.submit(view["id"]).ok

    assert "2 functions approved" in json.dumps(modal(scene, ANA, "approved"))
    done = batch_message(scene, "payments", "2 of 2 Lambda functions fixed")
    assert words(done).count("Active since") == 2
    with scene.memory() as store:
        for name in two:
            known = store.functions.named(name)  # in more than one account; one of them was chosen
            (function,) = [one for one in known if store.decisions.history(one.arn)]
            kinds = [one.kind for one in store.decisions.history(function.arn)]
            assert kinds == [DecisionKind.APPROVED, DecisionKind.APPLIED]
            assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "Active"


def test_a_form_with_nothing_chosen_or_a_filter_nobody_looked_at_is_asked_again(scene: Scene) -> None:
    ana = scene.slack.acting_as(ANA)
    review(scene, ANA, "search")
    view = modal(scene, ANA, "that match")

    assert ana.submit(view["id"]).errors == {ALL: "Choose functions above, or tick this."}
    assert ana.submit(view["id"], **{TEXT: "zzz", ALL: [{"value": "all"}]}).ok

    again = modal(scene, ANA, "The filter had been changed")
    assert "Nothing matches" in json.dumps(again)
    assert ana.submit(view["id"]).errors == {TEXT: "Nothing matches that can be approved."}
    with scene.memory() as store:
        assert store.batches.unfinished() == []


def test_who_may_not_approve_is_told_so_in_the_modal(scene: Scene) -> None:
    review(scene, FINOPS_LEAD, "search")

    assert "not an approver" in json.dumps(modal(scene, FINOPS_LEAD, "approver"))

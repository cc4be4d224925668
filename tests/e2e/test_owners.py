"""`/trace-owners` through the real bot: looking, assigning in the modal, and ending that."""

import json
from typing import Any

from bot.demo.people import ANA, FINOPS_LEAD
from commands.views.assign import PATTERN, TEAM
from commands.views.owners import ASSIGN, END
from storage.models import DecisionKind, TeamFrom
from tests.e2e.scene import Scene, wait_for, words


def modal(scene: Scene, containing: str) -> dict[str, Any]:
    """Ana's modal, once it says this."""
    hands = scene.slack.acting_as(ANA)
    return wait_for(
        lambda: next((v for v in [hands.modal()] if containing in json.dumps(v, ensure_ascii=False)), None),
        what=f"a modal with {containing!r}\n{scene.logged()[-1000:]}",
    )


def test_an_owner_is_assigned_in_the_modal_and_that_is_ended_again(scene: Scene) -> None:
    with scene.memory() as store:
        orphan = store.owners.orphans(0, 1)[0]
    shown = scene.answer(ANA, "finops", "/trace-owners", "own")
    assert f"`{orphan.name}`" in words(shown)
    assert "#team-mobile-bff *takes no posts*" in words(shown)

    ana = scene.slack.acting_as(ANA)
    assert ana.click(shown, ASSIGN).ok
    view = modal(scene, "Nothing is chosen yet")
    assert ana.submit(view["id"]).errors
    assert ana.click_in_view(view["id"], PATTERN, orphan.arn).ok
    modal(scene, "1 function matches")
    assert ana.click_in_view(view["id"], TEAM, "Payments").ok
    modal(scene, "its channel is #team-payments")
    assert ana.submit(view["id"]).ok

    done = json.dumps(modal(scene, "tag-resource"))
    assert f"aws lambda tag-resource --region {orphan.region} --resource {orphan.arn} --tags team=payments" in done
    function = scene.function(orphan.name, orphan.account)
    assert (function.team, function.team_from) == ("payments", TeamFrom.ASSIGNED)
    (decision,) = [one for one in scene.history(orphan.arn) if one.kind is DecisionKind.OWNER_ASSIGNED]
    assert (decision.actor, decision.detail["matched"]) == (ANA, 1)
    ana.close(view["id"])
    card = scene.answer(ANA, "finops", f"/trace-audit {orphan.name} {orphan.account} {orphan.region}", "assigned here")
    assert "payments, assigned here" in words(card)

    again = scene.answer(ANA, "finops", "/trace-owners Payments", "Assigned:")
    assert ana.click(again, END).ok
    scene.told(ANA, "finops", "has ended: 1 function moved")
    assert scene.function(orphan.name, orphan.account).team is None


def test_who_may_not_approve_is_shown_who_owns_what_and_no_button(scene: Scene) -> None:
    shown = scene.answer(FINOPS_LEAD, "finops", "/trace-owners", "own")

    assert ASSIGN not in json.dumps(list(shown.blocks))

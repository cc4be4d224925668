"""From the digest to a recorded fix, over Slack's and AWS's protocols."""

import re
import threading
from collections import Counter

from bot.demo.people import ANA, BO, FINOPS_LEAD, GUEST
from commands.views.actions import APPROVE, EXEMPT, UNDO
from storage.fixes import RequestState
from storage.models import DecisionKind, Function, MayWrite, Verdict
from tests.e2e.scene import Scene, wait_for, words

PROD, STAGING = "482915067331", "730264918852"


def names(scene: Scene, team: str | None) -> set[str]:
    """The untraced functions of a team, as the organisation was made."""
    return {
        one.arn.rsplit(":", 1)[1]
        for one in scene.fleet.functions
        if one.team == team and one.verdict is Verdict.UNTRACED
    }


def row_saying(scene: Scene, team: str, function: Function, said: str) -> str:
    """The function's row in the team's digest, once it says that."""

    def look() -> str | None:
        text = scene.row(scene.digest(team), function.name, f"{function.account} · {function.region}")
        return text if said in text else None

    return wait_for(look, 60, f"{function.name} to say {said!r}")


def test_each_team_reads_its_own_untraced_functions_and_no_others(scene: Scene) -> None:
    for team in set(scene.fleet.teams) - {"mobile-bff"}:
        shown = set(re.findall(r"\*`([\w-]+)`\*", words(scene.digest(team))))
        assert shown == names(scene, team), team


def test_functions_of_no_team_and_of_a_closed_channel_go_to_the_fallback(scene: Scene) -> None:
    shown = "\n".join(words(one) for one in scene.workspace.messages(scene.channel("finops")))

    for team in (None, "mobile-bff"):
        assert names(scene, team)
        assert all(f"`{name}`" in shown for name in names(scene, team))
    assert "I cannot post to #team-mobile-bff" in shown
    assert "/invite" in shown
    assert shown.count("I cannot post to #team-mobile-bff") == 1


def test_what_tracing_costs_stands_in_the_row_the_sum_and_the_dialog(scene: Scene) -> None:
    digest = scene.digest("payments")
    row = scene.row(digest, "refund-worker", f"{PROD} · ")
    usd = re.search(r"Tracing it: ≈\s[\d,.]+(?: million)? traces, about (\$[\d.,]+) a month \(.*\d\)", row)

    assert usd, row
    dialogs = [
        element["confirm"]["text"]["text"]
        for block in digest.blocks
        for element in block.get("elements", ())
        if element.get("action_id") == APPROVE
    ]
    (dialog,) = [one for one in dialogs if f"refund-worker ({PROD}" in one]
    assert f"Cost: about {usd[1]} a month (" in dialog
    assert re.search(
        r"Tracing all \d+: about \$[\d.,]+ a month \(.*before the free tier, by traffic until", words(digest)
    )


def test_an_approved_function_becomes_active_and_its_role_gets_the_permission(scene: Scene) -> None:
    function = scene.function("refund-worker", PROD)
    digest = scene.digest("payments")
    assert scene.buttons(digest, function.name, function.account) == [APPROVE, EXEMPT]

    assert scene.click(ANA, digest, APPROVE, function.name, function.account).ok

    row = row_saying(scene, "payments", function, "Active since")
    assert f"approved by <@{ANA}>" in row
    assert scene.buttons(scene.digest("payments"), function.name, function.account) == [UNDO]
    assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "Active"
    remembered = scene.function(function.name, function.account)
    assert remembered.mode == "Active"
    assert remembered.role_may_write is MayWrite.YES
    history = scene.history(function.arn)
    assert [(one.kind, one.actor) for one in history] == [(DecisionKind.APPROVED, ANA), (DecisionKind.APPLIED, ANA)]
    assert (history[1].before, history[1].after) == ("PassThrough", "Active")
    assert "AWSXRayDaemonWriteAccess" in str(history[1].detail["attached_policy"])
    writes = [one for one in scene.aws.sessions if one.source_identity == ANA]
    assert len(writes) == 1


def test_of_twenty_clicks_by_two_people_one_counts(scene: Scene) -> None:
    function = scene.function("shipping-rates", PROD)
    digest = scene.digest("checkout")
    before = {who: len(scene.workspace.ephemerals(scene.channel("team-checkout"), who)) for who in (ANA, BO)}
    gate = threading.Barrier(20)

    def click(who: str) -> None:
        gate.wait()
        assert scene.click(who, digest, APPROVE, function.name, function.account).ok

    threads = [threading.Thread(target=click, args=[who]) for who in (ANA, BO) * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def answers() -> list[str]:
        return [
            words(one)
            for who in (ANA, BO)
            for one in scene.workspace.ephemerals(scene.channel("team-checkout"), who)[before[who] :]
        ]

    polite = wait_for(lambda: found if len(found := answers()) >= 19 else None, 40, "nineteen answers")
    row_saying(scene, "checkout", function, "Active since")
    assert len(polite) == 19
    assert all("approved by <@" in text for text in polite)
    kinds = Counter(one.kind for one in scene.history(function.arn))
    assert kinds == {DecisionKind.APPROVED: 1, DecisionKind.APPLIED: 1}
    updates = [
        call
        for call in scene.aws.calls
        if call.action.startswith("UpdateFunctionConfiguration") and call.account == function.account
    ]
    assert len([one for one in scene.aws.sessions if function.name in str(one.policy)]) == 1, updates
    with scene.memory() as store:
        assert store.decisions.verify() is None


def test_who_is_no_approver_changes_nothing(scene: Scene) -> None:
    function = scene.function("synonyms-sync", PROD)
    digest = scene.digest("search")
    scene.click(FINOPS_LEAD, digest, APPROVE, function.name, function.account)
    scene.told(FINOPS_LEAD, "team-search", "You are not an approver of search")

    assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "PassThrough"
    assert [(one.kind, one.actor) for one in scene.history(function.arn)] == [(DecisionKind.REFUSED, FINOPS_LEAD)]
    assert APPROVE in scene.buttons(scene.digest("search"), function.name, function.account)


def test_a_guest_may_neither_approve_nor_ask(scene: Scene) -> None:
    function = scene.function("tax-quote")
    scene.click(GUEST, scene.digest("payments"), APPROVE, function.name)
    scene.told(GUEST, "team-payments", "Guests cannot use Lamplighter")
    scene.answer(GUEST, "team-payments", "/trace-audit", "Guests cannot use Lamplighter")

    assert [(one.kind, one.actor) for one in scene.history(function.arn)] == [(DecisionKind.REFUSED, GUEST)]


def test_a_failed_fix_says_which_step_and_why_and_can_be_approved_again(scene: Scene) -> None:
    function = scene.function("password-reset-mailer", STAGING)
    scene.aws.deny(account=function.account, service="lambda", action="UpdateFunctionConfiguration")
    try:
        scene.click(BO, scene.digest("identity"), APPROVE, function.name, function.account)
        row = row_saying(scene, "identity", function, "Not fixed")
    finally:
        scene.aws.forgive()
    assert "lambda:UpdateFunctionConfiguration" in row
    assert scene.buttons(scene.digest("identity"), function.name, function.account) == [APPROVE, EXEMPT]
    assert [one.kind for one in scene.history(function.arn)] == [DecisionKind.APPROVED, DecisionKind.FAILED]

    scene.click(ANA, scene.digest("identity"), APPROVE, function.name, function.account)

    row_saying(scene, "identity", function, "Active since")
    assert scene.history(function.arn)[-1].kind is DecisionKind.APPLIED


def test_a_role_that_denies_tracing_is_left_alone_and_the_rule_is_named(scene: Scene) -> None:
    function = scene.function("card-tokenizer")
    scene.click(ANA, scene.digest("payments"), APPROVE, function.name)

    row = row_saying(scene, "payments", function, "Not fixed")

    assert "explicit Deny" in row
    assert not [one for one in scene.aws.calls if one.action == "AttachRolePolicy" and "card" in str(one)]
    assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "PassThrough"


def test_a_function_that_an_alias_serves_is_fixed_and_the_alias_is_not_passed_over(scene: Scene) -> None:
    function = scene.function("charge-dispatcher")
    scene.click(BO, scene.digest("payments"), APPROVE, function.name)

    row = row_saying(scene, "payments", function, "Active since")

    assert "live" in row.split("Active since")[1]
    assert scene.function("charge-dispatcher").verdict is Verdict.UNTRACED


def test_an_exemption_is_asked_for_in_a_modal_and_leaves_the_digest(scene: Scene) -> None:
    function = scene.function("partition-repair")
    persona = scene.slack.acting_as(BO)
    scene.click(BO, scene.digest("data-platform"), EXEMPT, function.name, function.account)
    view = persona.modal()

    refused = persona.submit(view["id"], reason="moves in OPS-12", until="2031-01-01")
    assert "One year at most" in str(refused.errors)
    (until,) = (block["element"]["initial_date"] for block in view["blocks"] if block.get("block_id") == "until")
    assert persona.submit(view["id"], reason="moves in OPS-12 <!channel>", until=until).ok

    wait_for(lambda: "is exempt until" in str(scene.slack.views(BO)), what="the modal to say so")
    row = row_saying(scene, "data-platform", function, "Exempt until")
    assert f"granted by <@{BO}>" in row
    assert "&lt;!channel&gt;" in row
    assert scene.function(function.name, function.account).verdict is Verdict.EXEMPT
    decision = scene.history(function.arn)[-1]
    assert (decision.kind, decision.actor, decision.reason) == (DecisionKind.EXEMPTED, BO, "moves in OPS-12 <!channel>")
    persona.close(scene.slack.views(BO)[-1]["id"])
    told = scene.answer(ANA, "team-data-platform", "/trace-audit data-platform", "untraced")
    assert f"`{function.name}`" not in words(told)


def test_who_is_no_approver_is_told_before_the_form(scene: Scene) -> None:
    function = scene.function("relevance-experiments")
    scene.click(FINOPS_LEAD, scene.digest("search"), EXEMPT, function.name, function.account)
    scene.told(FINOPS_LEAD, "team-search", "You are not an approver of search")
    scene.answer(FINOPS_LEAD, "team-search", f"/trace-exempt {function.name}", "You are not an approver of search")

    assert scene.slack.views(FINOPS_LEAD) == []
    assert scene.function("relevance-experiments").verdict is Verdict.UNTRACED


def test_a_fix_is_asked_for_by_command_and_approved_in_the_channel(scene: Scene) -> None:
    function = scene.function("settlement-export", PROD)
    line = f"/trace-fix {function.name} {function.account} {function.region} we were blind in OPS-77 & OPS-78"
    scene.answer(FINOPS_LEAD, "finops", line, f"Asked in <#{scene.channel('team-payments')}>")

    message = wait_for(
        lambda: next(
            (
                one
                for one in scene.workspace.messages(scene.channel("team-payments"))
                if f"<@{FINOPS_LEAD}> asks" in words(one)
            ),
            None,
        )
    )
    assert "we were blind in OPS-77 &amp; OPS-78" in words(message)
    scene.answer(BO, "finops", line, "was asked for already")
    assert scene.slack.acting_as(ANA).click(message, APPROVE).ok

    wait_for(lambda: scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "Active", 40)
    row_saying(scene, "payments", function, "Active since")
    kinds = [one.kind for one in scene.history(function.arn)]
    assert kinds == [DecisionKind.REQUESTED, DecisionKind.APPROVED, DecisionKind.APPLIED]


def test_the_doctor_says_in_slack_and_beside_the_bot_what_is_not_set_up_right(scene: Scene) -> None:
    scene.answer(FINOPS_LEAD, "finops", "/trace-audit doctor", "You are not an approver")
    told = words(scene.answer(ANA, "finops", "/trace-audit doctor", "Is it set up right?"))

    assert "#team-mobile-bff: lamplighter is not in it" in told
    assert "type `/invite @lamplighter` there" in told
    # AWS was asked too; where four test processes share two cores, its eight seconds may not be enough for all of it.
    assert "permissions of the audit role" in told or "AWS: credentials" in told
    assert ":x:" not in told  # nothing fails

    slack = {key: value for key, value in scene.environment.items() if key.startswith("SLACK_")}
    beside = scene.run_cli("doctor", "--only", "here", **slack)
    assert beside.returncode == 0, beside.stdout
    assert "ok       Memory: bot: one runs on this database" in beside.stdout
    assert "ok       Memory: chain of decisions: whole" in beside.stdout
    assert "#team-mobile-bff: lamplighter is not in it" in beside.stdout


def test_the_history_is_whole_and_requests_ended(scene: Scene) -> None:
    with scene.memory() as store:
        assert store.decisions.verify() is None
        assert store.requests.running() == []
        applied = [one for one in store.decisions.all() if one.kind is DecisionKind.APPLIED]
        assert all(store.requests.get(one.request_id).state is RequestState.APPLIED for one in applied)


def test_no_environment_value_and_no_token_is_kept_or_logged(scene: Scene) -> None:
    kept = b"".join(path.read_bytes() for path in scene.folder.glob("lamplighter.db*"))
    secrets = (scene.fleet.canary, scene.slack.bot_token, scene.slack.app_token, scene.fleet.access_key[1])

    assert not [one for one in secrets if one.encode() in kept or one in scene.logged()]

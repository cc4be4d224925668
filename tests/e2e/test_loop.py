"""From the digest to a recorded fix, over Slack's and AWS's protocols."""

import json
import re
import socket
import threading
import tomllib
from collections import Counter
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from moto.sts.models import sts_backends
from slack_sdk import WebClient

from bot.demo.people import ANA, BO, FINOPS_LEAD, GUEST
from bot.demo.slack import Message
from commands.views.actions import APPROVE, EXEMPT, UNDO
from commands.views.history import POST, SHOW
from storage.fixes import RequestState
from storage.models import DecisionKind, Function, MayWrite, Verdict
from tests.e2e import loud
from tests.e2e.scene import Scene, wait_for, words

PROD, STAGING = "482915067331", "730264918852"
EMAIL = "canary.person@example.com"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A running bot whose tokens come from files and whose every logger, its libraries' too, says all that it knows.

    What all of this module has it do is looked for secrets in the end.
    """
    folder = tmp_path_factory.mktemp("scene")
    with Scene(folder) as made, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        made.configure(("[teams]\n", f'[metrics]\nlisten = "127.0.0.1:{probe.getsockname()[1]}"\n\n[teams]\n'))
        probe.close()
        (folder / "bot-token").write_text(f"{made.environment.pop('SLACK_BOT_TOKEN')}\n")
        (folder / "app-token").write_text(made.environment.pop("SLACK_APP_TOKEN"))
        nobodys = next(one.arn for one in made.fleet.functions if one.team is None)
        _, _, _, region, account, *_ = nobodys.split(":")
        made.aws.functions.backend(account, region).tag_resource(nobodys, {"owner": EMAIL, "contact": EMAIL})
        made.start_bot(
            module="tests.e2e.loud",
            SLACK_BOT_TOKEN_FILE=str(folder / "bot-token"),
            SLACK_APP_TOKEN_FILE=str(folder / "app-token"),
            TMPDIR=str(folder),
            HOME=str(folder),
            MPLCONFIGDIR=str(folder / ".matplotlib"),
            PYTHONDONTWRITEBYTECODE="1",
        )
        made.until_posted()
        yield made
        assert made.slack.faults == []


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


def test_a_message_that_a_thief_of_the_bot_token_made_up_gives_nobody_more_than_they_have(scene: Scene) -> None:
    function = scene.function("synonyms-sync", PROD)
    value = scene.values(scene.digest("search"), function.name, PROD)[0]
    thief = WebClient(token=scene.slack.bot_token, base_url=f"{scene.slack.url}/api/")
    finops = scene.channel("finops")
    before = len(scene.history(function.arn))

    def lure(what: str, record: str) -> Message:
        button = {"type": "button", "action_id": APPROVE, "value": record, "text": {"type": "plain_text", "text": what}}
        blocks = [{"type": "actions", "elements": [button]}]
        posted = thief.chat_postMessage(channel=finops, text=what, blocks=blocks)
        return next(one for one in scene.workspace.messages(finops) if one.ts == posted["ts"])

    scene.slack.acting_as(FINOPS_LEAD).click(lure("A free lunch", value), APPROVE)
    scene.told(FINOPS_LEAD, "finops", "You are not an approver of search")
    scene.slack.acting_as(ANA).click(lure("A free lunch", "made-up"), APPROVE)
    wait_for(lambda: len(scene.workspace.ephemerals(finops, ANA)) > 0, what="an answer to a made-up record")

    assert {one.kind for one in scene.history(function.arn)[before:]} <= {DecisionKind.REFUSED}
    assert scene.aws.function(function.arn)["TracingConfig"]["Mode"] == "PassThrough"


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


def test_who_decided_what_is_shown_posted_written_and_proved(scene: Scene) -> None:
    name = "voucher-validate"
    scene.answer(ANA, "team-checkout", f"/trace-fix {name} {STAGING} we were blind in OPS-1234", "Asked in")

    page = scene.answer(ANA, "team-checkout", f"/trace-history {name} {STAGING} @ana since 1d", "1 decision:")
    said = words(page)
    assert f"<@{ANA}> asked for a fix of `{name}`" in said
    assert "“we were blind in OPS-1234” · allowed by `any full member of the workspace may`" in said
    scene.answer(GUEST, "team-checkout", "/trace-history", "Guests")
    scene.answer(ANA, "team-checkout", "/trace-history help", "/trace-history payments 4w csv")
    card = scene.answer(ANA, "team-checkout", "/trace-audit psp-webhook-replay", "`psp-webhook-replay`: traced")
    assert scene.slack.acting_as(ANA).click(card, SHOW).ok
    scene.told(ANA, "team-checkout", "No decision was found. Searched for: `psp-webhook-replay`")

    assert scene.slack.acting_as(ANA).click(page, POST).ok
    channel = scene.channel("team-checkout")
    (message,) = wait_for(lambda: [one for one in scene.workspace.messages(channel) if one.files], 30, "the file")
    assert message.files[0].name.endswith(".csv")
    assert f"<@{ANA}> asked for 1 decision as CSV" in words(message)
    assert f",requested,{ANA},arn:aws:lambda:" in message.files[0].content.decode()

    written = scene.run_cli("history", name, STAGING, "--format", "jsonl")  # beside the bot that runs
    told = [json.loads(line) for line in written.stdout.splitlines()]
    assert [(one["kind"], one["actor"], one["team"]) for one in told] == [("requested", ANA, "checkout")]
    proved = scene.run_cli("verify", "--expect", f"{told[0]['id']}:{told[0]['hash']}")
    assert (proved.returncode, proved.stderr) == (0, "")
    assert "As expected" in proved.stdout


def test_the_doctor_says_in_slack_and_beside_the_bot_what_is_not_set_up_right(scene: Scene) -> None:
    scene.answer(FINOPS_LEAD, "finops", "/trace-audit doctor", "You are not an approver")
    told = words(scene.answer(ANA, "finops", "/trace-audit doctor", "Is it set up right?"))

    assert "#team-mobile-bff: lamplighter is not in it" in told
    assert "type `/invite @lamplighter` there" in told
    # AWS was asked too; where four test processes share two cores, its eight seconds may not be enough for all of it.
    assert "permissions of the audit role" in told or "AWS: credentials" in told
    assert ":x:" not in told  # nothing fails

    slack = {
        "SLACK_API_URL": scene.slack.api_url,
        "SLACK_BOT_TOKEN": scene.slack.bot_token,
        "SLACK_APP_TOKEN": scene.slack.app_token,
    }
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


def secrets(scene: Scene) -> dict[str, str]:
    """What must be nowhere: of Slack, of AWS (of each session that the bot was given, too) and of people."""
    given = [role for of in sts_backends.values() for role in of["aws"].assumed_roles]
    assert len(given) > 5
    return {
        "bot token": scene.slack.bot_token,
        "app token": scene.slack.app_token,
        "environment variable": scene.fleet.canary,
        "e-mail address": EMAIL,
        "secret key": scene.fleet.access_key[1],
        **{f"session {number}'s key": role.secret_access_key for number, role in enumerate(given)},
        **{f"session {number}'s token": role.session_token for number, role in enumerate(given)},
    }


def test_no_secret_is_kept_logged_or_measured_with_every_logger_at_its_loudest(scene: Scene) -> None:
    kept = b"".join(path.read_bytes() for path in scene.folder.glob("lamplighter.db*")).decode(errors="replace")
    listen = tomllib.loads((scene.folder / "lamplighter.toml").read_text())["metrics"]["listen"]
    with urlopen(f"http://{listen}/metrics", timeout=10) as answer:
        measured = answer.read().decode()
    logged = scene.logged()

    assert "lamplighter_functions{" in measured
    assert "refund-worker" in kept
    for place, text in {"file": kept, "metrics": measured, "log": logged}.items():
        assert [name for name, secret in secrets(scene).items() if secret in text] == [], place
    # Of requests and answers, not even the words around the secrets: no library's debugging has been let through.
    assert not re.findall(r"^\S+ \S+ (?:DEBUG|INFO) +(?! |(?:bot|commands|storage)\.).*", logged, re.MULTILINE)
    assert not re.search(r"Authorization|SecretAccessKey|hooks|response_url|wss?://", logged)


def test_the_bot_writes_beside_its_database_alone_and_starts_no_program(scene: Scene) -> None:
    # So that all else of a container's files may be read-only, and no shell be there.
    assert [line for line in scene.logged().splitlines() if line.startswith(loud.MARK)] == []

"""The demo's organisation: what it holds, and that the stand-in agrees with what it promises."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from bot.demo import deployment
from bot.demo.aws import AwsStandIn
from bot.demo.fleet import Fleet, seed
from bot.demo.fleet_access import AUDIT_ROLE, FIX_ROLE
from bot.demo.fleet_data import TEAMS, planned
from storage.models import CheckName, MayWrite, Verdict
from tests.bot.demo.aws.conftest import refusal


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandIn]:
    with AwsStandIn(calls_per_second=None) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(aws: AwsStandIn) -> Fleet:
    return seed(aws)


@pytest.fixture
def sts(aws: AwsStandIn, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Any:
    """STS with nothing but the environment that the bot's process gets."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in fleet.environment(aws).items():
        monkeypatch.setenv(name, value)
    return boto3.Session().client("sts")


def session(sts: Any, fleet: Fleet, account: str, role: str, **more: Any) -> boto3.Session:
    arn = f"arn:aws:iam::{account}:role/{role}"
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="lamplighter", ExternalId=fleet.external_id, **more)
    given = answer["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def test_every_team_has_something_to_do_and_something_done(fleet: Fleet) -> None:
    counts = Counter((function.team, function.verdict) for function in fleet.functions)

    for team in TEAMS:
        assert 3 <= counts[team, Verdict.UNTRACED] <= 9
        assert counts[team, Verdict.TRACED] >= 10
    assert sum(function.team is None for function in fleet.functions) == 8
    assert {function.verdict for function in fleet.functions} == set(Verdict) - {Verdict.EXEMPT}
    traced = sum(function.verdict is Verdict.TRACED for function in fleet.functions)
    assert 0.55 < traced / len(fleet.functions) < 0.65


def test_every_check_finds_something(fleet: Fleet) -> None:
    found = set().union(*(function.because for function in fleet.functions))

    assert found == {
        CheckName.PASSTHROUGH,
        CheckName.ROLE_DENIED,
        CheckName.ROLE_CONDITIONAL,
        CheckName.ALIAS_UNTRACED,
        CheckName.NOT_APPLICABLE,
        CheckName.STARVED,
        CheckName.SURFACE_ONLY,
        CheckName.TRACED_ELSEWHERE,
        CheckName.RUNTIME_BLOCKED,
        CheckName.UNOWNED,
    }


def test_the_bot_reads_every_account_through_its_audit_role(sts: Any, fleet: Fleet) -> None:
    seen = set()
    for account in fleet.accounts:
        audit = session(sts, fleet, account, AUDIT_ROLE)
        for region in fleet.regions:
            pages = audit.client("lambda", region_name=region).get_paginator("list_functions").paginate()
            seen |= {function["FunctionArn"] for page in pages for function in page["Functions"]}

    assert seen == {function.arn for function in fleet.functions}


def test_one_region_holds_more_than_a_page(sts: Any, fleet: Fleet) -> None:
    audit = session(sts, fleet, fleet.accounts[0], AUDIT_ROLE)

    assert "NextMarker" in audit.client("lambda", region_name="eu-central-1").list_functions()


def test_tracing_modes_are_those_that_the_verdicts_say(aws: AwsStandIn, fleet: Fleet) -> None:
    for function in fleet.functions:
        mode = aws.function(function.arn)["TracingConfig"]["Mode"]
        assert (mode == "PassThrough") == bool(function.because & {CheckName.PASSTHROUGH, CheckName.NOT_APPLICABLE})


def test_roles_may_what_is_said_of_them(sts: Any, aws: AwsStandIn, fleet: Fleet) -> None:
    iams = {account: session(sts, fleet, account, AUDIT_ROLE).client("iam") for account in fleet.accounts}
    roles = {(function.arn.split(":")[4], aws.function(function.arn)["Role"]): function for function in fleet.functions}

    for (account, role), function in roles.items():
        answer = iams[account].simulate_principal_policy(PolicySourceArn=role, ActionNames=["xray:PutTraceSegments"])
        allowed = answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
        assert allowed == (function.may_write is MayWrite.YES), role


def test_aliases_serve_what_the_verdicts_say(sts: Any, aws: AwsStandIn, fleet: Fleet) -> None:
    dark = {function.arn for function in fleet.functions if CheckName.ALIAS_UNTRACED in function.because}
    served = {}
    for account in fleet.accounts:
        audit = session(sts, fleet, account, AUDIT_ROLE)
        for region in fleet.regions:
            for name in _functions_behind_an_alias(audit.client("cloudwatch", region_name=region)):
                arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
                served[arn] = aws.function(f"{arn}:live")["TracingConfig"]["Mode"]

    assert {arn for arn, mode in served.items() if mode == "PassThrough"} == dark
    assert "Active" in served.values()


def _functions_behind_an_alias(cloudwatch: Any) -> set[str]:
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="AWS/Lambda", MetricName="Invocations")
    resources = [
        item["Value"]
        for page in pages
        for metric in page["Metrics"]
        for item in metric["Dimensions"]
        if item["Name"] == "Resource"
    ]
    return {resource.partition(":")[0] for resource in resources if ":" in resource}


def test_teams_are_tagged_in_their_own_ways(sts: Any, fleet: Fleet) -> None:
    audit = session(sts, fleet, fleet.accounts[0], AUDIT_ROLE)
    pages = (
        audit.client("resourcegroupstaggingapi", region_name="eu-central-1").get_paginator("get_resources").paginate()
    )
    tags = [
        (tag["Key"], tag["Value"]) for page in pages for item in page["ResourceTagMappingList"] for tag in item["Tags"]
    ]

    assert {("team", "payments"), ("owner", "payments"), ("owner", "Checkout"), ("lambda:createdBy", "SAM")} <= set(
        tags
    )


def test_kafka_and_the_edge_are_there(sts: Any, fleet: Fleet) -> None:
    audit = session(sts, fleet, fleet.accounts[2], AUDIT_ROLE)
    mappings = audit.client("lambda", region_name="eu-central-1").list_event_source_mappings()["EventSourceMappings"]
    prod = session(sts, fleet, fleet.accounts[0], AUDIT_ROLE).client("iam")
    trust = prod.get_role(RoleName="identity-edge")["Role"]["AssumeRolePolicyDocument"]

    assert any(":kafka:" in mapping["EventSourceArn"] for mapping in mappings)
    assert "edgelambda.amazonaws.com" in trust["Statement"][0]["Principal"]["Service"]


def test_our_roles_can_do_what_they_are_for_and_nothing_else(sts: Any, fleet: Fleet) -> None:
    account, one = fleet.accounts[0], "refund-worker"
    audit = session(sts, fleet, account, AUDIT_ROLE)
    fix = session(sts, fleet, account, FIX_ROLE, SourceIdentity="U07K2M4QANA")
    change = {"FunctionName": one, "MemorySize": 256}

    assert refusal(audit.client("lambda").update_function_configuration, **change)[0] == "AccessDeniedException"
    admin = {"RoleName": "payments-worker", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    assert refusal(fix.client("iam").attach_role_policy, **admin)[0] == "AccessDenied"
    assert refusal(fix.client("lambda").delete_function, FunctionName=one)[0] == "AccessDeniedException"
    assert refusal(fix.client("lambda").get_function_configuration, FunctionName=one)[0] == "AccessDeniedException"
    assert fix.client("lambda").publish_version(FunctionName=one)["FunctionName"] == one


def test_a_fix_names_a_slack_user_or_does_not_happen(sts: Any, fleet: Fleet) -> None:
    arguments = {"RoleArn": f"arn:aws:iam::{fleet.accounts[0]}:role/{FIX_ROLE}", "RoleSessionName": "fix"}

    refused = refusal(sts.assume_role, **arguments, ExternalId=fleet.external_id, SourceIdentity="somebody")

    assert refused[0] == "AccessDenied"
    assert refusal(sts.assume_role, **arguments, SourceIdentity="U07K2M4QANA")[0] == "AccessDenied"


def test_a_value_that_must_never_be_stored_is_in_sight(aws: AwsStandIn, fleet: Fleet) -> None:
    values = [aws.function(function.arn).get("Environment") or {} for function in fleet.functions]

    assert any(fleet.canary in found.get("Variables", {}).values() for found in values)


def test_what_the_demo_deploys_was_not_there_before() -> None:
    assert deployment.NAME not in {plan.name for plan in planned()}

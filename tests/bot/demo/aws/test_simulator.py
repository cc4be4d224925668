"""The stand-in's policy simulator over HTTP: decisions, what was missing, boundaries, organizations, pages."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, may, refusal

PUT, GET = "xray:PutTraceSegments", "xray:GetSamplingRules"
FROM_VPC = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}


@pytest.fixture
def iam(client: Any) -> Any:
    return client("iam")


@pytest.fixture
def simulate(iam: Any) -> Any:
    """The one result of simulating PutTraceSegments for a role under this context."""

    def ask(role: str, **context: str) -> dict[str, Any]:
        entries = [
            {"ContextKeyName": f"aws:{key}", "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in context.items()
        ]
        answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[PUT], ContextEntries=entries)
        (result,) = answer["EvaluationResults"]
        return dict(result)

    return ask


def test_a_key_that_is_not_given_is_missing_and_counts_as_absent(simulate: Any, make_role: Any) -> None:
    role = make_role("worker", may(PUT, Condition=FROM_VPC))

    unaware, outside, inside = simulate(role), simulate(role, SourceVpc="vpc-2"), simulate(role, sourcevpc="vpc-1")

    assert (unaware["EvalDecision"], unaware["MissingContextValues"]) == ("implicitDeny", ["aws:SourceVpc"])
    assert (outside["EvalDecision"], outside["MissingContextValues"]) == ("implicitDeny", [])
    assert (inside["EvalDecision"], inside["MissingContextValues"]) == ("allowed", [])
    assert (inside["EvalActionName"], inside["EvalResourceName"]) == (PUT, "*")


def test_keys_of_variables_and_of_other_actions_are_missing_too(simulate: Any, make_role: Any) -> None:
    mine = {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}
    document = may(PUT)
    document["Statement"] += may("s3:GetObject", Condition=mine)["Statement"]
    document["Statement"] += [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username, 'x'}/${*}"}
    ]

    result = simulate(make_role("worker", document))

    assert result["EvalDecision"] == "allowed"
    assert set(result["MissingContextValues"]) == {"aws:PrincipalAccount", "aws:ResourceAccount", "aws:username"}


@pytest.mark.parametrize(
    ("boundary", "decision", "allowed"),
    [
        (may("xray:*"), "allowed", True),
        (may("logs:*"), "implicitDeny", False),
        (may("*", effect="Deny"), "explicitDeny", False),
        (may("*", Condition=FROM_VPC), "implicitDeny", False),
    ],
    ids=["that allows", "without the action", "that denies", "under a condition"],
)
def test_a_boundary_is_told_apart_and_its_keys_are_not_missed(
    aws: AwsStandIn, simulate: Any, make_role: Any, boundary: Any, decision: str, allowed: bool
) -> None:
    fence = aws.create_policy(ACCOUNT, "fence", boundary)

    result = simulate(make_role("worker", may(PUT), boundary=fence))

    assert result["EvalDecision"] == decision
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": allowed}
    assert result["MissingContextValues"] == []


def test_without_a_boundary_or_an_organization_nothing_is_said_of_them(simulate: Any, make_role: Any) -> None:
    result = simulate(make_role("worker", may(PUT)))

    assert not result.keys() & {"PermissionsBoundaryDecisionDetail", "OrganizationsDecisionDetail"}


def test_an_organization_that_forbids_ends_the_simulation(aws: AwsStandIn, simulate: Any, make_role: Any) -> None:
    role = make_role("worker", may(PUT, Condition=FROM_VPC))
    locked = may("*")
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}
    locked["Statement"] += may("*", effect="Deny", Condition=elsewhere)["Statement"]
    aws.simulator.govern(ACCOUNT, locked)

    nowhere, here = simulate(role), simulate(role, RequestedRegion="eu-central-1", SourceVpc="vpc-1")

    assert nowhere["EvalDecision"] == "explicitDeny"
    assert nowhere["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert nowhere["MissingContextValues"] == []
    assert (here["EvalDecision"], here["OrganizationsDecisionDetail"]) == ("allowed", {"AllowedByOrganizations": True})


def test_results_come_in_pages(iam: Any, make_role: Any) -> None:
    role = make_role("worker", may(PUT))
    asked = {"PolicySourceArn": role, "ActionNames": [GET, PUT], "MaxItems": 1}

    first = iam.simulate_principal_policy(**asked)
    second = iam.simulate_principal_policy(**asked, Marker=first["Marker"])

    assert (first["IsTruncated"], second["IsTruncated"]) == (True, False)
    assert "Marker" not in second
    pages = [page["EvaluationResults"] for page in (first, second)]
    assert [[result["EvalActionName"] for result in page] for page in pages] == [[GET], [PUT]]
    assert refusal(iam.simulate_principal_policy, **asked, Marker="none")[0] == "ValidationError"


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:role/nobody", "arn:aws:iam::222222222222:role/worker"])
def test_a_role_that_is_not_in_the_account_cannot_be_simulated(iam: Any, make_role: Any, arn: str) -> None:
    make_role("worker", may(PUT))

    code, status, message = refusal(iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=[PUT])

    assert (code, status) == ("NoSuchEntity", 404)
    assert arn in message


def test_the_simulator_tells_a_deny_from_a_silence(iam: Any, make_role: Any) -> None:
    denied, silent = make_role("denied", may("xray:*", effect="Deny")), make_role("silent")

    def decision(role: str) -> str:
        answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[PUT])
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    assert (decision(denied), decision(silent)) == ("explicitDeny", "implicitDeny")

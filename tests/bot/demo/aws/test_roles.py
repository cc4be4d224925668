"""IAM over HTTP: bulk reads, quotas, protected roles, AWS's own policies, and who may write to X-Ray."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, LAMBDA_TRUST, XRAY_POLICY, may, refusal

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
PUT = "xray:PutTraceSegments"


@pytest.fixture
def iam(client: Any) -> Any:
    return client("iam")


def test_authorization_details_come_in_pages(iam: Any, make_role: Any) -> None:
    for number in range(130):
        make_role(f"role-{number:03d}", may(PUT))

    first = iam.get_account_authorization_details(Filter=["Role"])
    second = iam.get_account_authorization_details(Filter=["Role"], Marker=first["Marker"])
    small = iam.get_account_authorization_details(Filter=["Role"], MaxItems=7)

    assert (len(first["RoleDetailList"]), first["IsTruncated"]) == (100, True)
    assert (len(second["RoleDetailList"]), second["IsTruncated"]) == (30, False)
    assert "Marker" not in second
    assert len(small["RoleDetailList"]) == 7
    names = {role["RoleName"] for page in (first, second) for role in page["RoleDetailList"]}
    assert len(names) == 130


def test_a_role_comes_with_everything_that_decides_what_it_may(aws: AwsStandIn, iam: Any, make_role: Any) -> None:
    boundary = aws.create_policy(ACCOUNT, "fence", may("logs:*"))
    make_role("worker", may(PUT), attached=[BASIC, boundary], boundary=boundary)

    (role,) = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]

    assert role["RolePolicyList"] == [{"PolicyName": "inline", "PolicyDocument": may(PUT)}]
    assert {policy["PolicyArn"] for policy in role["AttachedManagedPolicies"]} == {BASIC, boundary}
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert role["AssumeRolePolicyDocument"] == LAMBDA_TRUST


def test_local_policies_are_complete(aws: AwsStandIn, iam: Any) -> None:
    arn = aws.create_policy(ACCOUNT, "telemetry", may("xray:Put*"))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(may("xray:*")), SetAsDefault=True)

    (policy,) = iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])["Policies"]

    assert (policy["PolicyName"], policy["Arn"], policy["DefaultVersionId"]) == ("telemetry", arn, "v2")
    assert policy["PolicyId"].startswith("A")
    default = [version["Document"] for version in policy["PolicyVersionList"] if version["IsDefaultVersion"]]
    assert default == [may("xray:*")]


def test_filters_say_what_is_listed(aws: AwsStandIn, iam: Any, make_role: Any) -> None:
    aws.create_policy(ACCOUNT, "telemetry", may("xray:Put*"))
    make_role(attached=[BASIC])

    used = iam.get_account_authorization_details(Filter=["AWSManagedPolicy"])

    assert [policy["Arn"] for policy in used["Policies"]] == [BASIC]
    assert used["RoleDetailList"] == []


def test_policies_of_aws_are_there_with_their_documents(iam: Any) -> None:
    version = iam.get_policy(PolicyArn=XRAY_POLICY)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=XRAY_POLICY, VersionId=version)["PolicyVersion"]["Document"]

    assert PUT in document["Statement"][0]["Action"]


def test_a_role_takes_no_more_policies_than_its_quota(iam: Any, aws: AwsStandIn, make_role: Any) -> None:
    make_role("full", attached=[aws.create_policy(ACCOUNT, f"policy-{number}", may("logs:*")) for number in range(10)])

    refused = refusal(iam.attach_role_policy, RoleName="full", PolicyArn=XRAY_POLICY)

    assert refused == ("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerRole: 10")
    assert iam.get_account_summary()["SummaryMap"]["AttachedPoliciesPerRoleQuota"] == 10
    assert len(iam.list_attached_role_policies(RoleName="full")["AttachedPolicies"]) == 10


def test_attaching_twice_is_no_error(iam: Any, make_role: Any) -> None:
    make_role()
    iam.attach_role_policy(RoleName="worker", PolicyArn=XRAY_POLICY)
    iam.attach_role_policy(RoleName="worker", PolicyArn=XRAY_POLICY)

    assert len(iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]) == 1


def test_service_linked_roles_cannot_be_changed(iam: Any) -> None:
    role = iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")["Role"]["RoleName"]

    refused = refusal(iam.attach_role_policy, RoleName=role, PolicyArn=XRAY_POLICY)

    assert refused[:2] == ("UnmodifiableEntity", 400)


def test_a_role_or_policy_that_is_not_there_is_named(iam: Any, make_role: Any) -> None:
    make_role()

    assert refusal(iam.attach_role_policy, RoleName="nobody", PolicyArn=XRAY_POLICY)[:2] == ("NoSuchEntity", 404)
    missing = f"arn:aws:iam::{ACCOUNT}:policy/missing"
    assert refusal(iam.attach_role_policy, RoleName="worker", PolicyArn=missing)[:2] == ("NoSuchEntity", 404)


def test_what_a_test_brings_in_counts_at_once_whatever_changed_before(
    aws: AwsStandIn, iam: Any, lambdas: Any, make_role: Any, make_function: Any
) -> None:
    make_role("other")
    iam.attach_role_policy(RoleName="other", PolicyArn=XRAY_POLICY)
    make_function(role=make_role("worker", may(PUT)))
    iam.attach_role_policy(RoleName="other", PolicyArn=BASIC)

    answered = lambdas.update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "Active"})

    assert answered["TracingConfig"] == {"Mode": "Active"}


def test_a_new_version_of_a_policy_counts_only_after_a_while(
    aws: AwsStandIn, iam: Any, clock: Any, lambdas: Any, make_role: Any, make_function: Any
) -> None:
    policy = aws.create_policy(ACCOUNT, "telemetry", may("logs:*"))
    make_function(role=make_role("worker", attached=[policy]))
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(may(PUT)), SetAsDefault=True)
    change = {"FunctionName": "refund", "TracingConfig": {"Mode": "Active"}}

    refusal(lambdas.update_function_configuration, **change)
    clock.advance(5)

    assert lambdas.update_function_configuration(**change)["TracingConfig"] == {"Mode": "Active"}


FENCED = {"boundary": may("logs:*")}
ROLES = {
    "inline": (may(PUT), {}, True),
    "a wildcard": (may("xray:Put*"), {}, True),
    "another case": (may("XRAY:puttracesegments"), {}, True),
    "everything": (may("*"), {}, True),
    "nothing": (None, {}, False),
    "a managed policy": (None, {"attached": [XRAY_POLICY]}, True),
    "the administrator": (None, {"attached": ["arn:aws:iam::aws:policy/AdministratorAccess"]}, True),
    "the power user, by NotAction": (None, {"attached": ["arn:aws:iam::aws:policy/PowerUserAccess"]}, True),
    "the basic role": (None, {"attached": [BASIC]}, False),
    "a read-only policy": (None, {"attached": ["arn:aws:iam::aws:policy/AWSXrayReadOnlyAccess"]}, False),
    "an explicit deny": (may("xray:*", effect="Deny"), {"attached": [XRAY_POLICY]}, False),
    "a boundary without X-Ray": (may(PUT), FENCED, False),
    "a resource that is not *": (may(PUT, Resource="arn:aws:xray:*:*:group/*"), {}, False),
    "a condition on the account": (
        None,
        {"attached": ["arn:aws:iam::aws:policy/CloudWatchLambdaApplicationSignalsExecutionRolePolicy"]},
        True,
    ),
    "a condition that nobody meets": (may(PUT, Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}), {}, False),
    "not even that action": (
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "NotAction": "xray:*", "Resource": "*"}},
        {},
        False,
    ),
}


@pytest.mark.parametrize(("policy", "more", "allowed"), ROLES.values(), ids=ROLES.keys())
def test_lambda_and_the_simulator_agree_on_what_a_role_may(
    aws: AwsStandIn, iam: Any, lambdas: Any, make_role: Any, make_function: Any, policy: Any, more: Any, allowed: bool
) -> None:
    settings = dict(more)
    if "boundary" in settings:
        settings["boundary"] = aws.create_policy(ACCOUNT, "fence", settings["boundary"])
    role = make_role("judged", policy, **settings)
    make_function(role=role)
    account = [
        {"ContextKeyName": key, "ContextKeyValues": [ACCOUNT], "ContextKeyType": "string"}
        for key in ("aws:ResourceAccount", "aws:PrincipalAccount")
    ]

    (judged,) = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[PUT], ContextEntries=account)[
        "EvaluationResults"
    ]
    change = {"FunctionName": "refund", "TracingConfig": {"Mode": "Active"}}
    if allowed:
        lambdas.update_function_configuration(**change)
    else:
        refusal(lambdas.update_function_configuration, **change)

    assert (judged["EvalDecision"] == "allowed") == allowed
    now = lambdas.get_function_configuration(FunctionName="refund")["TracingConfig"]["Mode"]
    assert (now == "Active") == allowed


def test_a_role_is_shown_with_its_tags(aws: AwsStandIn, iam: Any, make_role: Any) -> None:
    make_role(tags={"aws:cloudformation:stack-name": "payments-prod"})

    assert iam.get_role(RoleName="worker")["Role"]["Tags"] == [
        {"Key": "aws:cloudformation:stack-name", "Value": "payments-prod"}
    ]


def test_inline_policies_have_a_size_that_all_of_them_share(iam: Any, make_role: Any) -> None:
    make_role(policy=may(*(f"s3:Action{number:04d}" for number in range(630))))

    refused = refusal(iam.put_role_policy, RoleName="worker", PolicyName="more", PolicyDocument=json.dumps(may(PUT)))

    assert refused == ("LimitExceeded", 409, "Maximum policy size of 10240 bytes exceeded for role worker")


def test_what_is_not_attached_cannot_be_detached(iam: Any, make_role: Any) -> None:
    make_role(attached=[XRAY_POLICY])
    iam.detach_role_policy(RoleName="worker", PolicyArn=XRAY_POLICY)

    assert refusal(iam.detach_role_policy, RoleName="worker", PolicyArn=XRAY_POLICY)[:2] == ("NoSuchEntity", 404)
    assert refusal(iam.delete_role_policy, RoleName="worker", PolicyName="none")[:2] == ("NoSuchEntity", 404)

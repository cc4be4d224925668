"""Whose credentials a call bears, against the local AWS: it knows roles, sessions and what a session policy leaves."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from bot.demo.aws import AwsStandIn
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.errors import (
    AwsProblem,
    Denied,
    Gone,
    NotAccepted,
    Throttled,
    Unreachable,
    from_botocore,
    our_errors,
    problem,
)
from commands.aws.inventory import take_inventory
from commands.aws.keys import Keys
from commands.aws.planning import PlanRules, make_plan
from commands.aws.remediation import RemediationFailed, enable_tracing
from commands.aws.session_policy import Need, needs_of_plan, needs_of_receipt, session_policy
from storage.fixes import AliasMove, AliasPlan, AliasStep, FixPlan, Receipt, RoleStep
from storage.models import Function, MayWrite, TracingMode

HOME, ANA, BO = "123456789012", "222222222222", "333333333333"
REGION = "eu-central-1"
DAEMON = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
HOME_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
            "Condition": {"StringEquals": {"sts:ExternalId": "lamp"}},
        }
    ],
}
FIX = (Need.UPDATE, Need.ATTACH, Need.PUT)
SETTINGS = AwsSettings(
    accounts=(ANA, BO), regions=(REGION,), role="audit", fix_role="fix", external_id="lamp", calls_per_second=0
)


@pytest.fixture
def make_aws(monkeypatch, tmp_path):
    settings = {
        "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
        "AWS_SECRET_ACCESS_KEY": "pretend",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as running:

        def make(**knobs):
            made = running.enter_context(AwsStandIn(calls_per_second=None, **knobs))
            monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
            return made

        yield make


@pytest.fixture
def aws(make_aws):
    return make_aws()


@pytest.fixture
def full_role(make_aws):
    """Makes an account in which the function's role has no room for a managed policy, and the fix role may do this."""
    at_once = timedelta(0)

    def make(*fix_actions):
        aws = make_aws(policies_per_role=0, iam_delay=at_once, lambda_update=at_once)
        aws.create_role(ANA, "audit", HOME_TRUST, attached=[ADMIN])
        may = {"Statement": {"Effect": "Allow", "Action": fix_actions, "Resource": "*"}}
        aws.create_role(ANA, "fix", HOME_TRUST, inline={"fix": {"Version": "2012-10-17", **may}})
        role = aws.create_role(ANA, "refund-role", LAMBDA_TRUST)
        aws.seed_function(ANA, REGION, described("refund", role), datetime(2026, 11, 1, tzinfo=UTC))
        return aws

    return make


def fix(cloud):
    """The outcome of an approved fix of `refund`."""
    function = Function(arn=function_arn(), account=ANA, region=REGION, name="refund", mode=None)
    with cloud.acting_as(ANA):
        reads = cloud.clients(REGION)
        plan = make_plan(reads=reads, function=function, sharing=0, rules=PlanRules(), now=datetime.now(UTC))
        writes = cloud.fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", needs_of_plan(plan))
        steps = enable_tracing(
            reads=reads,
            writes=writes,
            function_arn=function_arn(),
            plan=plan,
            receipt=Receipt(),
            keep=lambda _: None,
        )
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value


@pytest.fixture
def team_accounts(aws):
    """Two accounts with Lamplighter's roles and one function each."""
    for account, name in ((ANA, "refund"), (BO, "search")):
        aws.create_role(account, "audit", HOME_TRUST, attached=[ADMIN])
        aws.create_role(account, "fix", HOME_TRUST, attached=[ADMIN])
        role = aws.create_role(account, f"{name}-role", LAMBDA_TRUST)
        for function in (name, f"{name}-other"):
            aws.seed_function(account, REGION, described(function, role), datetime(2026, 11, 1, tzinfo=UTC))
    return aws


def described(name, role):
    code = {"ZipFile": b""}
    return {"FunctionName": name, "Role": role, "Runtime": "python3.13", "Handler": "app.handler", "Code": code}


def names(cloud, account):
    with cloud.acting_as(account):
        return {each["FunctionName"] for each in cloud.client("lambda", REGION).list_functions()["Functions"]}


def function_arn(account=ANA, name="refund"):
    return f"arn:aws:lambda:{REGION}:{account}:function:{name}"


def role_arn(account=ANA, name="refund-role"):
    return f"arn:aws:iam::{account}:role/{name}"


def test_one_client_serves_every_account(team_accounts):
    cloud = Cloud(SETTINGS)

    assert names(cloud, ANA) == {"refund", "refund-other"}
    assert names(cloud, BO) == {"search", "search-other"}
    assert cloud.client("lambda", REGION) is cloud.client("lambda", REGION)


def test_threads_do_not_see_each_others_accounts(team_accounts):
    cloud = Cloud(SETTINGS)
    wanted = [ANA, BO] * 20

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda account: names(cloud, account), wanted))

    assert seen == [{"refund", "refund-other"} if each == ANA else {"search", "search-other"} for each in wanted]
    assert len([session for session in team_accounts.sessions if session.role_arn.endswith("/audit")]) == 2


def test_an_audit_single_reads_and_fixes_share_one_budget(team_accounts):
    cloud = Cloud(replace(SETTINGS, calls_per_second=4))
    took = monotonic()

    def read(account):
        with cloud.acting_as(account):
            for _ in range(3):
                cloud.client("lambda", REGION).get_function_configuration(FunctionName="refund")

    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(read, ANA)
        take_inventory(cloud, accounts=[ANA], tag_keys=["team"])
        fixer = cloud.fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", FIX)
        with pytest.raises(ClientError):  # a fix may not read; its call takes a turn all the same
            fixer.lambda_.get_function_configuration(FunctionName="refund")
        reading.result()

    calls = [call for call in team_accounts.calls if call.account == ANA and call.service == "lambda"]
    assert len(calls) >= 6
    # Half a second's worth, two, go at once; what is left comes at four a second, whoever asks.
    assert monotonic() - took >= (len(calls) - 2 - 1) / 4


def test_outside_of_the_block_calls_are_ones_own_again(team_accounts):
    cloud = Cloud(SETTINGS)
    names(cloud, ANA)

    assert cloud.client("sts", REGION).get_caller_identity()["Account"] == HOME


def test_credentials_that_end_within_five_minutes_are_renewed(team_accounts):
    cloud = Cloud(SETTINGS)
    names(cloud, ANA)
    held = cloud.held(ANA)

    cloud.hold(ANA, replace(held, expires=datetime.now(UTC) + timedelta(minutes=4)))
    names(cloud, ANA)

    assert len(team_accounts.sessions) == 2
    assert cloud.held(ANA).access_key == team_accounts.sessions[1].access_key


def test_a_role_that_may_not_be_assumed_is_denied_with_awss_words(team_accounts):
    cloud = Cloud(replace(SETTINGS, external_id="wrong"))

    with pytest.raises(Denied, match=rf"sts:AssumeRole in account {ANA}, {REGION}: AccessDenied"):
        names(cloud, ANA)


def test_without_a_role_only_the_credentials_own_account_is_seen(aws):
    cloud = Cloud(AwsSettings())

    assert names(cloud, HOME) == set()
    with pytest.raises(Denied, match=f"belong to account {HOME}, and no role to assume in {ANA} is configured"):
        names(cloud, ANA)


def test_the_home_account_is_asked_once(aws):
    cloud = Cloud(AwsSettings())

    assert [cloud.home_account(), cloud.home_account()] == [HOME, HOME]
    assert [call.action for call in aws.calls] == ["GetCallerIdentity"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda cloud: cloud.home_account(),
        lambda cloud: cloud.client("lambda", REGION),
        lambda cloud: cloud.fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", FIX),
        lambda cloud: take_inventory(cloud, tag_keys=["team"]),
    ],
    ids=["home account", "client", "fixer", "inventory"],
)
def test_missing_credentials_are_one_clear_line(aws, monkeypatch, ask):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(AwsProblem) as raised:
        ask(Cloud(SETTINGS))

    assert str(raised.value) == (
        "No AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run where a role is attached"
    )


def test_a_profile_that_does_not_exist_is_named(aws, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "prod")

    with pytest.raises(AwsProblem, match=r"ProfileNotFound: .*prod"):
        Cloud(SETTINGS).home_account()


def test_a_fix_has_credentials_of_its_own_that_name_the_approver(team_accounts):
    Cloud(SETTINGS).fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", FIX)

    session = team_accounts.sessions[0]
    assert (session.role_arn, session.name, session.source_identity) == (role_arn(ANA, "fix"), "U0123ANA", "U0123ANA")
    assert (session.external_id, session.duration_seconds) == ("lamp", 900)


def test_a_fix_may_change_its_function_and_its_role_and_nothing_else(team_accounts):
    fixer = Cloud(SETTINGS).fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", FIX)

    fixer.iam.attach_role_policy(RoleName="refund-role", PolicyArn=DAEMON)
    team_accounts.settle()
    fixer.lambda_.update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "Active"})

    refused = [
        lambda: fixer.iam.attach_role_policy(RoleName="refund-role", PolicyArn=ADMIN),
        lambda: fixer.iam.attach_role_policy(RoleName="audit", PolicyArn=DAEMON),
        lambda: fixer.iam.put_role_policy(RoleName="audit", PolicyName="more", PolicyDocument=json.dumps(LAMBDA_TRUST)),
        lambda: fixer.iam.get_role(RoleName="refund-role"),
        lambda: fixer.lambda_.update_function_configuration(FunctionName="refund-other", Timeout=1),
        lambda: fixer.lambda_.delete_function(FunctionName="refund"),
    ]
    for change in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            change()
    assert team_accounts.function(function_arn())["TracingConfig"] == {"Mode": "Active"}


def test_a_fix_tries_each_call_once_and_reads_go_on_trying(team_accounts):
    cloud = Cloud(SETTINGS)
    fixer = cloud.fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", FIX)
    team_accounts.throttle(1, service="iam", action="AttachRolePolicy")
    team_accounts.throttle(1, service="iam", action="GetRole")

    with pytest.raises(ClientError, match="Throttling"):
        fixer.iam.attach_role_policy(RoleName="refund-role", PolicyArn=DAEMON)
    with cloud.acting_as(ANA):
        cloud.clients(REGION).iam.get_role(RoleName="refund-role")

    sent = Counter(call.action for call in team_accounts.calls)
    assert (sent["AttachRolePolicy"], sent["GetRole"]) == (1, 2)


def test_a_full_role_is_given_an_inline_policy_where_the_fix_role_may_put_one(full_role):
    aws = full_role("lambda:UpdateFunctionConfiguration", "iam:AttachRolePolicy", "iam:PutRolePolicy")

    outcome = fix(Cloud(SETTINGS))

    assert aws.function(function_arn())["TracingConfig"] == {"Mode": "Active"}
    assert (outcome.attached_policy, outcome.role_may_write) == ("lamplighter-xray-write", MayWrite.YES)


def test_a_fix_role_that_may_not_put_inline_policies_is_told_what_it_lacks(full_role):
    aws = full_role("lambda:UpdateFunctionConfiguration", "iam:AttachRolePolicy")

    with pytest.raises(RemediationFailed, match="fixes lack iam:PutRolePolicy on role `refund-role`"):
        fix(Cloud(SETTINGS))

    assert aws.function(function_arn())["TracingConfig"] == {"Mode": "PassThrough"}


def test_reading_goes_on_with_the_audit_role_beside_a_fix(team_accounts):
    cloud = Cloud(SETTINGS)
    with cloud.acting_as(ANA):
        cloud.fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", FIX)
        cloud.client("lambda", REGION).list_functions()

    reader = [call for call in team_accounts.calls if call.action == "ListFunctions"]
    assert [call.account for call in reader] == [ANA]
    assert [session.caller for session in team_accounts.sessions] == [f"arn:aws:iam::{HOME}:user/nobody"] * 2


def test_a_session_policy_is_small_and_stays_in_its_partition():
    partition = "arn:aws-us-gov"
    made = session_policy(
        ANA,
        "us-gov-west-1",
        f"{partition}:lambda:us-gov-west-1:{ANA}:function:refund",
        f"{partition}:iam::{ANA}:role/service-role/refund-role",
        FIX,
    )

    attach = json.loads(made)["Statement"][1]
    assert attach["Condition"]["ArnEquals"] == {
        "iam:PolicyARN": f"{partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"
    }
    assert len(made) < 2048
    assert f"{partition}:lambda:us-gov-west-1:{ANA}:function:refund" in made


def test_the_longest_names_that_aws_allows_still_fit():
    role = f"arn:aws:iam::{ANA}:role/{'p' * 510}/{'r' * 64}"

    assert len(session_policy(ANA, REGION, function_arn(name="f" * 64), role, Need)) <= 2048


@pytest.mark.parametrize(
    ("function", "role"),
    [
        (function_arn(name="*"), role_arn()),
        (function_arn(name="refund*"), role_arn()),
        (function_arn(name="refund:7"), role_arn()),
        (function_arn(account=BO), role_arn()),
        (function_arn(), role_arn(name="*")),
        (function_arn(), role_arn(account=BO)),
        (function_arn(), ""),
    ],
)
def test_a_fix_is_never_given_more_than_one_function_and_role(function, role):
    with pytest.raises(AwsProblem, match=r"is not a (function|role) in"):
        session_policy(ANA, REGION, function, role, FIX)


PLAN = FixPlan(datetime(2026, 11, 23, tzinfo=UTC), None, role_arn(), MayWrite.NO, RoleStep.NOTHING)
PUBLISH = AliasPlan("live", "7", AliasStep.PUBLISH)


@pytest.mark.parametrize(
    ("plan", "needs"),
    [
        (PLAN, {Need.UPDATE}),
        (replace(PLAN, role_step=RoleStep.ATTACH), {Need.UPDATE, Need.ATTACH, Need.PUT}),
        (replace(PLAN, role_step=RoleStep.INLINE), {Need.UPDATE, Need.PUT}),
        (replace(PLAN, aliases=(PUBLISH,)), {Need.UPDATE, Need.PUBLISH, Need.MOVE}),
        (replace(PLAN, mode=TracingMode.ACTIVE, aliases=(PUBLISH,)), {Need.PUBLISH, Need.MOVE}),
        (replace(PLAN, aliases=(replace(PUBLISH, name="$LATEST.PUBLISHED", version=""),)), {Need.UPDATE, Need.PUBLISH}),
    ],
    ids=["the mode", "a managed policy", "an inline policy", "an alias", "an alias alone", "managed instances"],
)
def test_a_fix_may_call_what_its_plan_needs(plan, needs):
    assert needs_of_plan(plan) == needs


@pytest.mark.parametrize(
    ("receipt", "needs"),
    [
        (Receipt(), set()),
        (Receipt(mode_before=TracingMode.PASS_THROUGH), {Need.UPDATE}),
        (Receipt(policy=DAEMON), {Need.DETACH}),
        (Receipt(policy="lamplighter-xray-write"), {Need.DELETE}),
        (Receipt(published="8", moves=(AliasMove("live", "7", "8"),)), {Need.MOVE}),
        (Receipt(published="$LATEST.PUBLISHED"), {Need.PUBLISH}),
    ],
    ids=["nothing", "the mode", "a managed policy", "an inline policy", "an alias", "managed instances"],
)
def test_an_undo_may_call_what_its_receipt_needs(receipt, needs):
    assert needs_of_receipt(receipt) == needs


def test_who_needs_nothing_may_do_nothing():
    (statement,) = json.loads(session_policy(ANA, REGION, function_arn(), "", ()))["Statement"]

    assert (statement["Effect"], statement["Action"]) == ("Deny", "*")


def test_a_session_that_publishes_may_move_an_alias_and_not_touch_the_role(team_accounts):
    team_accounts.seed_alias(function_arn(), "live", team_accounts.seed_version(function_arn(), datetime.now(UTC)))
    needs = (Need.PUBLISH, Need.MOVE)

    fixer = Cloud(SETTINGS).fixer(ANA, REGION, function_arn(), role_arn(), "U0123ANA", needs)

    version = fixer.lambda_.publish_version(FunctionName=function_arn())["Version"]
    fixer.lambda_.update_alias(FunctionName=function_arn(), Name="live", FunctionVersion=version)
    for change in (
        lambda: fixer.lambda_.update_function_configuration(FunctionName="refund", Timeout=1),
        lambda: fixer.iam.attach_role_policy(RoleName="refund-role", PolicyArn=DAEMON),
        lambda: fixer.iam.detach_role_policy(RoleName="refund-role", PolicyArn=DAEMON),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            change()


@pytest.mark.parametrize(
    ("approver", "name"), [("U0123ANA", "U0123ANA"), ("U 1/ü", "U-1--"), ("W" * 80, "W" * 64)], ids=str
)
def test_session_names_hold_what_sts_takes(team_accounts, approver, name):
    Cloud(SETTINGS).fixer(ANA, REGION, function_arn(), role_arn(), approver, FIX)

    assert team_accounts.sessions[0].source_identity == name


def test_nobody_in_particular_may_not_fix(team_accounts):
    with pytest.raises(AwsProblem, match="the Slack user id of whoever approved it"):
        Cloud(SETTINGS).fixer(ANA, REGION, function_arn(), role_arn(), "", FIX)

    assert team_accounts.sessions == []


def test_without_a_fix_role_ones_own_credentials_fix_ones_own_account(aws):
    role = aws.create_role(HOME, "refund-role", LAMBDA_TRUST)
    aws.seed_function(HOME, REGION, described("refund", role), datetime(2026, 11, 1, tzinfo=UTC))
    cloud = Cloud(AwsSettings())

    fixer = cloud.fixer(HOME, REGION, function_arn(HOME), role, "U0123ANA", FIX)

    assert fixer.lambda_.get_function_configuration(FunctionName="refund")["FunctionArn"] == function_arn(HOME)
    with pytest.raises(Denied, match="no role"):
        cloud.fixer(ANA, REGION, function_arn(ANA), role_arn(ANA), "U0123ANA", FIX)


def test_keys_do_not_show_their_secrets():
    assert "hush" not in repr(Keys("AKIA", "hush-key", "hush-token"))


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 403, Denied),
        ("UnauthorizedOperation", 403, Denied),
        ("Whatever", 403, Denied),
        ("ExpiredTokenException", 403, NotAccepted),
        ("UnrecognizedClientException", 403, NotAccepted),
        ("Throttling", 400, Throttled),
        ("RequestLimitExceeded", 503, Throttled),
        ("NoSuchEntity", 404, Gone),
        ("ValidationError", 400, AwsProblem),
    ],
)
def test_awss_codes_have_their_kinds(code, status, kind):
    assert type(problem(code, "", status=status)) is kind


@pytest.mark.parametrize(
    ("code", "status", "transient"),
    [
        ("TooManyRequestsException", 429, True),
        ("ResourceConflictException", 409, True),
        ("ConcurrentModification", 409, True),
        ("ServiceFailure", 500, True),
        ("AccessDenied", 403, False),
        ("LimitExceeded", 409, False),
        ("PreconditionFailedException", 412, False),
    ],
)
def test_what_passes_by_itself_is_told_apart(code, status, transient):
    assert problem(code, "", status=status).transient is transient


def test_an_aws_that_is_out_of_reach_may_be_back_in_a_moment():
    found = from_botocore(ConnectTimeoutError(endpoint_url="https://lambda.eu-central-1.amazonaws.com"))

    assert (type(found), found.transient) == (Unreachable, True)


def test_a_problem_is_one_line_without_addresses_of_people():
    said = problem("AccessDenied", "User: arn:aws:sts::1:assumed-role/x/jane.doe@example.com\n  may not\tdo that")

    assert str(said) == "AccessDenied: User: arn:aws:sts::1:assumed-role/x/(an e-mail address) may not do that"


def test_a_problem_is_cut_where_aws_goes_on_for_pages():
    assert len(str(problem("AccessDenied", "encoded " * 1000))) < 500


def test_boto3s_errors_say_where_they_happened(aws):
    cloud = Cloud(AwsSettings())
    with pytest.raises(Gone) as raised, our_errors(account=HOME, region=REGION, service="lambda"):
        cloud.client("lambda", REGION).get_function_configuration(FunctionName="nothing")

    assert raised.value.code == "ResourceNotFoundException"
    assert raised.value.where == f"lambda:GetFunctionConfiguration in account {HOME}, {REGION}"
    assert raised.value.request_id


def test_nobody_listening_is_unreachable(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing is served there

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        Cloud(AwsSettings()).home_account()

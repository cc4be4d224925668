"""Fixes against the local AWS, which refuses Active for roles that may not write, forgets nothing, and takes its time.

Time alone is replaced: waiting moves the clock that AWS and the fix both look at.
"""

import json
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError

from commands.aws import roles
from commands.aws.one_role import read_role
from commands.aws.remediation import Clients, FunctionGone, RemediationFailed, StepName
from storage.models import MayWrite, TracingMode
from tests.commands.aws.conftest import ACCOUNT, DAEMON, IAM_DELAY, REGION, UPDATE, Memory, PowerCutError, statement


@pytest.fixture
def make_world(make_fixes):
    return make_fixes


@pytest.fixture
def world(fixes):
    return fixes


# The way it should go


def test_a_role_without_permission_gets_the_policy_and_the_function_becomes_active(world):
    arn = world.function(world.role())

    outcome = world.fix(arn)

    assert world.mode(arn) == "Active"
    assert world.attached() == [DAEMON]
    assert (outcome.before, outcome.after) == (TracingMode.PASS_THROUGH, TracingMode.ACTIVE)
    assert (outcome.changed, outcome.attached_policy, outcome.note) == (True, DAEMON, "")
    assert outcome.role_may_write is MayWrite.YES
    assert outcome.revision_id == world.aws.function(arn)["RevisionId"]
    assert len(outcome.request_ids) == 2
    assert all(outcome.request_ids)
    assert world.names == ["read", "role", "tracing", "wait_iam", "update", "read_back"]
    assert world.steps[1].text == "Giving role `refund-role` permission to send traces"
    assert IAM_DELAY <= world.clock.seconds < 90


def test_a_role_that_may_write_is_left_alone(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))

    outcome = world.fix(arn)

    assert world.mode(arn) == "Active"
    assert (world.attached(), outcome.attached_policy, len(outcome.request_ids)) == ([], None, 1)
    assert world.names == ["read", "tracing", "update", "read_back"]


def test_a_function_that_is_traced_already_is_not_touched(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")), mode="Active")

    outcome = world.fix(arn)

    assert (outcome.before, outcome.after, outcome.changed) == (TracingMode.ACTIVE, TracingMode.ACTIVE, False)
    assert outcome.request_ids == ()
    assert world.called("UpdateFunctionConfiguration") == 0


def test_an_active_function_that_loses_its_traces_needs_its_role_mended_only(world):
    role = world.role()
    arn = world.function(role, mode="Active")

    outcome = world.fix(arn)

    assert roles.may_write(read_role(world.iam, role), account=ACCOUNT) is MayWrite.YES
    assert (outcome.changed, outcome.attached_policy) == (True, DAEMON)
    assert world.names == ["read", "role", "read_back"]
    assert world.called("UpdateFunctionConfiguration") == 0


def test_a_full_role_gets_an_inline_policy_of_the_two_actions(make_world):
    world = make_world(policies_per_role=1)
    arn = world.function(world.role())
    world.iam.attach_role_policy(RoleName="refund-role", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")

    outcome = world.fix(arn)

    put = world.iam.get_role_policy(RoleName="refund-role", PolicyName="lamplighter-xray-write")["PolicyDocument"]
    assert put["Statement"] == [
        {"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"}
    ]
    assert (world.mode(arn), outcome.attached_policy) == ("Active", "lamplighter-xray-write")


def test_a_conditional_allow_is_made_a_plain_one(world):
    only_from = statement("Allow", "xray:*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})
    arn = world.function(world.role(policy=only_from))

    outcome = world.fix(arn)

    assert (world.mode(arn), outcome.attached_policy, outcome.note) == ("Active", DAEMON, "")


def test_a_conditional_deny_is_left_to_lambda_and_noted(world):
    role = world.role(policy=statement("Allow", "xray:*"))
    deny = statement("Deny", "xray:*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})
    world.iam.put_role_policy(RoleName="refund-role", PolicyName="guard", PolicyDocument=json.dumps(deny))
    world.aws.settle()
    arn = world.function(role)

    outcome = world.fix(arn)

    assert (world.mode(arn), world.attached()) == ("Active", [])
    assert outcome.role_may_write is MayWrite.CONDITIONAL
    assert outcome.note == (
        "whether role `refund-role` may send traces cannot be told: policy `guard` (statement `Rule`) denies "
        "xray:PutTraceSegments under a condition on `aws:SourceVpc`"
    )


def test_a_role_without_telemetry_is_left_alone_and_noted(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:PutTraceSegments")))

    outcome = world.fix(arn)

    assert (world.mode(arn), world.attached()) == ("Active", [])
    assert outcome.note == "its role may not call xray:PutTelemetryRecords, which costs statistics, not traces"


def test_a_role_whose_policies_may_not_be_listed_is_read_from_the_accounts_listing(world):
    arn = world.function(world.role())
    world.aws.deny(service="iam", action="ListRolePolicies")

    outcome = world.fix(arn)

    assert world.mode(arn) == "Active"
    assert outcome.attached_policy == "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"


def test_a_role_that_cannot_be_read_is_not_changed_and_the_missing_permission_is_named(world):
    arn = world.function(world.role())
    world.aws.deny(service="iam", action="ListRolePolicies")
    world.aws.deny(service="iam", action="GetAccountAuthorizationDetails")

    with pytest.raises(RemediationFailed) as failure:
        world.fix(arn)

    assert (world.mode(arn), world.attached()) == ("PassThrough", [])
    assert "not all of its policies could be read" in failure.value.reason
    assert "iam:GetAccountAuthorizationDetails" in failure.value.reason


# Where attaching would not help


def test_an_explicit_deny_stops_the_fix_before_anything_is_changed(world):
    arn = world.function(world.role(policy=statement("Deny", "xray:*")))

    failed = world.failure(arn)

    assert (failed.step, failed.attached_policy, failed.code) == (StepName.READ, None, "")
    assert "an explicit Deny in policy `own` (statement `Rule`) forbids xray:PutTraceSegments" in failed.reason
    assert (world.mode(arn), world.attached()) == ("PassThrough", [])


def test_a_boundary_without_the_action_stops_the_fix_before_anything_is_changed(world):
    document = json.dumps(statement("Allow", "s3:*"))
    boundary = world.iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    arn = world.function(world.role(PermissionsBoundary=boundary))

    failed = world.failure(arn)

    assert failed.step is StepName.READ
    assert "its permissions boundary does not allow xray:PutTraceSegments" in failed.reason
    assert (world.mode(arn), world.attached()) == ("PassThrough", [])


def test_a_service_linked_role_is_not_touched(world):
    arn = world.function(world.role(path="/aws-service-role/x.amazonaws.com/"))

    failed = world.failure(arn)

    assert (failed.step, world.attached()) == (StepName.READ, [])
    assert "service-linked" in failed.reason


# What happens meanwhile


def change_description(world):
    world.lambda_.update_function_configuration(FunctionName="refund", Description=f"deployed {world.clock.seconds}")


def test_a_function_that_somebody_deploys_meanwhile_is_fixed_after_that(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))

    outcome = world.fix(arn, meanwhile={"tracing": lambda: change_description(world)})

    told = world.aws.function(arn)
    assert (told["TracingConfig"]["Mode"], told["Description"]) == ("Active", "deployed 0.0")
    assert outcome.revision_id == told["RevisionId"]


def test_a_function_that_somebody_else_sets_active_meanwhile_is_fine(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))

    def somebody_else():
        world.lambda_.update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "Active"})

    outcome = world.fix(arn, meanwhile={"tracing": somebody_else})

    assert (outcome.after, outcome.changed, outcome.request_ids) == (TracingMode.ACTIVE, False, ())


def test_a_function_that_is_changed_again_and_again_is_given_back(world, clock):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))
    real = world.lambda_.update_function_configuration

    class Restless:
        """Somebody whose every change comes just before ours."""

        def update_function_configuration(self, **asked):
            world.aws.settle()
            change_description(world)
            world.aws.settle()
            return real(**asked)

    failed = world.failure(arn, writes=Clients(Restless(), world.iam))

    assert (failed.step, failed.code) == (StepName.TRACING, "PreconditionFailedException")
    assert "changed by somebody else" in failed.reason
    assert world.mode(arn) == "PassThrough"


def test_an_update_in_progress_is_waited_out(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))
    change_description(world)

    world.fix(arn)

    assert world.mode(arn) == "Active"
    assert world.clock.seconds >= UPDATE


def test_throttling_is_waited_out_at_every_call(world):
    arn = world.function(world.role())
    for action in ("GetFunctionConfiguration", "UpdateFunctionConfiguration", "ListAliases"):
        world.aws.throttle(2, service="lambda", action=action)
    for action in ("GetRole", "ListAttachedRolePolicies", "AttachRolePolicy"):
        world.aws.throttle(2, service="iam", action=action)

    outcome = world.fix(arn)

    assert (world.mode(arn), outcome.changed, outcome.note) == ("Active", True, "")


def test_throttling_without_end_is_a_failure_after_the_deadline(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))
    world.aws.throttle(10_000, service="lambda", action="UpdateFunctionConfiguration")

    failed = world.failure(arn)

    assert (failed.step, failed.code) == (StepName.TRACING, "TooManyRequestsException")
    assert "Approve again in a few minutes" in failed.reason
    assert 180 <= world.clock.seconds < 190


def test_a_permission_that_lambda_never_notices_is_a_failure_after_the_deadline(make_world):
    world = make_world(iam_delay=3600)
    arn = world.function(world.role())

    failed = world.failure(arn)

    assert (failed.step, failed.attached_policy) == (StepName.WAIT_IAM, DAEMON)
    assert failed.code == "InvalidParameterValueException"
    assert failed.request_id
    assert "may not call xray:PutTraceSegments even 90 seconds after it was given a policy" in failed.reason
    assert 90 <= world.clock.seconds < 100


def test_an_update_that_does_not_end_is_a_failure_after_the_deadline(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))

    failed = world.failure(arn, update_deadline=2)

    assert failed.step is StepName.UPDATE
    assert "has not finished the update after 2 seconds" in failed.reason


def test_a_refusal_on_account_of_a_role_that_nobody_changed_is_not_waited_for(world):
    role = world.role()
    arn = world.function(role)
    allow = json.dumps(statement("Allow", "xray:*"))
    world.iam.put_role_policy(RoleName="refund-role", PolicyName="late", PolicyDocument=allow)

    failed = world.failure(arn)

    assert (failed.step, world.clock.seconds) == (StepName.TRACING, 0)
    assert "may not call xray:PutTraceSegments, though its policies allow it" in failed.reason


def test_a_mode_that_does_not_stay_active_is_no_success(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))

    def set_back():
        world.aws.settle()
        world.lambda_.update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "PassThrough"})

    failed = world.failure(arn, meanwhile={"read_back": set_back})

    assert failed.step is StepName.READ_BACK
    assert "is PassThrough again" in failed.reason


# What cannot be fixed


def test_a_function_that_is_gone_is_told_apart_from_a_failure(world):
    arn = world.function(world.role())
    world.lambda_.delete_function(FunctionName="refund")

    with pytest.raises(FunctionGone) as gone:
        world.fix(arn)

    assert (gone.value.function_arn, gone.value.attached_policy) == (arn, None)


def test_a_function_that_goes_meanwhile_leaves_word_of_the_policy(world):
    arn = world.function(world.role())

    with pytest.raises(FunctionGone) as gone:
        world.fix(arn, meanwhile={"tracing": lambda: world.lambda_.delete_function(FunctionName="refund")})

    assert gone.value.attached_policy == DAEMON


def test_a_deprecated_runtime_blocks_the_fix(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")), runtime="python2.7")

    failed = world.failure(arn)

    assert failed.reason.startswith("Nothing was changed. AWS blocks changes of functions on `python2.7` since 2022")
    assert (failed.step, world.mode(arn), world.called("Update")) == (StepName.READ, "PassThrough", 0)


def test_a_runtime_that_aws_blocks_unknown_to_us_is_told_with_what_was_done_before(world):
    arn = world.function(world.role(), runtime="python2.7")
    unaware = replace(world.plan(arn), blocked="")

    failed = world.failure(arn, plan=unaware)

    assert failed.reason == (
        "Role `refund-role` was given its permission and nothing else was changed: AWS no longer allows changes of "
        "functions on runtime `python2.7`. Move it to a newer one, then approve again."
    )
    assert (failed.step, world.memory.receipt.policy, world.memory.receipt.mode_before) == ("tracing", DAEMON, None)


def test_a_role_that_is_gone_is_named(world):
    arn = world.function(world.role())
    world.iam.delete_role(RoleName="refund-role")

    failed = world.failure(arn)

    assert failed.step is StepName.READ
    assert "Its execution role `refund-role` does not exist" in failed.reason


def test_a_role_that_goes_after_the_plan_was_made_is_named_too(world):
    arn = world.function(world.role())
    plan = world.plan(arn)
    world.iam.delete_role(RoleName="refund-role")

    failed = world.failure(arn, plan=plan)

    assert (failed.step, failed.code) == (StepName.READ, "NoSuchEntity")
    assert "refund-role" in failed.reason


@pytest.mark.parametrize(
    ("service", "action", "step", "permission"),
    [
        ("lambda", "GetFunctionConfiguration", "read", "audits lack lambda:GetFunctionConfiguration"),
        ("iam", "GetRole", "tracing", "Let Lamplighter's audit role read it (iam:GetRole and"),
        ("iam", "AttachRolePolicy", "role", "fixes lack iam:AttachRolePolicy on role `refund-role`"),
        ("lambda", "UpdateFunctionConfiguration", "tracing", "fixes lack lambda:UpdateFunctionConfiguration on `ref"),
    ],
)
def test_a_denied_call_names_the_missing_permission(world, service, action, step, permission):
    arn = world.function(world.role())
    plan = world.plan(arn)
    world.aws.deny(service=service, action=action)

    failed = world.failure(arn, plan=plan)

    assert failed.step == step
    assert permission in failed.reason
    assert failed.request_id
    assert world.mode(arn) == "PassThrough"


def test_credentials_that_ran_out_are_not_taken_for_a_missing_permission(world):
    arn = world.function(world.role())

    class Expired:
        def attach_role_policy(self, **_):
            said = {"Code": "ExpiredToken", "Message": "The security token included in the request is expired"}
            raise ClientError({"Error": said, "ResponseMetadata": {"HTTPStatusCode": 403}}, "AttachRolePolicy")

    failed = world.failure(arn, writes=Clients(world.lambda_, Expired()))

    assert failed.reason == "The credentials for fixes ran out (ExpiredToken). Approve again."


def test_a_full_role_without_leave_for_an_inline_policy_names_that_permission(make_world):
    world = make_world(policies_per_role=0)
    arn = world.function(world.role())
    world.aws.deny(service="iam", action="PutRolePolicy")

    failed = world.failure(arn)

    assert (failed.step, failed.attached_policy) == (StepName.ROLE, None)
    assert "fixes lack iam:PutRolePolicy on role `refund-role`" in failed.reason


def test_an_aws_that_does_not_answer_is_a_failure_in_our_words(world):
    arn = world.function(world.role())
    once = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "pretend", "aws_secret_access_key": "pretend"}
    nobody = boto3.client("lambda", REGION, endpoint_url="http://127.0.0.1:9", config=once, **keys)

    failed = world.failure(arn, plan=world.plan(arn), reads=Clients(nobody, world.iam))

    assert failed.code == "EndpointConnectionError"
    assert "does not answer" in failed.reason


# After a crash


KEPT = ["attach", "attached", "update", "updated", "published", "move", "moved"]


@pytest.mark.parametrize("cut", range(len(KEPT)), ids=KEPT)
def test_the_power_may_go_between_any_two_writes_and_the_end_is_the_same(world, cut):
    arn = world.served(world.role())
    world.memory.cut_at = cut  # what was to be kept then is lost, though AWS may have changed already
    answers = []
    updates = "after-call.lambda.UpdateFunctionConfiguration"
    world.lambda_.meta.events.register(updates, lambda http_response, **_: answers.append(http_response.status_code))

    with pytest.raises(PowerCutError):
        world.fix(arn)
    outcome = world.fix(arn)

    assert (world.mode(arn), world.attached(), world.alias()["FunctionVersion"]) == ("Active", [DAEMON], "2")
    assert (outcome.before, outcome.attached_policy, outcome.changed) == (TracingMode.PASS_THROUGH, DAEMON, True)
    assert world.versions() == ["$LATEST", "1", "2"]
    receipt = world.memory.receipt
    assert (receipt.policy, receipt.mode_before) == (DAEMON, "PassThrough")
    assert [(move.name, move.before, move.after) for move in receipt.moves] == [("live", "1", "2")]
    assert (world.called("AttachRolePolicy"), world.called("UpdateAlias")) == (1, 1)
    assert answers.count(200) == 1  # refused ones, while IAM is slow, change nothing


@pytest.mark.parametrize("last", list(StepName)[:8])
def test_a_run_that_is_closed_at_any_step_is_finished_by_the_next(world, last):
    arn = world.served(world.role())

    def power_cut():
        raise PowerCutError

    with pytest.raises(PowerCutError):
        world.fix(arn, meanwhile={last: power_cut})
    outcome = world.fix(arn)

    assert (world.mode(arn), world.attached(), world.alias()["FunctionVersion"]) == ("Active", [DAEMON], "2")
    assert (outcome.after, outcome.attached_policy) == (TracingMode.ACTIVE, DAEMON)
    assert world.aws.function(arn)["LastUpdateStatus"] == "Successful"
    assert [world.called(one) for one in ("AttachRolePolicy", "PublishVersion", "UpdateAlias")] == [1, 2, 1]


def test_what_somebody_else_attached_does_not_become_ours(world):
    role = world.role()
    arn = world.function(role)
    plan = world.plan(arn)
    world.iam.attach_role_policy(RoleName="refund-role", PolicyArn=DAEMON)

    outcome = world.fix(arn, plan=plan, lagging=True)

    assert (world.mode(arn), outcome.attached_policy, world.memory.receipt.policy) == ("Active", None, "")


@pytest.mark.parametrize("delay", [1, 5, 30])
def test_iam_may_take_its_time_also_for_a_policy_that_another_fix_gave(make_world, delay):
    world = make_world(iam_delay=delay)
    role = world.role()
    first, second = world.function(role), world.function(role, name="charge")
    world.iam.attach_role_policy(RoleName="refund-role", PolicyArn=DAEMON)

    world.fix(first, lagging=True)
    world.fix(second, lagging=True)

    assert (world.mode(first), world.mode(second)) == ("Active", "Active")
    assert delay <= world.clock.seconds < delay + 40


def test_one_call_in_three_may_be_throttled(world):
    arn = world.served(world.role())
    world.aws.throttle_every(3, service="lambda")  # reads of IAM are tried again by boto3, whose clients here do not

    outcome = world.fix(arn)

    world.aws.forgive()
    assert (world.mode(arn), world.alias()["FunctionVersion"], outcome.note) == ("Active", "2", "")
    assert (world.attached(), world.versions()) == ([DAEMON], ["$LATEST", "1", "2"])


def test_a_role_that_is_exchanged_while_iam_is_waited_for_is_not_taken_for_the_approved_one(world):
    arn = world.function(world.role())
    other = world.able_role()

    failed = world.failure(arn, meanwhile={"wait_iam": lambda: world.update(Role=other)})

    assert "Its execution role was `refund-role` when this was approved, and now it is `able-role`." in failed.reason
    assert (world.mode(arn), world.memory.receipt.mode_before) == ("PassThrough", None)


def test_running_a_fix_twice_changes_nothing_the_second_time(world):
    arn = world.function(world.role())
    world.fix(arn)
    world.memory = Memory()

    again = world.fix(arn)

    assert (again.before, again.after) == (TracingMode.ACTIVE, TracingMode.ACTIVE)
    assert (again.changed, again.attached_policy, again.request_ids) == (False, None, ())


# What the local AWS does not do by itself: its answers are edited as they arrive


def edited(client, operation, edit):
    client.meta.events.register(
        f"after-call.{client.meta.service_model.service_name}.{operation}", lambda parsed, **_: edit(parsed)
    )


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_the_policy_is_the_one_of_the_roles_partition(world, partition):
    role = world.role()
    arn = world.function(role)
    edited(world.iam, "GetRole", lambda told: told["Role"].update(Arn=role.replace("arn:aws:", f"arn:{partition}:")))

    failed = world.failure(arn)

    assert (failed.step, failed.code) == (StepName.ROLE, "NoSuchEntity")  # the local AWS is of partition `aws`
    assert f"arn:{partition}:iam::aws:policy/AWSXRayDaemonWriteAccess" in failed.reason


def test_an_update_that_lambda_gives_up_is_a_failure_with_lambdas_reason(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))
    broken = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The KMS key is disabled."}
    edited(world.lambda_, "GetFunctionConfiguration", lambda told: told.update(broken))

    failed = world.failure(arn)

    assert failed.step is StepName.UPDATE
    assert failed.reason == (
        "Lambda could not finish the update: The KMS key is disabled. Mend that, then approve again."
    )


def test_managed_instances_serve_what_was_published_last(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))
    edited(world.lambda_, "GetFunctionConfiguration", lambda told: told.update(CapacityProviderConfig={}))

    assert world.fix(arn).note == ("`$LATEST.PUBLISHED` needs a deployment: version $LATEST.PUBLISHED does not exist")


def test_a_missing_tracing_config_counts_as_untraced(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))
    edited(world.lambda_, "GetFunctionConfiguration", lambda told: told.pop("TracingConfig"))

    failed = world.failure(arn)

    assert failed.step is StepName.READ_BACK
    assert world.mode(arn) == "Active"


def test_an_answer_that_is_cut_short_is_asked_for_again(world):
    arn = world.function(world.role(policy=statement("Allow", "xray:*")))
    real, asked = world.lambda_.update_function_configuration, []

    class CutShort:
        """AWS has done it, and the answer breaks off."""

        def update_function_configuration(self, **given):
            asked.append(given)
            real(**given)
            raise IncompleteReadError(actual_bytes=3, expected_bytes=900)

    outcome = world.fix(arn, writes=Clients(CutShort(), world.iam))

    assert (world.mode(arn), outcome.changed, len(asked)) == ("Active", True, 1)
    assert world.memory.receipt.mode_before == "PassThrough"


def test_an_inline_policy_of_somebodys_with_our_name_is_not_overwritten(make_world):
    world = make_world(policies_per_role=0)
    arn = world.function(world.role())
    theirs = statement("Allow", "s3:GetObject")
    world.iam.put_role_policy(
        RoleName="refund-role", PolicyName="lamplighter-xray-write", PolicyDocument=json.dumps(theirs)
    )

    outcome = world.fix(arn)

    kept = world.iam.get_role_policy(RoleName="refund-role", PolicyName="lamplighter-xray-write")["PolicyDocument"]
    assert (kept, outcome.attached_policy) == (theirs, "lamplighter-xray-write-2")
    assert world.mode(arn) == "Active"


def test_a_policy_that_aws_may_have_attached_before_it_refused_is_still_ours(world):
    arn = world.function(world.role())
    expired = {"Error": {"Code": "ExpiredToken", "Message": "ran out"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    failures = [ReadTimeoutError(endpoint_url="iam"), ClientError(expired, "AttachRolePolicy")]

    class Lost:
        """AWS attaches the policy, its answer is lost, and then the credentials run out."""

        def attach_role_policy(self, **asked):
            world.iam.attach_role_policy(**asked)
            raise failures.pop(0)

    failed = world.failure(arn, writes=Clients(world.lambda_, Lost()))

    assert failed.code == "ExpiredToken"
    outcome = world.fix(arn)
    assert (outcome.attached_policy, world.memory.receipt.policy) == (DAEMON, DAEMON)

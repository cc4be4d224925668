"""Fixes taken back: each kind of change, what somebody else has changed since, and a power cut in between."""

import json

import pytest
from msgspec import structs

from commands.aws.asking import Patience
from commands.aws.remediation import RemediationFailed
from commands.aws.role_users import needing
from storage.models import TracingMode
from tests.commands.aws.conftest import DAEMON, PowerCutError, statement

MANAGED = {"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}}}


def test_everything_that_a_fix_changed_is_as_before(fixes):
    arn = fixes.served(fixes.role())
    fixes.fix(arn)

    outcome = fixes.undo(arn)

    assert (fixes.mode(arn), fixes.attached(), fixes.alias()["FunctionVersion"]) == ("PassThrough", [], "1")
    assert (outcome.after, outcome.detached, outcome.note) == (TracingMode.PASS_THROUGH, DAEMON, "")
    assert len(outcome.request_ids) == 3
    assert fixes.names == ["read", "alias_back", "tracing_back", "update", "read_back", "role_back", "role_back"]


def test_what_the_fix_did_not_change_is_left(fixes):
    role = fixes.role(policy=statement("Allow", "xray:*"))
    arn = fixes.function(role)
    fixes.iam.attach_role_policy(RoleName="refund-role", PolicyArn=DAEMON)
    fixes.fix(arn)

    outcome = fixes.undo(arn)

    assert (fixes.mode(arn), fixes.attached(), outcome.detached) == ("PassThrough", [DAEMON], "")


def test_an_inline_policy_is_taken_away_again(make_fixes):
    fixes = make_fixes(policies_per_role=0)
    arn = fixes.function(fixes.role())
    fixes.fix(arn)
    assert fixes.iam.list_role_policies(RoleName="refund-role")["PolicyNames"] == ["lamplighter-xray-write"]

    outcome = fixes.undo(arn)

    assert fixes.iam.list_role_policies(RoleName="refund-role")["PolicyNames"] == []
    assert outcome.detached == "lamplighter-xray-write"


def test_a_role_that_another_traced_function_needs_keeps_its_policy_and_that_is_said(fixes):
    arn = fixes.function(fixes.role())
    fixes.fix(arn)

    outcome = fixes.undo(arn, needed_by=lambda: "`charge` is traced and uses it too")

    assert (fixes.mode(arn), fixes.attached(), outcome.detached) == ("PassThrough", [DAEMON], "")
    assert outcome.note == (
        "role `refund-role` keeps its permission to send traces: `charge` is traced and uses it too"
    )


def test_an_alias_that_serves_a_traced_version_of_its_own_keeps_the_policy(fixes):
    arn = fixes.function(fixes.role())
    fixes.fix(arn)
    fixes.publish()
    fixes.lambda_.create_alias(FunctionName="refund", Name="later", FunctionVersion="1")

    outcome = fixes.undo(arn)

    assert fixes.attached() == [DAEMON]
    assert "alias `later` serves version 1, which is traced" in outcome.note


def test_an_alias_that_somebody_moved_since_is_left_and_said(fixes):
    arn = fixes.served()
    fixes.fix(arn)
    fixes.lambda_.update_alias(FunctionName="refund", Name="live", FunctionVersion="$LATEST")

    outcome = fixes.undo(arn)

    assert (fixes.alias()["FunctionVersion"], fixes.mode(arn)) == ("$LATEST", "PassThrough")
    assert outcome.note == "alias `live` was changed by somebody else since, and is left as it is"


def test_a_version_that_was_deleted_since_cannot_be_served_again(fixes):
    arn = fixes.served()
    fixes.fix(arn)
    fixes.lambda_.delete_function(FunctionName="refund", Qualifier="1")

    outcome = fixes.undo(arn)

    assert fixes.alias()["FunctionVersion"] == "2"
    assert "stays on version 2, for version 1 no longer exists" in outcome.note


def test_undoing_twice_changes_nothing_the_second_time(fixes):
    arn = fixes.served(fixes.role())
    fixes.fix(arn)
    fixes.undo(arn)

    again = fixes.undo(arn)

    assert (again.after, again.detached, again.request_ids) == (TracingMode.PASS_THROUGH, "", ())


@pytest.mark.parametrize("last", ["read", "alias_back", "tracing_back", "update", "read_back", "role_back"])
def test_an_undo_that_is_cut_short_at_any_step_is_finished_by_the_next(fixes, last):
    arn = fixes.served(fixes.role())
    fixes.fix(arn)

    def power_cut():
        raise PowerCutError

    with pytest.raises(PowerCutError):
        fixes.undo(arn, meanwhile={last: power_cut})
    fixes.undo(arn)

    assert (fixes.mode(arn), fixes.attached(), fixes.alias()["FunctionVersion"]) == ("PassThrough", [], "1")
    assert (fixes.called("DetachRolePolicy"), fixes.called("UpdateAlias")) == (1, 2)


def test_a_function_that_was_deleted_leaves_its_role_to_be_freed(fixes):
    arn = fixes.function(fixes.role())
    fixes.fix(arn)
    fixes.lambda_.delete_function(FunctionName="refund")

    outcome = fixes.undo(arn)

    assert (outcome.after, outcome.detached, fixes.attached()) == (None, DAEMON, [])


def test_a_policy_that_somebody_else_took_away_is_no_failure(fixes):
    arn = fixes.function(fixes.role())
    fixes.fix(arn)
    fixes.iam.detach_role_policy(RoleName="refund-role", PolicyArn=DAEMON)

    outcome = fixes.undo(arn)

    assert (outcome.detached, outcome.note) == ("", "role `refund-role` did not have the policy any more")


@pytest.mark.parametrize(
    ("service", "action", "permission"),
    [
        ("lambda", "UpdateFunctionConfiguration", "lambda:UpdateFunctionConfiguration on `refund`"),
        ("lambda", "UpdateAlias", "lambda:UpdateAlias on alias `live`"),
        ("iam", "DetachRolePolicy", "iam:DetachRolePolicy on role `refund-role`"),
    ],
)
def test_a_denied_undo_names_the_missing_permission_and_what_to_do(fixes, service, action, permission):
    arn = fixes.served(fixes.role())
    fixes.fix(arn)
    fixes.aws.deny(service=service, action=action)

    with pytest.raises(RemediationFailed) as failed:
        fixes.undo(arn)

    assert failed.value.reason == (
        f"The credentials for fixes lack {permission} (AccessDenied{'' if service == 'iam' else 'Exception'}). "
        "Allow it, then undo again."
    )
    assert failed.value.request_id


def test_somebody_who_deploys_meanwhile_and_a_busy_aws_do_not_stop_it(fixes):
    arn = fixes.served()
    fixes.fix(arn)
    fixes.aws.throttle_every(3, service="lambda")

    outcome = fixes.undo(arn, meanwhile={"tracing_back": lambda: touch(fixes)})

    fixes.aws.forgive()
    assert (fixes.mode(arn), fixes.alias()["FunctionVersion"], outcome.note) == ("PassThrough", "1", "")
    assert fixes.aws.function(arn)["Description"] == "deployed"


def touch(world):
    world.aws.forgive()
    world.update(Description="deployed")
    world.aws.throttle_every(3, service="lambda")


def test_on_managed_instances_what_calls_run_is_published_as_before(fixes):
    arn = fixes.function(fixes.able_role(), **MANAGED)
    fixes.publish(PublishTo="LATEST_PUBLISHED")
    fixes.fix(arn)

    outcome = fixes.undo(arn)

    assert (fixes.mode(f"{arn}:$LATEST.PUBLISHED"), fixes.mode(arn)) == ("PassThrough", "PassThrough")
    assert outcome.note == ""


def test_what_is_published_on_managed_instances_and_stays_traced_keeps_the_policy(fixes):
    arn = fixes.function(fixes.role(), **MANAGED)
    fixes.publish(PublishTo="LATEST_PUBLISHED")
    fixes.fix(arn)

    outcome = fixes.undo(arn, meanwhile={"publish": lambda: fixes.update(MemorySize=512)})

    assert (fixes.mode(f"{arn}:$LATEST.PUBLISHED"), fixes.attached()) == ("Active", [DAEMON])
    assert "keeps its permission to send traces: `$LATEST.PUBLISHED` of `refund` is traced" in outcome.note


def test_an_inline_policy_that_somebody_changed_since_is_left_and_said(make_fixes):
    fixes = make_fixes(policies_per_role=0)
    arn = fixes.function(fixes.role())
    fixes.fix(arn)
    more = json.dumps(statement("Allow", ["xray:*", "s3:GetObject"]))
    fixes.aws.deny(service="iam", action="GetRolePolicy")  # the audit role has the bulk listing
    fixes.iam.put_role_policy(RoleName="refund-role", PolicyName="lamplighter-xray-write", PolicyDocument=more)

    outcome = fixes.undo(arn)

    assert fixes.iam.list_role_policies(RoleName="refund-role")["PolicyNames"] == ["lamplighter-xray-write"]
    assert outcome.detached == ""
    assert outcome.note == (
        "role `refund-role` keeps its permission to send traces: somebody has changed its policy "
        "`lamplighter-xray-write` since"
    )


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"aliases": None}, "whether an alias of `refund` needs it too is not known"),
        (
            {"aliases": (), "published_mode": TracingMode.ACTIVE},
            "what `refund` has published is traced and uses it too",
        ),
        ({"aliases": ()}, ""),
    ],
    ids=["aliases not read", "published", "nothing"],
)
def test_another_function_of_the_role_of_which_something_is_not_known_needs_it(fixes, known, why):
    role = fixes.role()
    other = structs.replace(fixes.noun(fixes.function(role)), **known)

    assert needing(lambda _: fixes.lambda_, role, [other], Patience(fixes.clock, fixes.clock.wait)) == why

"""What a fix would do to each awkward function, without doing it."""

import json

import pytest

from commands.aws.errors import Denied, NotAccepted
from commands.aws.planning import PlanRules
from commands.aws.remediation import FunctionGone
from storage.fixes import AliasPlan, AliasStep, RoleStep
from storage.models import Manager, MayWrite, TracingMode
from tests.commands.aws.conftest import statement

STACK = [
    {"Key": "aws:cloudformation:stack-name", "Value": "payments-prod"},
    {"Key": "aws:cloudformation:logical-id", "Value": "RefundRole"},
]


def writes(world):
    return [call.action for call in world.aws.calls if call.action.startswith(("Update", "Attach", "Put", "Publish"))]


def test_a_plan_says_what_a_fix_would_change_and_changes_nothing(fixes):
    role = fixes.role()
    arn = fixes.served(role)
    before = writes(fixes)

    plan = fixes.plan(arn, sharing=3, managed_by=Manager.CDK, stack="payments", logical_id="Refund")

    assert (plan.mode, plan.role, plan.role_may_write) == (TracingMode.PASS_THROUGH, role, MayWrite.NO)
    assert (plan.role_step, plan.sharing, plan.blocked) == (RoleStep.ATTACH, 3, "")
    assert plan.aliases == (AliasPlan("live", "1", AliasStep.PUBLISH),)
    assert (plan.manager, plan.stack, plan.logical_id, plan.runtime) == (
        Manager.CDK,
        "payments",
        "Refund",
        "python3.13",
    )
    assert plan.revision_id == fixes.aws.function(arn)["RevisionId"]
    assert plan.made_at == fixes.clock.utc()
    assert writes(fixes) == before


def test_a_role_that_may_write_needs_nothing(fixes):
    plan = fixes.plan(fixes.function(fixes.able_role()))

    assert (plan.role_step, plan.role_may_write, plan.aliases) == (RoleStep.NOTHING, MayWrite.YES, ())


def test_a_role_without_room_is_to_be_given_an_inline_policy(make_fixes):
    fixes = make_fixes(policies_per_role=1)
    arn = fixes.function(fixes.role())
    fixes.iam.attach_role_policy(RoleName="refund-role", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")

    assert fixes.plan(arn).role_step is RoleStep.INLINE
    fixes.aws.deny(service="iam", action="GetAccountSummary")
    assert fixes.plan(arn).role_step is RoleStep.ATTACH  # AWS will say when it is asked for it


@pytest.mark.parametrize("hidden", ["GetRole", "ListRolePolicies"])
def test_of_a_role_that_is_not_shown_whole_lambda_decides(fixes, hidden):
    arn = fixes.function(fixes.able_role())
    fixes.aws.deny(service="iam", action=hidden)
    fixes.aws.deny(service="iam", action="GetAccountAuthorizationDetails")

    plan = fixes.plan(arn)

    assert (plan.role_step, plan.blocked) == (RoleStep.ASK_LAMBDA, "")
    assert plan.role_may_write in (None, MayWrite.CONDITIONAL)


def test_a_deny_that_depends_is_lambdas_to_decide(fixes):
    role = fixes.role(policy=statement("Allow", "xray:*"))
    deny = statement("Deny", "xray:*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})
    fixes.iam.put_role_policy(RoleName="refund-role", PolicyName="guard", PolicyDocument=json.dumps(deny))

    plan = fixes.plan(fixes.function(role))

    assert (plan.role_step, plan.role_may_write) == (RoleStep.ASK_LAMBDA, MayWrite.CONDITIONAL)


@pytest.mark.parametrize(
    ("role", "why"),
    [
        ({"policy": statement("Deny", "xray:*")}, "because an explicit Deny in policy `own` (statement `Rule`)"),
        ({"path": "/aws-service-role/x.amazonaws.com/"}, "is a service-linked role, and AWS lets nobody change those"),
        ({"Tags": STACK}, "is deployed by a template, and such roles are changed there only"),
        ({"Tags": [{"Key": "lambda:createdBy", "Value": "SAM"}]}, "is deployed by a template"),
    ],
    ids=["a Deny", "service-linked", "of a stack", "of SAM"],
)
def test_roles_that_are_left_alone_block_the_fix_with_the_reason_and_a_next_step(fixes, role, why):
    arn = fixes.function(fixes.role(**role))

    plan = fixes.plan(arn, PlanRules(patch_only_roles=True))

    assert why in plan.blocked
    assert plan.blocked.endswith(("then ask again.", "has to change it."))
    assert plan.role_step is RoleStep.NOTHING


def test_a_role_of_a_stack_is_named_as_such_and_given_its_policy_where_that_is_allowed(fixes):
    plan = fixes.plan(fixes.function(fixes.role(Tags=STACK)))

    assert (plan.role_step, plan.role_manager, plan.blocked) == (RoleStep.ATTACH, Manager.CLOUDFORMATION, "")


def test_a_role_of_a_stack_that_may_write_already_blocks_nothing(fixes):
    role = fixes.role(policy=statement("Allow", "xray:*"), Tags=STACK)

    assert fixes.plan(fixes.function(role), PlanRules(patch_only_roles=True)).blocked == ""


def test_functions_of_a_template_may_be_for_the_template_only(fixes):
    arn = fixes.function(fixes.able_role())
    rules = PlanRules(patch_only_functions=True)

    assert "changed there only" in fixes.plan(arn, rules, managed_by=Manager.SAM).blocked
    assert fixes.plan(arn, rules).blocked == ""


def test_a_runtime_that_aws_blocks_is_known_before(fixes):
    arn = fixes.function(fixes.able_role(), runtime="nodejs12.x")

    assert fixes.plan(arn).blocked == (
        "AWS blocks changes of functions on `nodejs12.x` since 2023-04-30. Move it to a newer runtime, then ask again."
    )


def test_a_function_that_is_gone_or_hidden_has_no_plan(fixes):
    arn = fixes.function(fixes.able_role())
    with pytest.raises(FunctionGone) as gone:
        fixes.plan(arn.replace("refund", "nothing"))
    assert gone.value.request_id
    fixes.aws.deny(service="lambda", action="GetFunctionConfiguration")
    with pytest.raises(Denied) as denied:
        fixes.plan(arn)
    assert denied.value.request_id


# Aliases


def only_alias(plan):
    (alias,) = plan.aliases
    return alias


def test_an_alias_that_serves_other_code_needs_a_deployment(fixes):
    arn = fixes.served()
    fixes.lambda_.update_function_code(FunctionName="refund", ZipFile=b"other")
    fixes.aws.settle()

    assert only_alias(fixes.plan(arn)) == AliasPlan(
        "live",
        "1",
        AliasStep.DEPLOY,
        "$LATEST differs from what it serves in its code, and publishing would deploy that",
    )


def test_settings_that_differ_are_named_and_values_never(fixes):
    arn = fixes.served(Environment={"Variables": {"LEVEL": "hush-1"}})
    fixes.update(MemorySize=512, Environment={"Variables": {"LEVEL": "hush-2"}})

    plan = fixes.plan(arn)

    assert "in `MemorySize`, its variable `LEVEL`, and publishing" in only_alias(plan).why
    assert "hush" not in str(plan.to_row())


def test_an_alias_whose_traffic_is_being_shifted_is_left_alone(fixes):
    arn = fixes.served()
    fixes.update(MemorySize=512)
    fixes.publish()
    fixes.lambda_.update_alias(
        FunctionName="refund", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}}
    )

    assert only_alias(fixes.plan(arn)).why == (
        "its traffic is being shifted (version 1 75%, version 2 25%); wait until that deployment is over"
    )


def test_aliases_of_latest_or_of_what_is_traced_need_nothing(fixes):
    arn = fixes.function(fixes.able_role(), mode="Active")
    fixes.publish()
    fixes.lambda_.create_alias(FunctionName="refund", Name="live", FunctionVersion="1")
    fixes.lambda_.create_alias(FunctionName="refund", Name="dev", FunctionVersion="$LATEST")

    plan = fixes.plan(arn)

    assert [(one.name, one.step) for one in plan.aliases] == [("dev", AliasStep.NOTHING), ("live", AliasStep.NOTHING)]
    assert plan.blocked == ""


def test_where_all_that_is_left_needs_a_deployment_the_plan_says_that(fixes):
    arn = fixes.served()
    fixes.update(MemorySize=512, TracingConfig={"Mode": "Active"})

    assert fixes.plan(arn).blocked.startswith("It needs a deployment, not a fix of its configuration. Alias `live`: ")


def test_aliases_that_are_hidden_are_not_none(fixes):
    arn = fixes.served()
    fixes.aws.deny(service="lambda", action="ListAliases")

    assert fixes.plan(arn).aliases is None


def test_on_managed_instances_what_calls_run_is_planned_like_an_alias(fixes):
    arn = fixes.function(fixes.able_role(), CapacityProviderConfig={"LambdaManagedInstancesCapacityProviderConfig": {}})
    fixes.publish(PublishTo="LATEST_PUBLISHED")

    assert fixes.plan(arn).aliases == (AliasPlan("$LATEST.PUBLISHED", "", AliasStep.PUBLISH),)


def test_credentials_that_ran_out_say_nothing_of_the_aliases(fixes):
    arn = fixes.served()
    fixes.aws.fail("ExpiredTokenException", 403, service="lambda", action="ListAliases")

    with pytest.raises(NotAccepted):
        fixes.plan(arn)

"""Versions and aliases: what is moved, and what is left because it would deploy something."""

import pytest

from commands.aws.remediation import Clients

MANAGED = {"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}}}


def test_an_alias_is_moved_to_an_equal_of_what_it_served(fixes):
    arn = fixes.served(Environment={"Variables": {"LEVEL": "INFO"}})
    before = fixes.lambda_.get_function_configuration(FunctionName="refund", Qualifier="live")

    outcome = fixes.fix(arn)

    after = fixes.lambda_.get_function_configuration(FunctionName="refund", Qualifier="live")
    assert (after["Version"], after["TracingConfig"], after["State"]) == ("2", {"Mode": "Active"}, "Active")
    same = ("CodeSha256", "Environment", "MemorySize", "Role", "Description", "Handler")
    assert {name: before.get(name) for name in same} == {name: after.get(name) for name in same}
    assert "RoutingConfig" not in fixes.alias()
    assert outcome.note == ""
    assert fixes.names[-2:] == ["publish", "alias"]
    assert len(outcome.request_ids) == 3
    assert (fixes.memory.receipt.published, fixes.memory.receipt.moves[0].after) == ("2", "2")


def test_the_description_of_what_is_served_is_kept(fixes):
    arn = fixes.function(fixes.able_role())
    fixes.publish(Description="release 7")
    fixes.lambda_.create_alias(FunctionName="refund", Name="live", FunctionVersion="1")

    fixes.fix(arn)

    assert fixes.aws.function(f"{arn}:2")["Description"] == "release 7"


def test_all_aliases_of_equals_are_moved_to_one_version_and_others_are_left(fixes):
    arn = fixes.served()
    fixes.lambda_.create_alias(FunctionName="refund", Name="blue", FunctionVersion="1")
    fixes.update(MemorySize=512)
    fixes.publish()
    fixes.lambda_.create_alias(FunctionName="refund", Name="next", FunctionVersion="2")
    fixes.update(MemorySize=128)

    outcome = fixes.fix(arn)

    assert {name: fixes.alias(name)["FunctionVersion"] for name in ("live", "blue", "next")} == {
        "live": "3",
        "blue": "3",
        "next": "2",
    }
    assert outcome.note == (
        "alias `next` serves version 2, which is not traced, and needs a deployment: $LATEST differs from what it "
        "serves in `MemorySize`, and publishing would deploy that"
    )


def test_a_version_that_somebody_published_with_tracing_already_is_used(fixes):
    arn = fixes.served()
    fixes.update(TracingConfig={"Mode": "Active"})
    fixes.publish()

    fixes.fix(arn)

    assert (fixes.versions(), fixes.alias()["FunctionVersion"]) == (["$LATEST", "1", "2"], "2")


def deploy(world):
    world.aws.settle()
    world.lambda_.update_function_code(FunctionName="refund", ZipFile=b"other")
    world.aws.settle()


def shift(world):
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    world.lambda_.update_alias(FunctionName="refund", Name="live", RoutingConfig=weights)


@pytest.mark.parametrize(
    ("step", "change", "versions"),
    [("read_back", deploy, 1), ("publish", deploy, 1), ("alias", shift, 2)],
    ids=["deployed before", "deployed just before", "shifted meanwhile"],
)
def test_what_changed_meanwhile_is_left_and_said(fixes, step, change, versions):
    arn = fixes.served()

    outcome = fixes.fix(arn, meanwhile={step: lambda: change(fixes)})

    assert fixes.alias()["FunctionVersion"] == "1"
    assert fixes.versions() == ["$LATEST", "1", "2"][: versions + 1]
    assert outcome.note == (
        "alias `live` was not moved from version 1, for it or the function was changed meanwhile: look at it again"
    )
    assert fixes.memory.receipt.moves == ()


def test_an_alias_that_is_moved_by_somebody_else_just_before_is_theirs(fixes):
    arn = fixes.served()
    real = fixes.lambda_.update_alias

    class Slow:
        """Somebody moves the alias between our reading of it and our write."""

        def __getattr__(self, name):
            return getattr(fixes.lambda_, name)

        def update_alias(self, **asked):
            real(FunctionName="refund", Name="live", FunctionVersion="$LATEST")
            return real(**asked)

    fixes.fix(arn, writes=Clients(Slow(), fixes.iam))

    assert fixes.alias()["FunctionVersion"] == "$LATEST"


@pytest.mark.parametrize(
    ("action", "permission"), [("PublishVersion", "lambda:PublishVersion"), ("UpdateAlias", "lambda:UpdateAlias")]
)
def test_a_refusal_names_the_permission_and_leaves_the_alias(fixes, action, permission):
    arn = fixes.served()
    fixes.aws.deny(service="lambda", action=action)

    failed = fixes.failure(arn)

    assert f"The credentials for fixes lack {permission} on" in failed.reason
    assert failed.reason.endswith("Allow it, then approve again.")
    assert failed.request_id
    assert (fixes.mode(arn), fixes.alias()["FunctionVersion"]) == ("Active", "1")
    fixes.aws.forgive()
    assert fixes.fix(arn).note == ""
    assert fixes.alias()["FunctionVersion"] == "2"


def test_an_alias_that_is_deleted_meanwhile_does_not_make_the_function_gone(fixes):
    arn = fixes.served()

    outcome = fixes.fix(
        arn, meanwhile={"alias": lambda: fixes.lambda_.delete_alias(FunctionName="refund", Name="live")}
    )

    assert "alias `live` was not moved" in outcome.note


def test_on_managed_instances_what_calls_run_is_published_anew(fixes):
    arn = fixes.function(fixes.able_role(), **MANAGED)
    fixes.publish(PublishTo="LATEST_PUBLISHED")

    outcome = fixes.fix(arn)

    assert fixes.mode(f"{arn}:$LATEST.PUBLISHED") == "Active"
    assert (outcome.note, fixes.memory.receipt.published, fixes.versions()) == ("", "$LATEST.PUBLISHED", ["$LATEST"])


def test_a_read_that_is_refused_just_before_a_write_is_not_laid_to_the_credentials_that_write(fixes):
    arn = fixes.served()

    failed = fixes.failure(arn, meanwhile={"alias": lambda: fixes.aws.deny(service="lambda", action="ListAliases")})

    assert failed.reason == (
        "The credentials for audits lack lambda:ListAliases (AccessDeniedException). Allow it, then approve again."
    )
    assert failed.request_id


def test_code_that_is_deployed_between_reading_and_publishing_is_not_a_mistake_of_ours(fixes):
    arn = fixes.served()

    class Slow:
        """Somebody deploys other code just before our write, and AWS compares that first."""

        def __getattr__(self, name):
            return getattr(fixes.lambda_, name)

        def publish_version(self, **asked):
            deploy(fixes)
            return fixes.lambda_.publish_version(**{key: asked[key] for key in asked if key != "RevisionId"})

    outcome = fixes.fix(arn, writes=Clients(Slow(), fixes.iam))

    assert "alias `live` was not moved from version 1" in outcome.note
    assert fixes.versions() == ["$LATEST", "1"]


@pytest.mark.parametrize("state", ["Failed", "Deactivated", "ActiveNonInvocable"])
def test_no_alias_is_moved_to_a_version_that_cannot_run(fixes, state):
    arn = fixes.served()
    plan = fixes.plan(arn)

    def broken(parsed, **_):
        if parsed.get("Version") == "2":
            parsed.update(State=state, StateReason="No capacity.")

    fixes.lambda_.meta.events.register("after-call.lambda.GetFunctionConfiguration", broken)

    failed = fixes.failure(arn, plan=plan)

    assert failed.reason == (f"Version 2 was published, but is {state}: No capacity. Mend that, then approve again.")
    assert fixes.alias()["FunctionVersion"] == "1"

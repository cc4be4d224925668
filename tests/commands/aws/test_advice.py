"""Every error that AWS declares for a call of a fix reaches a person as a sentence with a next step."""

import boto3
import pytest

from commands.aws.advice import advice, entry_advice
from commands.aws.errors import problem

CALLS = {
    "lambda": (
        "GetFunctionConfiguration",
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "UpdateAlias",
        "ListAliases",
    ),
    "iam": ("GetRole", "AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy"),
    "sts": ("AssumeRole",),
}
UNDECLARED = ("AccessDenied", "AccessDeniedException", "ExpiredToken", "Throttling", "InvalidClientTokenId", "Unheard")


def declared():
    for service, operations in CALLS.items():
        model = boto3.client(service, "eu-central-1").meta.service_model
        for operation in operations:
            for shape in model.operation_model(operation).error_shapes:
                error = shape.metadata.get("error", {})
                yield error.get("code", shape.name), error.get("httpStatusCode", 400)
    yield from ((code, 403) for code in UNDECLARED)


@pytest.mark.parametrize(("code", "status"), sorted(set(declared())))
@pytest.mark.parametrize("again", ["approve", "undo"])
def test_a_refusal_is_a_sentence_and_a_next_step(code, status, again):
    refusal = problem(code, "AWS's own words", status=status, service="iam", action="AttachRolePolicy")

    for said in (
        advice(refusal, "iam:AttachRolePolicy on role `refund`", "fixes", again),
        entry_advice(refusal, again),
    ):
        assert said.lower().endswith((f"{again} again.", f"{again} again in a few minutes."))
        assert said[0].isupper()
        assert "\n" not in said


def test_who_may_not_assume_the_role_is_told_whom_to_ask():
    refusal = problem("AccessDenied", "no", service="sts", action="AssumeRole", account="222222222222", status=403)

    assert entry_advice(refusal) == (
        "AWS did not let Lamplighter in to make the change: sts:AssumeRole in account 222222222222: AccessDenied: no. "
        "Let the bot's own role assume that role (its trust policy and external id say who may), then approve again."
    )

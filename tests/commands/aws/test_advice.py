"""Every error that AWS declares for a call of a fix reaches a person as a sentence with a next step."""

import boto3
import pytest

from commands.aws.advice import advice, entry_advice
from commands.aws.errors import Unreachable, problem

# Every call that a fix or an undo makes of AWS.
CALLS = {
    "lambda": (
        *("GetFunctionConfiguration", "ListAliases", "ListVersionsByFunction", "ListTags", "ListEventSourceMappings"),
        *("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"),
    ),
    "iam": (
        *("GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies", "GetPolicy", "GetPolicyVersion"),
        *("GetAccountAuthorizationDetails", "GetAccountSummary", "SimulatePrincipalPolicy"),
        *("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy"),
    ),
    "sts": ("AssumeRole", "GetCallerIdentity"),
}
# What any call may be answered with, by AWS's "common errors", and what was seen without being documented.
COMMON = (
    *(("AccessDenied", 403), ("AccessDeniedException", 403), ("NotAuthorized", 401), ("OptInRequired", 403)),
    *(("ExpiredToken", 403), ("ExpiredTokenException", 403), ("RequestExpired", 400), ("InvalidClientTokenId", 403)),
    *(("UnrecognizedClientException", 403), ("IncompleteSignature", 403), ("SignatureDoesNotMatch", 403)),
    *(("Throttling", 400), ("ThrottlingException", 400), ("RequestLimitExceeded", 503), ("ServiceUnavailable", 503)),
    *(("InternalFailure", 500), ("InternalError", 500), ("RequestTimeoutException", 408), ("RequestTimeout", 400)),
    *(("ConcurrentModification", 409), ("ReadTimeoutError", 0), ("ConnectTimeoutError", 0)),
)


def declared():
    for service, operations in CALLS.items():
        model = boto3.client(service, "eu-central-1").meta.service_model
        for operation in operations:
            for shape in model.operation_model(operation).error_shapes:
                error = shape.metadata.get("error", {})
                yield error.get("code", shape.name), error.get("httpStatusCode", 400)
    yield from COMMON


def refused(code, status):
    where = {"service": "iam", "action": "AttachRolePolicy", "request_id": "e1"}
    return (problem if status else Unreachable)(code, "AWS's own words", status=status, **where)


@pytest.mark.parametrize(("code", "status"), sorted(set(declared())))
def test_each_error_has_a_sentence_of_its_own_and_not_the_one_for_what_nobody_has_heard_of(code, status):
    said = advice(refused(code, status), "iam:AttachRolePolicy on role `refund`", "fixes")

    assert not said.startswith("AWS refused")
    assert said.count(". ") == 1, "one sentence, and the next step"


@pytest.mark.parametrize(("code", "status"), sorted({*declared(), ("Unheard", 400)}))
@pytest.mark.parametrize("again", ["approve", "undo"])
def test_a_refusal_is_a_sentence_and_a_next_step(code, status, again):
    refusal = refused(code, status)

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

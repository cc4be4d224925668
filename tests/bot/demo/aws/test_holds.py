"""Calls that stand still on their way, so that a test can end who made them there."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import LAMBDA_TRUST, XRAY_POLICY, connect


def attached(aws: AwsStandIn) -> list[str]:
    told = connect(aws, "iam").list_attached_role_policies(RoleName="refund")
    return [each["PolicyArn"] for each in told["AttachedPolicies"]]


@pytest.mark.parametrize(
    ("done", "lost", "meanwhile", "then"),
    [
        (False, False, [], [XRAY_POLICY]),
        (False, True, [], []),
        (True, False, [XRAY_POLICY], [XRAY_POLICY]),
    ],
    ids=["on its way", "never arrives", "carried out and not answered"],
)
def test_a_call_is_held_up_where_it_is_asked_to_be(
    aws: AwsStandIn, done: bool, lost: bool, meanwhile: list[str], then: list[str]
) -> None:
    caller = connect(aws, "iam")
    caller.create_role(RoleName="refund", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
    hold = aws.hold("AttachRolePolicy", done=done)

    with ThreadPoolExecutor() as pool:
        asked = pool.submit(caller.attach_role_policy, RoleName="refund", PolicyArn=XRAY_POLICY)
        assert hold.reached.wait(10)
        assert (attached(aws), asked.done()) == (meanwhile, False)
        hold.let_go(lost=lost)
        failed = asked.exception(10) is not None

    assert (attached(aws), failed) == (then, lost)


def test_only_one_call_is_held_up(aws: AwsStandIn) -> None:
    hold = aws.hold("ListFunctions", done=False)
    hold.let_go()

    connect(aws, "lambda").list_functions()
    assert connect(aws, "lambda").list_functions()["Functions"] == []

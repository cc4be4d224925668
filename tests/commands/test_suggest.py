"""Which functions are suggested for an exemption, by public naming facts; everything else is not."""

from typing import Any

import pytest

from commands._suggest import suggestion
from storage.models import CheckName, Finding, Function, Manager

CDK = Manager.CDK


def function(name: str = "refund", **facts: Any) -> Function:
    arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{name}"
    return Function(arn=arn, account="111122223333", region="eu-central-1", name=name, mode=None, **facts)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"name": "aws-controltower-NotificationForwarder"}, "Control Tower made it"),
        ({"name": "cwsyn-checkout-1b2c"}, "canary"),
        ({"handler": "framework.onEvent"}, "AWS CDK"),
        ({"handler": "__entrypoint__.handler"}, "AWS CDK"),
        ({"managed_by": CDK, "logical_id": "AWS679f53fac002430cb0da5b7982bd22872D164C4C"}, "AWS CDK"),
        (
            {"managed_by": CDK, "logical_id": "BucketNotificationsHandler050a0587b7544547bf325f094a3db8347ECC3691"},
            "CDK",
        ),
        ({"managed_by": CDK, "logical_id": "CustomS3AutoDeleteObjectsCustomResourceProviderHandler9D90184F"}, "CDK"),
        ({"managed_by": CDK, "logical_id": "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8aFD4BFC8A"}, "AWS CDK"),
        ({"logical_id": "UpdateRolesWithIDPFunction", "stack": "amplify-shop-dev-1"}, "Amplify"),
        ({"stack": "SC-111122223333-pp-abcdefghijklm"}, "Service Catalog"),
        ({"findings": (Finding(CheckName.TRACED_ELSEWHERE, "Looks traced by Datadog."),)}, "Looks traced by Datadog."),
    ],
)
def test_what_names_itself_so_is_suggested(facts: dict[str, Any], words: str) -> None:
    assert words in suggestion(function(**facts))


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"name": "my-aws-controltower-thing"},
        {"handler": "app.handler"},
        {"logical_id": "UpdateRolesWithIDPFunction", "stack": "shop"},
        {"managed_by": CDK, "logical_id": "RefundWorker1A2B3C4D"},
        {"managed_by": Manager.SAM, "logical_id": "CustomHandlerCustomResourceProviderHandler9D90184F"},
        {"stack": "StackSet-our-own-1b2c"},
        {"findings": (Finding(CheckName.SURFACE_ONLY, "No instrumentation."),)},
    ],
)
def test_what_may_be_anybodys_is_not(facts: dict[str, Any]) -> None:
    assert suggestion(function(**facts)) == ""

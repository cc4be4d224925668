"""The roles of our templates, with all that a parameter can turn on."""

from bot.demo.aws.stacks import Stack
from tests.commands.aws.derived import ROOT, Whose

MEMBER, HUB, REGION = "111122223333", "999988887777", "eu-central-1"
EXTERNAL_ID, ORGANIZATION = "lamplighter-4f9a-12c8", "o-a1b2c3d4e5"
OF_MEMBERS = {"HubAccount": HUB, "ExternalId": EXTERNAL_ID}
# Everything that a parameter can turn on.
WHOLE = {
    Whose.AUDIT: OF_MEMBERS,
    Whose.FIX: OF_MEMBERS | {"InlinePolicies": "yes"},
    Whose.HUB: {
        "ConfigAggregator": "yes",
        "CustomMetrics": "yes",
        "OrganizationId": ORGANIZATION,
        "Queue": f"arn:aws:sqs:{REGION}:{HUB}:lamplighter-events",
    },
}


def text(whose: Whose) -> str:
    return (ROOT / f"commands/aws/templates/{whose}.yaml").read_text(encoding="utf-8")


def statements(whose: Whose, said: str = "", account: str = HUB, **parameters: str) -> list[dict]:
    stack = Stack(said or text(whose), WHOLE[whose] | parameters, account, REGION)
    (role,) = stack.of_type("AWS::IAM::Role")
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def granted(whose: Whose, said: str = "", **parameters: str) -> set[str]:
    allows = [one for one in statements(whose, said, **parameters) if one["Effect"] == "Allow"]
    return {action for one in allows for action in listed(one["Action"])}

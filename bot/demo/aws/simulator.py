"""IAM's policy simulator as AWS documents it: what a role may do under the context that is given, and what was missing.

What it cannot know, it does not tell: policies of the organization are weighed too, but keys that only they ask for are
never listed as missing, and where they forbid, the role's own policies are not looked at.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.demo.aws.knobs import page
from bot.demo.aws.policies import Conditions, Decision, Document, Grants, decide, many, statements
from bot.demo.aws.protocol import AwsError, Handler, Request
from bot.demo.aws.roles import Roles

_VARIABLE = re.compile(r"\$\{([^},*?$]+)")


class Simulator:
    """Answers SimulatePrincipalPolicy for roles; it has no groups, resource policies or further policies."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._of_organization: dict[str, Document] = {}  # by account

    def handlers(self) -> dict[str, Handler]:
        return {"SimulatePrincipalPolicy": self._simulate}

    def govern(self, account: str, document: Document) -> None:
        """Put an account under a service control policy. Only the simulator heeds it; calls are refused by `deny`."""
        self._of_organization[account] = document

    def _simulate(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        arn = asked["PolicySourceArn"]
        if not self._roles.exists(request.account, arn):
            raise AwsError("NoSuchEntity", f"The entity {arn} cannot be found.", 404)
        grants, scp = self._roles.grants(request.account, arn), self._of_organization.get(request.account)
        context = {entry["ContextKeyName"]: entry["ContextKeyValues"][0] for entry in asked.get("ContextEntries") or []}
        results = [
            _evaluation(grants, scp, action, resource, context)
            for action in asked["ActionNames"]
            for resource in asked.get("ResourceArns") or ["*"]
        ]
        refusal = AwsError("ValidationError", "Invalid Marker.")
        size = min(1000, int(asked.get("MaxItems") or 100))
        shown, after = page(results, size, asked.get("Marker"), _name, refusal)
        return {"IsTruncated": after is not None, "Marker": after, "EvaluationResults": shown}


def _name(result: Mapping[str, Any]) -> str:
    return f"{result['EvalActionName']} {result['EvalResourceName']}"


def _evaluation(
    grants: Grants, scp: Document | None, action: str, resource: str, context: Conditions
) -> dict[str, Any]:
    result: dict[str, Any] = {"EvalActionName": action, "EvalResourceName": resource, "MatchedStatements": []}
    if scp is not None:
        ruled = decide([scp], action, resource, context)
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": ruled is Decision.ALLOWED}
        if ruled is not Decision.ALLOWED:
            return result | {"EvalDecision": str(ruled), "MissingContextValues": []}
    if grants.boundary is not None:
        allowed = decide(grants.boundary, action, resource, context) is Decision.ALLOWED
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    given = {key.lower() for key in context}
    missing = [key for key in _asked_for(grants.identity) if key.lower() not in given]
    decision = grants.decide(action, resource, context)
    return result | {"EvalDecision": str(decision), "MissingContextValues": missing}


def _asked_for(documents: Iterable[Document]) -> list[str]:
    """Every key in conditions and variables, of statements about other actions too.

    https://github.com/boto/boto3/issues/3111
    """
    found: dict[str, None] = {}
    for document in documents:
        for statement in statements(document):
            tests = [test for keys in (statement.get("Condition") or {}).values() for test in keys.items()]
            texts = [*many(statement.get("Resource")), *(text for _, wanted in tests for text in many(wanted))]
            found |= dict.fromkeys(key for key, _ in tests)
            found |= dict.fromkeys(key for text in texts for key in _VARIABLE.findall(text))
    return list(found)

"""AWS's policy simulator, asked over the wire about the roles of one account. What is believed: see `simulation`."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from commands.aws import simulation
from commands.aws.errors import AwsProblem, BadAnswer
from commands.aws.keys import Identity
from commands.aws.query import query
from commands.aws.roles import Judgement, Role
from commands.aws.simulation import Simulated
from commands.aws.wire import Wire

_AT_ONCE = 2  # questions in an account; how many IAM allows is not documented
_PATIENCE = 4  # questions one after the other that AWS left without an answer, each asked again and again

log = logging.getLogger(__name__)


class Simulator:
    """Asks once for each role that needs it, in the order of their ARNs: two audits of one world ask the same.

    A refusal may be meant for one role (a policy may name it), and leaves only that one open. So does a question that
    AWS does not answer however often it is asked; but after some of these in a row, no further roles of the account are
    asked for: that would take too long.
    """

    def __init__(self, wire: Wire, who: Identity, region: str) -> None:
        self._wire, self._who, self._region = wire, who, region
        self._in_vain = 0  # the last so many questions

    async def settle(self, judged: Mapping[str, tuple[Role, Judgement]]) -> dict[str, Judgement]:
        """The judgements, those settled that the simulator settles; what it leaves open stays as it was."""
        asked = sorted(arn for arn, (role, so_far) in judged.items() if simulation.worth_asking(role, so_far))
        found = {arn: so_far for arn, (_, so_far) in judged.items()}
        for start in range(0, len(asked), _AT_ONCE):  # together begun and ended: who is asked hangs on no chance
            if self._in_vain >= _PATIENCE:
                break
            some = asked[start : start + _AT_ONCE]
            told = await asyncio.gather(*(self._ask(*judged[arn]) for arn in some))
            found |= {arn: judgement for arn, (judgement, _) in zip(some, told, strict=True)}
            in_vain = all(vain for _, vain in told)
            self._in_vain = self._in_vain + len(some) if in_vain else 0
        return found

    async def _ask(self, role: Role, judgement: Judgement) -> tuple[Judgement, bool]:
        """What is known then, and whether AWS was asked in vain."""
        question = simulation.question(role, account=self._who.account, now=datetime.now(UTC))
        try:
            said = await simulated(self._wire, self._who, self._region, question)
        except AwsProblem as problem:
            log.warning("could not simulate role %s: %s", role.arn, problem)
            return judgement, simulation.in_vain(problem)
        return simulation.believe(said, role, judgement, account=self._who.account), False


async def simulated(wire: Wire, who: Identity, region: str, question: Mapping[str, str]) -> Simulated:
    """What the simulator says of one action. IAM: iam:SimulatePrincipalPolicy."""
    marker = ""
    while True:
        more = {"Marker": marker} if marker else {}
        found, following = await query(
            wire, who, "iam", region, "SimulatePrincipalPolicy", {**question, **more}, _simulated
        )
        if found:
            return found
        if following in ("", marker):  # AWS may give a page without a result, but not for ever
            raise BadAnswer("BadAnswer", "AWS's simulator gave no result")
        marker = following


async def all_simulated(wire: Wire, who: Identity, region: str, question: Mapping[str, str]) -> dict[str, Simulated]:
    """The same of several actions on one resource, by their names. IAM: iam:SimulatePrincipalPolicy."""
    told: dict[str, Simulated] = {}
    marker = ""
    while True:
        more = {"Marker": marker} if marker else {}
        found, following = await query(
            wire, who, "iam", region, "SimulatePrincipalPolicy", {**question, **more}, _evaluations
        )
        told |= found
        if not following:
            return told
        if following == marker:
            raise BadAnswer("BadAnswer", "AWS gave the same page twice")
        marker = following


def _simulated(root: Element) -> tuple[Simulated | None, str]:
    found, marker = _evaluations(root)
    return next(iter(found.values()), None), marker


def _evaluations(root: Element) -> tuple[dict[str, Simulated], str]:
    """What is said of each action on this page, and the mark of the next one."""
    result = root.find("{*}SimulatePrincipalPolicyResult")
    if result is None:
        raise KeyError("SimulatePrincipalPolicyResult")
    more = result.findtext("{*}IsTruncated") == "true"
    marker = result.findtext("{*}Marker") or "" if more else ""
    members = result.iterfind("{*}EvaluationResults/{*}member")
    return {one.findtext("{*}EvalActionName") or "": _evaluation(one) for one in members}, marker


def _evaluation(one: Element) -> Simulated:
    boundary = one.findtext("{*}PermissionsBoundaryDecisionDetail/{*}AllowedByPermissionsBoundary")
    organization = one.findtext("{*}OrganizationsDecisionDetail/{*}AllowedByOrganizations")
    return Simulated(
        decision=one.findtext("{*}EvalDecision") or "",
        missing=tuple(key.text or "" for key in one.iterfind("{*}MissingContextValues/{*}member")),
        by_boundary=None if boundary is None else boundary == "true",
        by_organization=None if organization is None else organization == "true",
    )

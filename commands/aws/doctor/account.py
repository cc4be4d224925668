"""One account: whether its audit role lets us in, what that may do there, and whether functions may be fixed."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from commands.aws import reads
from commands.aws import regions as enabled_regions
from commands.aws.doctor.reads import NOBODY, PROBES, Place, Probe, functions
from commands.aws.doctor.words import (
    AUDIT,
    FIX,
    TEMPLATES,
    Uses,
    by_simulator,
    is_of_organization,
    is_refusal,
    not_asked,
    outcome,
    reason,
)
from commands.aws.errors import AwsProblem, Gone, NotAccepted
from commands.aws.identity import Ambient, AuditIdentity
from commands.aws.session_policy import Need, session_name
from commands.aws.simulator import all_simulated
from storage.diagnosis import Diagnosis, Outcome
from storage.models import XRAY_WRITE_POLICY

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.aws.wire import Wire

# The fix role's trust policy lets in who has a Slack user's id; in a terminal there is none, and CloudTrail says so.
IN_A_TERMINAL = "U-lamplighter-doctor"
_NOTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}, separators=(",", ":")
)
_PERMISSIONS = "permissions of the audit role"
_BILLED = "not asked: AWS bills it"
_SILENT = (Outcome.UNKNOWN, "IAM's policy simulator says nothing of it")
_ON_FUNCTIONS = (Need.UPDATE, Need.PUBLISH, Need.MOVE)
_ON_ROLES = (Need.ATTACH, Need.DETACH)


class Account:
    """What is found is in `found`; nothing here raises AwsProblem."""

    def __init__(self, cloud: "Cloud", wire: "Wire", uses: Uses, account: str, now: datetime) -> None:
        self._cloud, self._wire, self._uses, self._account, self._now = cloud, wire, uses, account, now
        self.who = AuditIdentity(cloud, account, wire)
        self.may_read = False  # whether the audit role lets us in
        self.found: list[Diagnosis] = []

    async def look(self, management: str = "") -> None:
        """`management`: the organization's management account, which StackSets leave out."""
        if not await self._enter(management):
            return
        regions = await self._regions()
        answers = dict(zip(regions, await asyncio.gather(*map(self._list, regions)), strict=True))
        self._say_of_regions(answers)
        seen = next((region for region, problem in answers.items() if problem is None), regions[0])
        await asyncio.gather(self._permissions(self._place(seen)), self._fix_role(self._place(seen)))

    # ---- the audit role

    async def _enter(self, management: str) -> bool:
        role = self._cloud.settings.role
        what = f"role {role}" if role else "the bot's own credentials"
        try:
            if not role:
                self._cloud.must_be_home(self._account)
            await self.who.keys()
        except AwsProblem as problem:
            how = f"deploy `{TEMPLATES} audit-role` there, with HubAccount and ExternalId as they are here"
            if self._account == management:
                how += "; StackSets leave the management account out, so make it a stack of its own"
            if not role:
                how = 'name a role in [aws], as in role = "lamplighter-audit", or take the account out'
            self._say(AUDIT, outcome(problem), what, reason(problem), how, detail=problem)
            return False
        self.may_read = True
        if role:
            self._say(AUDIT, Outcome.OK, what, "can be assumed")
        return True

    async def _regions(self) -> Sequence[str]:
        """Those that an audit would look at."""
        home = self._cloud.home_region
        if self._cloud.settings.regions:
            return self._cloud.settings.regions
        try:
            return await reads.enabled_regions(self._wire, self.who, home)
        except AwsProblem as problem:
            first = problem
        try:
            return await enabled_regions.listed(self._wire, self.who, home)
        except AwsProblem:
            how = f"deploy `{TEMPLATES} audit-role` anew, or name the regions in [aws] regions"
            said = f"{reason(first)}; only {home} is looked at then"
            self._say(AUDIT, outcome(first), "ec2:DescribeRegions", said, how, detail=first)
            return (home,)

    async def _list(self, region: str) -> AwsProblem | None:
        try:
            await self._wire.ask(self.who, functions(region), bytes)
        except AwsProblem as problem:
            return problem
        return None

    def _say_of_regions(self, answers: Mapping[str, AwsProblem | None]) -> None:
        problems = [problem for problem in answers.values() if problem]
        everywhere = len(problems) == len(answers) and all(map(is_refusal, problems))
        for region, problem in answers.items():
            if problem is None:
                self._say(AUDIT, Outcome.OK, "lambda:ListFunctions", "answered", region=region)
                continue
            how = f"deploy `{TEMPLATES} audit-role` anew, which allows it"
            if is_of_organization(problem) or (is_refusal(problem) and not everywhere):
                how = "name the regions without it in [aws] regions, or have the policy that forbids it allow it"
            elif isinstance(problem, NotAccepted):
                how = "enable the region in that account, or name the regions without it in [aws] regions"
            elif outcome(problem) is Outcome.UNKNOWN:
                how = "look again in a minute; if it stays, look at the way from here to AWS in that region"
            said = reason(problem)
            self._say(AUDIT, outcome(problem), "lambda:ListFunctions", said, how, region=region, detail=problem)

    async def _permissions(self, at: Place) -> None:
        wanted = [probe for probe in PROBES if probe.needed(self._uses)]
        tried = [probe for probe in wanted if self._uses.paid or not probe.billed]
        asked = await asyncio.gather(*(self._try(probe, at) for probe in tried))
        for probe, problem in zip(tried, asked, strict=True):
            self._say_of(probe, problem)
        await self._without_asking([probe for probe in wanted if probe not in tried])

    async def _try(self, probe: Probe, at: Place) -> AwsProblem | None:
        """None where AWS lets us ask: what is asked for need not be there."""
        try:
            await self._wire.ask(self.who, probe.call(at), bytes)
        except Gone:
            return None
        except AwsProblem as problem:
            return problem
        return None

    def _say_of(self, probe: Probe, problem: AwsProblem | None) -> None:
        if problem is None:
            self._say(AUDIT, Outcome.OK, probe.permission, "answered", kind=_PERMISSIONS)
            return
        known = is_refusal(problem) or outcome(problem) is Outcome.UNKNOWN
        found = outcome(problem, Outcome.WARN if probe.without else Outcome.FAIL) if known else Outcome.UNKNOWN
        self._say(AUDIT, found, probe.permission, self._with_loss(probe, problem), self._how(problem), detail=problem)

    @staticmethod
    def _with_loss(probe: Probe, problem: AwsProblem) -> str:
        return f"{reason(problem)}; {probe.without}" if probe.without and is_refusal(problem) else reason(problem)

    @staticmethod
    def _how(problem: AwsProblem) -> str:
        if is_of_organization(problem):
            return "have the organization's policy allow it, or leave the account out under [aws.exclude]"
        if is_refusal(problem):
            return f"deploy `{TEMPLATES} audit-role` anew, which allows it"
        return "look again in a minute; AWS's words are in `--json`"

    async def _without_asking(self, billed: Sequence[Probe]) -> None:
        role = self._cloud.settings.role
        if not billed:
            return
        if not role:
            for probe in billed:
                price = f"{_BILLED}, at {probe.billed}"
                self._add(not_asked(AUDIT, probe.permission, price, "`--paid` asks it", places=(self._account,)))
            return
        arn = self._place(self._cloud.home_region).arn("iam", f"role/{role}", region=False)
        told = await self._simulate(arn, [probe.permission for probe in billed], "*")
        for probe in billed:
            found, said = _of(told, probe.permission)
            if found is Outcome.UNKNOWN:
                text = f"{_BILLED}, at {probe.billed}, and {said}"
                self._add(not_asked(AUDIT, probe.permission, text, "`--paid` asks it", places=(self._account,)))
            elif found is Outcome.OK:
                self._say(AUDIT, Outcome.OK, probe.permission, said, kind=_PERMISSIONS)
            else:
                found = Outcome.WARN if probe.without else Outcome.FAIL
                text = f"{said}; {probe.without}" if probe.without else said
                self._say(
                    AUDIT, found, probe.permission, text, f"deploy `{TEMPLATES} audit-role` anew, which allows it"
                )

    # ---- the fix role

    async def _fix_role(self, at: Place) -> None:
        role = self._cloud.settings.fix_role
        if not role:
            return
        what = f"role {role}"
        arguments = self._cloud.fix_role(self._account, session_name(self._uses.approver or IN_A_TERMINAL), _NOTHING)
        try:
            own = Ambient(self._cloud)
            await reads.assume_role(self._wire, own, self._cloud.home_region, arguments | {"DurationSeconds": "900"})
        except AwsProblem as problem:
            how = f"deploy `{TEMPLATES} fix-role` there, with HubAccount and ExternalId as they are here"
            said = f"{reason(problem)}; functions there cannot be fixed"
            self._say(FIX, outcome(problem), what, said, how, detail=problem)
            return
        self._say(FIX, Outcome.OK, what, "can be assumed")
        arn = at.arn("iam", f"role/{role}", region=False)
        on_function, on_role = at.arn("lambda", f"function:{NOBODY}"), at.arn("iam", f"role/{NOBODY}", region=False)
        questions: list[tuple[Sequence[str], str]] = [(_ON_FUNCTIONS, on_function), (_ON_ROLES, on_role)]
        if self._uses.budget and self._account == self._cloud.home_account():
            budget = at.arn("budgets", "budget/lamplighter-xray", region=False)
            questions.append((("budgets:ModifyBudget",), budget))
        told = await asyncio.gather(*(self._simulate(arn, actions, resource) for actions, resource in questions))
        for (names, _), answer in zip(questions, told, strict=True):
            self._say_of_writes(names, answer)

    def _say_of_writes(self, actions: Sequence[str], told: Mapping[str, tuple[Outcome, str]] | str) -> None:
        """What changes AWS is never tried."""
        for action in map(str, actions):
            found, said = _of(told, action)
            if found is Outcome.UNKNOWN:
                why = f"not tried, since it would change AWS; {said}"
                self._add(not_asked(FIX, action, why, places=(self._account,)))
            else:
                how = "" if found is Outcome.OK else f"deploy `{TEMPLATES} fix-role` anew, which allows it"
                self._say(FIX, found, action, said, how, kind="permissions of the fix role")

    async def _simulate(self, arn: str, actions: Sequence[str], resource: str) -> dict[str, tuple[Outcome, str]] | str:
        """By action; or why IAM's simulator did not tell."""
        question = {"PolicySourceArn": arn, "ResourceArns.member.1": resource}
        question |= {f"ActionNames.member.{number}": str(action) for number, action in enumerate(actions, 1)}
        policy = f"arn:{self._cloud.partition}:iam::aws:policy/{XRAY_WRITE_POLICY}"
        question |= context_entry(1, "iam:PolicyARN", policy)
        try:
            told = await all_simulated(self._wire, self.who, self._cloud.home_region, question)
        except AwsProblem as problem:
            return f"IAM's policy simulator did not tell ({reason(problem)})"
        return {action: by_simulator(said) for action, said in told.items()}

    # ---- saying

    def _place(self, region: str) -> Place:
        cloud = self._cloud
        return Place(cloud.partition, self._account, region, cloud.home_region, self._now)

    def _say(
        self,
        area: str,
        found: Outcome,
        what: str,
        said: str,
        mend: str = "",
        *,
        kind: str = "",
        region: str = "",
        detail: AwsProblem | None = None,
    ) -> None:
        place = f"{self._account} {region}".strip()
        told = str(detail) if detail else ""
        self._add(Diagnosis(area, found, what, said, mend, kind, (place,), detail=told))

    def _add(self, one: Diagnosis) -> None:
        self.found.append(one)


def _of(told: Mapping[str, tuple[Outcome, str]] | str, action: str) -> tuple[Outcome, str]:
    return (Outcome.UNKNOWN, told) if isinstance(told, str) else told.get(action, _SILENT)


def context_entry(number: int, key: str, value: str) -> dict[str, str]:
    """Of a question to the simulator."""
    entry = f"ContextEntries.member.{number}"
    named = {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues.member.1": value}
    return {f"{entry}.{name}": told for name, told in named.items()}

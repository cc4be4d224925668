"""One fix or undo under way: its steps, what came of them, and how it reads AWS and words its failures."""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from commands.aws import once, roles
from commands.aws.advice import advice
from commands.aws.asking import Patience, another
from commands.aws.clients import Clients
from commands.aws.current import AliasNow, Reading
from commands.aws.errors import AwsProblem, BadAnswer, Gone, Unreachable
from commands.aws.reader import Reader
from commands.aws.roles import Role
from storage.fixes import Receipt
from storage.models import MayWrite, TracingMode

log = logging.getLogger(__name__)
_T = TypeVar("_T")

REVISIONS = 3  # how often somebody else may change the function while we do


class StepName(StrEnum):
    """The steps of a fix in their order, and then those of an undo; those that are not needed are left out."""

    READ = "read"
    ROLE = "role"
    TRACING = "tracing"
    WAIT_IAM = "wait_iam"
    UPDATE = "update"
    READ_BACK = "read_back"
    PUBLISH = "publish"
    ALIAS = "alias"
    ALIAS_BACK = "alias_back"
    TRACING_BACK = "tracing_back"
    ROLE_BACK = "role_back"


@dataclass(frozen=True, slots=True)
class Step:
    """What is about to be done, for people."""

    name: StepName
    text: str


Steps = Generator[Step, None, _T]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, as read back."""

    before: TracingMode
    after: TracingMode
    role_may_write: MayWrite | None  # None: the role could not be read
    changed: bool  # by this fix, in an earlier run or this one
    attached_policy: str | None  # a managed policy's ARN or an inline policy's name; ours to take away again
    revision_id: str
    request_ids: tuple[str, ...]  # of the writes, as CloudTrail has them
    note: str  # what is not reached by this; "" where nothing is


class RemediationFailed(Exception):
    """A step failed; what was done before it stays done, and trying again is safe."""

    def __init__(
        self,
        step: StepName,
        reason: str,
        code: str,
        request_id: str,
        attached_policy: str | None,
        done: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.step = step
        self.reason = reason  # a sentence for people and the next step
        self.code = code  # AWS's error code, or "" where the refusal is ours
        self.request_id = request_id
        self.attached_policy = attached_policy
        self.done = done  # AWS's ids of the calls that had changed something before, those of earlier runs first


class FunctionGone(Exception):
    """The function does not exist any more."""

    def __init__(self, function_arn: str, attached_policy: str | None = None, request_id: str = "") -> None:
        super().__init__(f"{function_arn} was deleted meanwhile")
        self.function_arn = function_arn
        self.attached_policy = attached_policy
        self.request_id = request_id


@dataclass(slots=True)
class Fix:
    """One run: where it stands, how it asks AWS, and what it has changed."""

    reads: Clients
    writes: Clients
    arn: str
    patience: Patience
    iam_deadline: float
    update_deadline: float
    receipt: Receipt
    remember: Callable[[Receipt], None]
    again: str = "approve"  # what a person does to have it tried once more
    step: StepName = StepName.READ

    @property
    def reader(self) -> Reader:
        return Reader(self.reads, self.arn, self.patience, self.update_deadline)

    @property
    def name(self) -> str:
        return self.arn.split(":")[6]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def attached(self) -> str | None:
        return self.receipt.policy or None

    def begin(self, name: StepName, text: str) -> Step:
        self.step = name
        return Step(name, text)

    def keep(self, receipt: Receipt) -> None:
        """Remembered before AWS is asked for a change, and again when it has answered."""
        self.receipt = receipt
        self.remember(receipt)

    def wrote(self, what: str, request_id: str, receipt: Receipt | None = None) -> None:
        """AWS has changed something."""
        log.info("%s, request %s", what, request_id)
        kept = receipt or self.receipt
        self.keep(replace(kept, requests=(*kept.requests, request_id)))

    @contextmanager
    def needing(self, permission: str, whose: str = "audits") -> Iterator[None]:
        """Turns a refusal into this fix's failure."""
        try:
            yield
        except AwsProblem as problem:
            raise self.refused(problem, permission, whose) from problem

    def refused(self, problem: AwsProblem, permission: str, whose: str) -> Exception:
        if problem.code == "ResourceNotFoundException" and self._is_gone():
            return FunctionGone(self.arn, self.attached, problem.request_id)
        return self.failed(advice(problem, permission, whose, self.again), problem.code, problem.request_id)

    def _is_gone(self) -> bool:
        """It may have been a version or an alias that was not found."""
        try:
            self.reader.configuration()
        except Gone:
            return True
        except AwsProblem:
            return False
        return False

    def failed(self, reason: str, code: str = "", request_id: str = "") -> RemediationFailed:
        return RemediationFailed(self.step, reason, code, request_id, self.attached, self.receipt.requests)

    def insist(self, attempt: Callable[[], _T], permission: str) -> _T:
        """`attempt` reads what it depends on and writes; again while AWS is busy or somebody else was quicker.

        It reads with the methods below, whose refusals are the audit role's and not those of `permission`.
        """
        busy, revisions = self.patience.pauses(self.update_deadline), iter(range(REVISIONS))
        while True:
            try:
                return attempt()
            except AwsProblem as refusal:
                if not (another(revisions) if stale(refusal) else refusal.transient and another(busy)):
                    raise self.refused(refusal, permission, "fixes") from refusal

    def read_function(self, qualifier: str = "") -> Reading:
        with self.needing("lambda:GetFunctionConfiguration"):
            return self.reader.configuration(qualifier)

    def find(self, version: str) -> Reading | None:
        """None where the function has no such version."""
        with self.needing("lambda:GetFunctionConfiguration"):
            try:
                return self.reader.configuration(version)
            except Gone:
                self.reader.configuration()  # Gone too where it is the function that is
                return None

    def read_aliases(self) -> tuple[AliasNow, ...]:
        with self.needing("lambda:ListAliases"):
            return self.reader.aliases()

    def read_role(self, arn: str) -> Role | None:
        """None where AWS will not show it."""
        with self.needing("iam:GetRole"):
            return self.reader.role(arn)

    def wait_for_update(self) -> None:
        """IAM: lambda:GetFunctionConfiguration; Lambda's own waiter would need lambda:GetFunction, which shows code."""
        pauses = self.patience.pauses(self.update_deadline)
        while (reading := self.read_function()).status == "InProgress":
            if not another(pauses):
                reason = f"Lambda has not finished the update after {self.update_deadline:.0f} seconds."
                raise self.failed(f"{reason} {self.again.capitalize()} again in a few minutes.")
        if reading.status == "Failed":
            reason = reading.status_reason or "it gives no reason"
            raise self.failed(f"Lambda could not finish the update: {reason} Mend that, then {self.again} again.")

    def read_back(self, wanted: TracingMode = TracingMode.ACTIVE) -> Reading:
        reading = self.read_function()
        if reading.mode is not wanted:
            text = f"Lambda took the change, but `{self.name}` is {reading.mode} again: something else set it back."
            text += f" Look for a deployment that ran at the same time, then {self.again} again."
            raise self.failed(text)
        return reading

    def read_role_back(self, arn: str) -> Role | None:
        pauses = self.patience.pauses(self.iam_deadline)
        once.forget_roles()
        while (role := self.read_role(arn)) is not None:
            if roles.granted(role, account=self.account) or role.policies_unknown:
                break
            if not another(pauses):
                reason = f"{self.attached} was given to role `{role.name}`, but IAM does not show it."
                raise self.failed(f"{reason} Look at the role, then {self.again} again.")
            once.forget_roles()
        return role


def stale(problem: AwsProblem) -> bool:
    """Whether somebody else has changed the function since it was read. AWS may compare the code first."""
    return problem.code == "PreconditionFailedException" or "is different from current CodeSHA256" in problem.message


def unsure(problem: AwsProblem) -> bool:
    """Whether AWS may have done what was asked for, though the answer does not say so."""
    return isinstance(problem, Unreachable | BadAnswer) or problem.status >= 500

"""One fix under way: its steps, what came of them, and how it reads AWS and words its failures."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from commands.aws import current, one_role, roles
from commands.aws.asking import Patience, another
from commands.aws.clients import Clients
from commands.aws.current import Reading
from commands.aws.errors import AwsProblem, Denied, NotAccepted
from commands.aws.roles import Role
from storage.models import MayWrite, TracingMode

log = logging.getLogger(__name__)
_T = TypeVar("_T")


class StepName(StrEnum):
    """The steps of a fix, in their order; those that are not needed are left out."""

    READ = "read"
    ROLE = "role"
    TRACING = "tracing"
    WAIT_IAM = "wait_iam"
    UPDATE = "update"
    READ_BACK = "read_back"


@dataclass(frozen=True, slots=True)
class Step:
    """What is about to be done, for people."""

    name: StepName
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, as read back."""

    before: TracingMode
    after: TracingMode
    role_may_write: MayWrite
    changed: bool  # by this run; a run that resumes after a crash may find nothing left to do
    attached_policy: str | None  # a managed policy's ARN or an inline policy's name; ours to take away again
    revision_id: str
    request_ids: tuple[str, ...]  # of the writes, as CloudTrail has them
    note: str  # what is not reached by this; "" where nothing is


class RemediationFailed(Exception):
    """A step failed; what was done before it stays done, and approving again is safe."""

    def __init__(self, step: StepName, reason: str, code: str, request_id: str, attached_policy: str | None) -> None:
        super().__init__(reason)
        self.step = step
        self.reason = reason  # a sentence for people and the next step
        self.code = code  # AWS's error code, or "" where the refusal is ours
        self.request_id = request_id
        self.attached_policy = attached_policy


class FunctionGone(Exception):
    """The function does not exist any more."""

    def __init__(self, function_arn: str, attached_policy: str | None = None) -> None:
        super().__init__(f"{function_arn} was deleted meanwhile")
        self.function_arn = function_arn
        self.attached_policy = attached_policy


@dataclass(slots=True)
class Fix:
    """One run: where it stands, and how it asks AWS."""

    reads: Clients
    writes: Clients
    arn: str
    patience: Patience
    iam_deadline: float
    update_deadline: float
    step: StepName = StepName.READ
    attached: str | None = None
    request_ids: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.arn.split(":")[6]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    def begin(self, name: StepName, text: str) -> Step:
        self.step = name
        return Step(name, text)

    def ask(self, call: Callable[[], _T]) -> _T:
        return self.patience.ask(call, self.update_deadline)

    @contextmanager
    def needing(self, permission: str, whose: str = "audits") -> Iterator[None]:
        """Turns a refusal into this fix's failure."""
        try:
            yield
        except AwsProblem as problem:
            raise self.refused(problem, permission, whose) from problem

    def refused(self, problem: AwsProblem, permission: str, whose: str) -> Exception:
        if problem.code == "ResourceNotFoundException":
            return FunctionGone(self.arn, self.attached)
        return self.failed(_advice(problem, permission, whose), problem.code, problem.request_id)

    def failed(self, reason: str, code: str = "", request_id: str = "") -> RemediationFailed:
        return RemediationFailed(self.step, reason, code, request_id, self.attached)

    def wrote(self, what: str, request_id: str) -> None:
        self.request_ids.append(request_id)
        log.info("%s, request %s", what, request_id)

    def read_function(self) -> Reading:
        with self.needing("lambda:GetFunctionConfiguration"):
            return self.ask(lambda: current.read_configuration(self.reads.lambda_, self.arn))

    def read_role(self, arn: str) -> Role:
        with self.needing("iam:GetRole"):
            return self.ask(lambda: one_role.read_role(self.reads.iam, arn))

    def wait_for_update(self) -> None:
        """IAM: lambda:GetFunctionConfiguration; Lambda's own waiter would need lambda:GetFunction, which shows code."""
        pauses = self.patience.pauses(self.update_deadline)
        while (reading := self.read_function()).status == "InProgress":
            if not another(pauses):
                reason = f"Lambda has not finished the update after {self.update_deadline:.0f} seconds."
                raise self.failed(f"{reason} Approve again in a few minutes.")
        if reading.status == "Failed":
            reason = reading.status_reason or "it gives no reason"
            raise self.failed(f"Lambda could not finish the update: {reason} Mend that, then approve again.")

    def read_back(self) -> Reading:
        reading = self.read_function()
        if reading.mode is not TracingMode.ACTIVE:
            text = f"Lambda took the change, but `{self.name}` is {reading.mode} again: something else set it back."
            raise self.failed(f"{text} Look for a deployment that ran at the same time, then approve again.")
        return reading

    def read_role_back(self, arn: str) -> Role:
        pauses = self.patience.pauses(self.iam_deadline)
        while not (roles.granted(role := self.read_role(arn), account=self.account) or role.policies_unknown):
            if not another(pauses):
                raise self.failed(f"{self.attached} was given to role `{role.name}`, but IAM does not show it.")
        return role


def _advice(problem: AwsProblem, permission: str, whose: str) -> str:
    """What a person can do about it. `permission` is what the call needed, `whose` credentials it was made with."""
    if problem.code.startswith("ExpiredToken"):
        return f"The credentials for {whose} ran out ({problem.code}). Approve again."
    if isinstance(problem, Denied) and not isinstance(problem, NotAccepted):
        return f"The credentials for {whose} lack {permission} ({problem.code}). Allow it, then approve again."
    if problem.code == "NoSuchEntity":
        return f"IAM does not have it: {problem.message} Give the function a role that exists, then approve again."
    if problem.transient:
        return f"AWS is too busy or does not answer ({problem.code}). Approve again in a few minutes."
    return f"AWS could not be asked or refused ({problem.code}): {problem.message}"

"""Making or changing the one AWS Budget that Lamplighter keeps: with `remediation` and `undoing`, the only writes.

It is done under the fix role of the account that the bot runs in, cut down to that budget, and read back before anybody
says that it is done. IAM: budgets:ModifyBudget for the fix role, budgets:ViewBudget for the bot's own credentials.
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from commands.aws import billing
from commands.aws.asking import Patience, another, ask
from commands.aws.budgets import Budgets, as_notification
from commands.aws.cost_explorer import XRAY
from commands.aws.errors import AwsProblem, Denied, NotAccepted
from storage.aws_budgets import MOST_ALARMS, OURS, AwsBudget, BudgetAlarm, WantedBudget

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

log = logging.getLogger(__name__)
_READ_BACK_SECONDS = 15.0
_AGAIN = "Open the form and send it again"
# By AWS's code: what is the matter, and the next step. `{0}` is AWS's own message.
_SENTENCES = {
    "CreationLimitExceededException": (
        "The account has as many budgets, or the budget as many notifications, as AWS allows.",
        "Delete one that nobody needs, then send the form again",
    ),
    "ServiceQuotaExceededException": ("A quota of AWS Budgets is used up: {0}", "Ask AWS for more"),
    "InvalidParameterException": (
        "AWS does not take this budget: {0}",
        "Mend what AWS names (an SNS topic has to exist and to let budgets.amazonaws.com publish), then send it again",
    ),
    "NotFoundException": ("Somebody deleted the budget at the same time.", _AGAIN),
    "DuplicateRecordException": ("Somebody else changed the budget at the same time.", _AGAIN),
}


@dataclass(frozen=True, slots=True)
class BudgetSet:
    """What came of it, as read back."""

    before: AwsBudget | None  # None: there was none
    after: AwsBudget
    requests: tuple[str, ...]  # AWS's ids of the writes
    left: tuple[BudgetAlarm, ...]  # alarms that were to go and have e-mail subscribers: they are not ours to take


class BudgetFailed(Exception):
    """It could not be set; `str()` is a sentence and the next step."""

    def __init__(
        self, reason: str, code: str = "", before: AwsBudget | None = None, requests: tuple[str, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.reason, self.code, self.before, self.requests = reason, code, before, requests


@dataclass(slots=True)
class _Writing:
    """One change under way."""

    client: Any
    account: str
    before: AwsBudget | None
    requests: tuple[str, ...] = ()

    def call(self, operation: str, **asked: Any) -> None:
        """Raises AwsProblem."""
        attempt: Callable[[], Any] = partial(getattr(self.client, operation), AccountId=self.account, **asked)
        action = "".join(word.title() for word in operation.split("_"))
        told = ask(attempt, account=self.account, service="budgets", action=action)
        request = str(told.get("ResponseMetadata", {}).get("RequestId", ""))
        log.info("%s of %s in account %s, request %s", action, OURS, self.account, request)
        self.requests = (*self.requests, request)


def read(cloud: "Cloud") -> AwsBudget | None:
    """The budget as it is now; None: there is none. Raises AwsProblem."""
    return Budgets(cloud).find(OURS)


def set_budget(
    cloud: "Cloud",
    wanted: WantedBudget,
    approver: str,
    still: Callable[[AwsBudget | None], bool],
    patience: Patience | None = None,
) -> BudgetSet:
    """Make or change the budget. `approver`: a Slack user id, which CloudTrail names. `still`: whether what is there is
    what the approver saw; else nothing is changed. Raises BudgetFailed."""
    writing = None
    try:
        budgets = Budgets(cloud)
        before = budgets.find(OURS)
        if not still(before):
            raise BudgetFailed(f"The budget was changed since you looked, and was left as it is. {_AGAIN}.", "", before)
        crowded = _crowded(before, wanted)
        if crowded:
            raise BudgetFailed(crowded, "", before)
        client = cloud.budgeter(budgets.account, billing.region(cloud), OURS, approver)
        writing = _Writing(client, budgets.account, before)
        left = _write(writing, budgets, wanted)
        after = _read_back(budgets, wanted, left, patience or cloud.patience)
    except AwsProblem as problem:
        raise _failed(problem, writing) from problem
    if after is None:
        reason = "AWS took the change, but does not show it yet. Look at `/trace-budget` in a few minutes."
        raise BudgetFailed(reason, "", writing.before, writing.requests)
    return BudgetSet(before, after, writing.requests, left)


def _write(writing: _Writing, budgets: Budgets, wanted: WantedBudget) -> tuple[BudgetAlarm, ...]:
    """The alarms that were left because people are told by them."""
    definition = _definition(wanted)
    if writing.before is None:
        told = [{"Notification": as_notification(one), "Subscribers": _topic(one)} for one in wanted.alarms]
        try:
            writing.call("create_budget", Budget=definition, NotificationsWithSubscribers=told)
            return ()
        except AwsProblem as problem:
            if problem.code != "DuplicateRecordException":
                raise
            writing.before = budgets.find(OURS)  # somebody else was quicker
    writing.call("update_budget", NewBudget=definition)
    return _set_alarms(writing, wanted)


def _set_alarms(writing: _Writing, wanted: WantedBudget) -> tuple[BudgetAlarm, ...]:
    """Those that are wanted are there, and others are not: but what tells people by e-mail stays as it is."""
    there, theirs = (writing.before.alarms if writing.before else None) or (), _theirs(writing.before, wanted)
    kept = {_same(one) for one in theirs}
    for one in there:
        if one not in wanted.alarms and not one.people:
            writing.call("delete_notification", BudgetName=OURS, Notification=as_notification(one))
    for one in wanted.alarms:
        if one not in there and _same(one) not in kept:
            writing.call(
                "create_notification", BudgetName=OURS, Notification=as_notification(one), Subscribers=_topic(one)
            )
    return theirs


def _theirs(before: AwsBudget | None, wanted: WantedBudget) -> tuple[BudgetAlarm, ...]:
    """Alarms that are not wanted as they are, and stay, because people are told by them."""
    return tuple(one for one in (before.alarms if before else None) or () if one.people and one not in wanted.alarms)


def _crowded(before: AwsBudget | None, wanted: WantedBudget) -> str:
    """Why there is no room for the alarms, before anything is changed; empty where there is."""
    theirs = _theirs(before, wanted)
    kept = {_same(one) for one in theirs}
    if len(theirs) + sum(_same(one) not in kept for one in wanted.alarms) <= MOST_ALARMS:
        return ""
    return (
        f"AWS takes {MOST_ALARMS} alarms for a budget, and {len(theirs)} with e-mail subscribers stay. Ask for fewer, "
        "or delete some in the console of AWS Budgets."
    )


def _read_back(
    budgets: Budgets, wanted: WantedBudget, left: tuple[BudgetAlarm, ...], patience: Patience
) -> AwsBudget | None:
    """None where AWS goes on showing something else."""
    kept = {_same(one) for one in left}
    alarms = tuple(sorted([*left, *(one for one in wanted.alarms if _same(one) not in kept)]))
    pauses = patience.pauses(_READ_BACK_SECONDS)
    while True:
        found = budgets.find(OURS)
        if found and _is(found, wanted) and found.alarms == alarms:
            return found
        if not another(pauses):
            return None


def _is(found: AwsBudget, wanted: WantedBudget) -> bool:
    watched = tuple(sorted({XRAY, *wanted.watches}))
    return (found.limit, found.unit, found.period, found.watches) == (wanted.usd, "USD", "MONTHLY", watched)


def _definition(wanted: WantedBudget) -> dict[str, Any]:
    watches: dict[str, Any] = {"Dimensions": {"Key": "SERVICE", "Values": [XRAY]}}
    if wanted.watches:
        types = {"Dimensions": {"Key": "USAGE_TYPE", "Values": list(wanted.watches)}}
        watches = {"Or": [watches, types]}
    return {
        "BudgetName": OURS,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": f"{wanted.usd:f}", "Unit": "USD"},
        "FilterExpression": watches,
        "Metrics": ["UnblendedCost"],
    }


def _topic(alarm: BudgetAlarm) -> list[dict[str, str]]:
    return [{"SubscriptionType": "SNS", "Address": alarm.topic}]


def _same(alarm: BudgetAlarm) -> BudgetAlarm:
    """By what AWS tells one from another."""
    return replace(alarm, topic="", people=0)


def _failed(problem: AwsProblem, writing: _Writing | None) -> BudgetFailed:
    return BudgetFailed(
        _reason(problem), problem.code, writing.before if writing else None, writing.requests if writing else ()
    )


def _reason(problem: AwsProblem) -> str:
    if problem.own_words:
        return f"{str(problem).rstrip('.')}."
    if problem.transient:
        return f"AWS is too busy or does not answer ({problem.code}). Send the form again in a few minutes."
    if isinstance(problem, Denied) and problem.action == "AssumeRole":
        return (
            f"The fix role could not be assumed in account {problem.account} ({problem.code}). Deploy it in this "
            "account too, with budgets:ModifyBudget and the trust that it has elsewhere, then send the form again."
        )
    if isinstance(problem, Denied) and not isinstance(problem, NotAccepted):
        return (
            f"The fix role in account {problem.account} lacks budgets:ModifyBudget ({problem.code}). Allow it on the "
            f"budget {OURS}, then send the form again."
        )
    what, step = _SENTENCES.get(problem.code, (f"AWS refused it: {problem}", "Mend that, then send the form again"))
    return f"{what.format(problem.message).rstrip('.')}. {step}."

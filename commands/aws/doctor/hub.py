"""What the bot's own credentials may do: the queue of events, bills, budgets and prices.

Each question is one call, and changes nothing: no message is received, and what AWS bills is asked only of who is ready
to pay. What cannot be tried, the policy simulator is asked about (see `own`).
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from commands.aws import billing
from commands.aws.asking import ask
from commands.aws.credentials import acting
from commands.aws.doctor.words import BILLS, EVENTS, TEMPLATES, Uses, is_refusal, not_asked, outcome, reason
from commands.aws.errors import AwsProblem, Gone
from commands.aws.prices import PRICE_LIST_REGION
from commands.aws.queue import Queue, QueueFacts
from storage.diagnosis import Diagnosis, Outcome

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

_LEAST_VISIBILITY = 60  # seconds: less, and what is being looked at comes again
_MANY = 1000  # messages that wait: a bot that listens takes that many in seconds
_HUB = f"deploy `{TEMPLATES} hub-role` anew"
Check = Callable[["Cloud", Uses, datetime], Iterator[Diagnosis]]


def checks(uses: Uses) -> Iterator[tuple[str, str, Check]]:
    """Those that the settings ask for: area, what is asked for, and the check."""
    yield BILLS, "pricing:GetProducts", _prices
    yield BILLS, "budgets:ViewBudget", _budgets
    if uses.spend and uses.paid:
        yield BILLS, "ce:GetCostAndUsage", _costs
    if uses.queue_url:
        yield EVENTS, "the queue", _queue


# ---- bills and prices


def _prices(cloud: "Cloud", uses: Uses, now: datetime) -> Iterator[Diagnosis]:  # noqa: ARG001 - a Check's shape
    asked = {"ServiceCode": "AWSXRay", "FormatVersion": "aws_v1", "MaxResults": 1}
    yield _told(
        BILLS,
        "pricing:GetProducts",
        lambda: cloud.client("pricing", PRICE_LIST_REGION, attempts=1).get_products(**asked),
        "a dated table serves then",
        f"{_HUB}, which allows it",
    )


def _budgets(cloud: "Cloud", uses: Uses, now: datetime) -> Iterator[Diagnosis]:  # noqa: ARG001 - a Check's shape
    account = cloud.home_account()
    region = billing.region(cloud)
    yield _told(
        BILLS,
        "budgets:ViewBudget",
        lambda: cloud.client("budgets", region, attempts=1).describe_budgets(AccountId=account, MaxResults=1),
        "AWS's own budgets are not shown then",
        f"{_HUB} with Bills=yes",
    )


def _costs(cloud: "Cloud", uses: Uses, now: datetime) -> Iterator[Diagnosis]:  # noqa: ARG001 - a Check's shape
    today = now.date()
    days = {"Start": str(today - timedelta(days=1)), "End": str(today)}
    costs = {"TimePeriod": days, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}
    names = {"TimePeriod": days, "Dimension": "SERVICE", "MaxResults": 1}
    region = billing.region(cloud)

    def client() -> Any:
        return cloud.client("ce", region, attempts=1)

    for action, call in (
        ("ce:GetCostAndUsage", lambda: client().get_cost_and_usage(**costs)),
        ("ce:GetDimensionValues", lambda: client().get_dimension_values(**names)),
    ):
        how = (
            f"{_HUB} with Bills=yes (a member account also needs the payer's leave), or set enabled = false in [spend]"
        )
        yield _told(BILLS, action, call, "what tracing has cost is not known then", how, said="answered, for $0.01")


def _told(
    area: str, action: str, call: Callable[[], Any], without: str, mend: str, said: str = "answered"
) -> Diagnosis:
    try:
        with acting(None):
            ask(call)
    except Gone:
        return Diagnosis(area, Outcome.OK, action, said)
    except AwsProblem as problem:
        refused = is_refusal(problem)
        found = outcome(problem, Outcome.WARN) if refused else Outcome.UNKNOWN
        lost = f"{reason(problem)}; {without}" if refused else reason(problem)
        return Diagnosis(area, found, action, lost, mend, detail=str(problem))
    return Diagnosis(area, Outcome.OK, action, said)


# ---- events


def _queue(cloud: "Cloud", uses: Uses, now: datetime) -> Iterator[Diagnosis]:  # noqa: ARG001 - a Check's shape
    queue = Queue(cloud, uses.queue_url, uses.queue_region)
    try:
        facts = queue.facts()
    except AwsProblem as problem:
        how = f"{_HUB} with Queue=the queue's ARN, or correct [events] queue_url"
        if not is_refusal(problem):
            how = "correct [events] queue_url and region: it is output QueueUrl of the template event-hub"
        yield Diagnosis(EVENTS, outcome(problem), "queue", reason(problem), how, detail=str(problem))
        return
    yield _waiting("queue", facts)
    if facts.visibility_seconds < _LEAST_VISIBILITY:
        said = f"what was received and is not deleted comes again after {facts.visibility_seconds} s already"
        yield Diagnosis(EVENTS, Outcome.WARN, "visibility timeout", said, "set the queue's visibility timeout to 120 s")
    else:
        yield Diagnosis(EVENTS, Outcome.OK, "visibility timeout", f"{facts.visibility_seconds} s")
    yield from _dead_letters(cloud, facts)


def _messages(number: int) -> str:
    return f"{number:,} message{'' if number == 1 else 's'}"


def _waiting(what: str, facts: QueueFacts) -> Diagnosis:
    said = f"{_messages(facts.waiting)} waiting, {facts.in_flight:,} being looked at"
    if facts.waiting < _MANY:
        return Diagnosis(EVENTS, Outcome.OK, what, said)
    return Diagnosis(EVENTS, Outcome.WARN, what, said, "see that one bot runs; its log says what it does with them")


def _dead_letters(cloud: "Cloud", facts: QueueFacts) -> Iterator[Diagnosis]:
    what = "dead-letter queue"
    if not facts.dead_letters:
        said = "there is none: a message that cannot be read comes again and again until it is too old"
        yield Diagnosis(EVENTS, Outcome.WARN, what, said, "give the queue a redrive policy with a maxReceiveCount of 5")
        return
    try:
        dead = Queue(cloud, facts.dead_letters_url, facts.dead_letters.split(":")[3]).facts()
    except AwsProblem as problem:
        how = f"{_HUB}, which allows sqs:GetQueueAttributes on it too"
        if isinstance(problem, Gone):
            how = f"make it: `{TEMPLATES} event-hub` does"
        found = outcome(problem) if isinstance(problem, Gone) else Outcome.UNKNOWN
        said = f"how much is in it is not known: {reason(problem)}"
        yield Diagnosis(EVENTS, found, what, said, how, detail=str(problem))
        return
    if dead.waiting:
        said = f"{_messages(dead.waiting)} in it that nobody could read, or that could not be delivered"
        yield Diagnosis(EVENTS, Outcome.WARN, what, said, "look at them in SQS's console, and purge it")
    else:
        yield Diagnosis(EVENTS, Outcome.OK, what, f"empty; after {facts.most_receives} receives a message goes there")


def rules_out_of_sight() -> Diagnosis:
    """EventBridge's rules are in every account and region, and no role of ours may read them."""
    return not_asked(
        EVENTS,
        "rules that lead to the queue",
        "no role of the bot may read them",
        f"deploy a function: its event comes within a minute, else deploy `{TEMPLATES} event-forwarding` anew",
    )

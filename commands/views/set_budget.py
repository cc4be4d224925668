"""The modal that sets the AWS budget of X-Ray, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from commands.views import blocks
from commands.views.amounts import dollars
from commands.views.blocks import Block
from commands.views.budget import budget_line
from commands.views.text import clip, code, count, listing, mention, prose, sentence
from storage.aws_budgets import OURS, AwsBudget, BudgetAlarm, Comparison, WantedBudget

CALLBACK = "aws-budget-form"
TITLE = "Set the AWS budget"
USD, ACTUAL, FORECAST, TOPIC = "budget-usd", "budget-actual", "budget-forecast", "budget-topic"
USD_LIMIT, PERCENTS_LIMIT, TOPIC_LIMIT = 15, 60, 350
SHOWN = 5


@dataclass(frozen=True, slots=True)
class BudgetForm:
    """What the form begins with."""

    usd: Decimal | None
    actual: Sequence[int]  # percent
    forecast: Sequence[int]
    topic: str
    now: AwsBudget | None  # None: there is none yet
    account: str
    usage_types: int  # of Transaction Search, which it will watch beside X-Ray
    metadata: str


def loading() -> Block:
    """Shown within Slack's three seconds."""
    return _modal([blocks.section("Asking AWS which budget there is…")])


def budget_form(shown: BudgetForm) -> Block:
    made = [
        blocks.section(_now(shown)),
        _input(USD, "US dollars a month", _plain(shown.usd), USD_LIMIT, "200"),
        _input(TOPIC, "SNS topic", shown.topic, TOPIC_LIMIT, _TOPIC_LIKE, hint=_TOPIC_HINT, optional=True),
        _percents(ACTUAL, "Tell it at these percentages of the actual cost", shown.actual, "80, 100"),
        _percents(FORECAST, "Tell it at these percentages of the forecast", shown.forecast, "100"),
        blocks.context(_what_happens(shown)),
    ]
    submit = {"type": "plain_text", "text": "Set budget"}
    return {**_modal(made), "callback_id": CALLBACK, "private_metadata": shown.metadata, "submit": submit}


_TOPIC_LIKE = "arn:aws:sns:us-east-1:111122223333:finops"
_TOPIC_HINT = (
    "Its ARN; its policy has to let budgets.amazonaws.com publish. Left empty, AWS tells nobody. E-mail subscribers "
    "are not taken here, for Lamplighter keeps no addresses: add them in the console of AWS Budgets."
)


def _plain(usd: Decimal | None) -> str:
    """As people write it: "200", and not "200.0"."""
    if usd is None:
        return ""
    return f"{usd:.0f}" if usd == usd.to_integral_value() else f"{usd:f}"


def _now(shown: BudgetForm) -> str:
    where = f"in account {code(shown.account)}"
    if shown.now is None:
        return f"There is no budget {code(OURS)} {where} yet. It is made."
    lines = [f"The budget {where} is changed: {budget_line(shown.now)}"]
    alarms = shown.now.alarms or ()
    if alarms:
        lines.append(f"AWS tells at: {listing([alarm_words(one) for one in alarms], SHOWN)}.")
    people = [one for one in alarms if one.people]
    if people:
        lines.append(f"{count(len(people), 'alarm')} that tell people by e-mail stay as they are.")
    others = [one for one in alarms if not one.people and not one.ours]
    if others:
        lines.append(
            f"*Set budget* takes away what the form cannot say: {listing(list(map(alarm_words, others)), SHOWN)}."
        )
    return "\n".join(lines)


def _what_happens(shown: BudgetForm) -> str:
    types = f" and {count(shown.usage_types, 'usage type')} of Transaction Search" if shown.usage_types else ""
    return (
        f"It watches the service AWS X-Ray{types}, as unblended cost, credits and taxes as AWS counts them. *Set "
        "budget* changes it in AWS under the fix role, with your Slack user id as source identity, reads it back and "
        "says so in Slack; it is recorded who set what. The thresholds that Lamplighter itself tells of are "
        "`[budget]` in lamplighter.toml, and stay as they are."
    )


_COMPARED = {Comparison.GREATER_THAN: "", Comparison.LESS_THAN: "less than ", Comparison.EQUAL_TO: "exactly "}


def alarm_words(alarm: BudgetAlarm) -> str:
    """When AWS tells: "80 % of the actual cost", which is the common kind, and means more than that."""
    number = f"{alarm.threshold:,f}\N{NO-BREAK SPACE}%" if alarm.percent else f"{alarm.threshold:,f}"
    return f"{_COMPARED[alarm.comparison]}{number} of the {'forecast' if alarm.forecast else 'actual cost'}"


def wanted_words(wanted: WantedBudget) -> str:
    """For the history, plain text."""
    told = [alarm_words(one) for one in wanted.alarms]
    topic = f", told to {wanted.alarms[0].topic}" if wanted.alarms else ""
    return f"{dollars(wanted.usd)} a month{f'; {listing(told, 10)}{topic}' if told else '; AWS tells nobody'}"


def budget_words(one: AwsBudget | None) -> str:
    """For the history, plain text."""
    if one is None:
        return "none"
    limit = "no fixed limit" if one.limit is None else f"{one.limit:,.2f} {one.unit} {one.period}"
    return f"{limit}; {listing([alarm_words(alarm) for alarm in one.alarms or ()], 10) or 'AWS tells nobody'}"


def set_text(by: str, after: AwsBudget, left: int, requests: Sequence[str]) -> str:
    """What was read back."""
    alarms = listing([alarm_words(one) for one in after.alarms or ()], 10)
    told = f"AWS tells at {alarms}." if alarms else "AWS tells nobody of it."
    stay = f" {count(left, 'alarm')} with e-mail subscribers stayed as they were." if left else ""
    ids = f" CloudTrail: {listing([code(clip(one, 60)) for one in requests], 4)}." if requests else ""
    return f"*The AWS budget of X-Ray is set*, by {mention(by)}: {budget_line(after)}. {told}{stay}{ids}"


def failed_text(by: str, reason: str, *, partly: bool = False) -> str:
    """`partly`: AWS took a change before it refused one."""
    failed = "was set in part only" if partly else "was not set"
    return f"*The AWS budget of X-Ray {failed}*, asked for by {mention(by)}. {sentence(prose(clip(reason, 1000)))}"


def _percents(name: str, label: str, percents: Sequence[int], example: str) -> Block:
    hint = "Whole numbers with commas between; five of both kinds at most. They need a topic."
    value = ", ".join(map(str, percents))
    return _input(name, label, value, PERCENTS_LIMIT, example, hint=hint, optional=True)


def _modal(made: list[Block]) -> Block:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": TITLE},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": made,
    }


def _input(
    name: str, label: str, value: str, limit: int, example: str, *, hint: str = "", optional: bool = False
) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": name,
        "max_length": limit,
        "placeholder": {"type": "plain_text", "text": example},
    }
    if value:
        element["initial_value"] = value[:limit]
    made: Block = {
        "type": "input",
        "block_id": name,
        "label": {"type": "plain_text", "text": label},
        "element": element,
        "optional": optional,
    }
    return {**made, "hint": {"type": "plain_text", "text": hint}} if hint else made


def asked_text(where: str, usd: Decimal) -> str:
    """In the modal, while AWS is asked."""
    return f"Asking AWS for a budget of {dollars(usd)} a month. What came of it is posted in {where}."

"""`/trace-budget`: what tracing has cost, what it will, and what watches it. Costs nothing to ask: it reads memory."""

from datetime import UTC, timedelta

from commands._budget_alerts import end_of
from commands._purse import usd
from commands._types import Answer, Context, Progress, Request, Say
from commands.aws.budgets import Budgets
from commands.aws.cost_explorer import PRICE
from commands.aws.errors import AwsProblem
from commands.views.budget import BudgetShown, budget_blocks, budget_text
from storage.aws_budgets import AwsBudget
from storage.months import months_before
from storage.spend import Billed

MONTHS = 6  # of the trend
ONE_TEAM = "A team's share stands under `/trace-report <team>`."


def budget(request: Request, context: Context) -> Answer:
    """Answer `/trace-budget`. AWS Budgets are asked, which knows of budgets that others made."""
    if request.text.strip():
        yield Say(f"`/trace-budget` takes no words: it shows all that X-Ray costs. {ONE_TEAM}")
        return
    yield Progress("Looking at what X-Ray costs, and asking AWS for its budgets…")
    aws: tuple[AwsBudget, ...] | None = None
    problem = ""
    try:
        aws = Budgets(context.cloud).watching()
    except AwsProblem as refused:
        problem = str(refused)
    shown = _shown(request, context, aws, problem)
    yield Say(budget_text(shown), tuple(budget_blocks(shown)))


def _shown(request: Request, context: Context, aws: tuple[AwsBudget, ...] | None, problem: str) -> BudgetShown:
    store, now, slot = context.store.spend, context.clock(), context.schedule.general.slot
    present = now.date().replace(day=1)
    billed = store.billed(months_before(present, MONTHS - 1))
    of_present = billed[-1] if billed and billed[-1].spent.month == present else None
    spent = of_present.spent if of_present else None
    asked, today = context.store.metrics_asked, now.astimezone(UTC).date()
    requests = store.requests_since(now - timedelta(days=30))
    return BudgetShown(
        month=present,
        budget=context.budget.monthly_usd,
        spent=spent,
        transaction_search=store.of_kind(present, Billed.TRANSACTION_SEARCH),
        end=end_of(context, spent) if spent else None,
        accounts=of_present.accounts if of_present else (),
        trend=tuple(one.spent for one in billed),
        alerts=store.alerts(present),
        look_up=store.last_asked(),
        requests=requests,
        requests_usd=requests * PRICE,
        metrics_usd=(usd(asked.between(today, today)), usd(asked.between(today - timedelta(days=29), today))),
        enabled=context.spending.enabled,
        when=f"at {slot}",
        aws=aws,
        aws_problem=problem,
        may_set=context.people.may_approve(request.user, request.workspace, None).allowed,
    )

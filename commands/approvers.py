"""Who may approve is looked at now and again, and kept where it is news: an auditor asks who could, months later."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from commands._types import Answer, Context, Progress, Request
from storage.approvers import ApprovalRules

APPROVERS = "who-may-approve"
EVERY = timedelta(hours=1)  # and at the start; for each group that the settings name, Slack is asked once


def look(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Keep who may approve now."""
    rules = context.people.rules()
    if rules is None:
        return
    if keep(context, rules):
        yield Progress(f"who may approve is another: {len(rules.everybody())} people{_unread(rules.unread)}")


def keep(context: Context, rules: ApprovalRules) -> bool:
    """With what else [policy] says of approvals; True where it is news."""
    policy, grace = context.policy, context.policy.grace
    rules = replace(
        rules,
        two_people=str(policy.two_people),
        exemption_two_people=str(policy.exemption_two_people),
        grace_days=grace.days,
        grace_teams=None if grace.all_teams else grace.teams,
    )
    return context.store.approvers.seen(rules, context.clock())


def _unread(groups: Iterable[str]) -> str:
    named = ", ".join(groups)
    return f"; Slack did not say who is in {named}" if named else ""

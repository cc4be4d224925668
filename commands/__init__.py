"""What can be asked of Lamplighter. COMMANDS is the table of contents: whoever reads it knows the product.

A file of this folder is a command, or a few that belong together; `_….py` is what commands share, `aws` asks AWS and
changes it, `views` says how answers look.

The table is made when it is first asked for: an audit in a terminal needs one entry's work, and no other's modules.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands._types import Entry

COMMANDS: "tuple[Entry, ...]"


def _table() -> "tuple[Entry, ...]":
    from commands import (
        _exempt_form,
        approvers,
        assign,
        audit,
        budget,
        chain,
        confirm,
        custom_metrics,
        deny,
        deployed,
        digest,
        evidence,
        exempt,
        exemption_clock,
        exemption_list,
        expire,
        extend,
        fix,
        forecast_check,
        grace,
        history,
        home,
        incidents,
        menu,
        not_these,
        owners,
        patch,
        report,
        review,
        set_budget,
        snooze,
        spend,
        stop,
        tips,
        trace_map,
        undo,
        usage,
    )
    from commands._types import Button, Clock, Event, Form, Slash
    from commands.views import assign as assign_view
    from commands.views import budget as budget_view
    from commands.views import deny as deny_view
    from commands.views import deployed as deployed_view
    from commands.views import exemptions as exemption_view
    from commands.views import grace as notice
    from commands.views import home as home_view
    from commands.views import owners as owners_view
    from commands.views import review as form
    from commands.views import set_budget as set_budget_view
    from commands.views import snooze as snooze_view
    from commands.views.actions import APPROVE, CANCEL, DENY, EXEMPT, SHOW_PATCH, UNDO
    from commands.views.batch import STOP
    from commands.views.digest import REVIEW
    from commands.views.exempt import CALLBACK, EXEMPT_SOME
    from commands.views.exempt import FIELDS as EXEMPT_FIELDS
    from commands.views.living import END_SNOOZE, MENU
    from commands.views.tips import DISMISS

    return (
        # ---- An audit, each team's digest and what a digest's rows offer
        Slash(
            "/trace-audit",
            usage="[team or function] [on <date>] | doctor",
            summary="Shows which Lambda functions are traced, or were: all, a team's, or one with its buttons. "
            "For approvers, doctor says what is not set up right.",
            examples=(
                "/trace-audit",
                "/trace-audit payments",
                "/trace-audit refund-worker",
                "/trace-audit payments on 2026-10-03",
                "/trace-audit doctor",
            ),
            run=audit.audit,
        ),
        Clock(digest.DAILY, digest.daily),
        Button(MENU, menu.choose, opens_form=True, decides=True),
        Form(snooze_view.CALLBACK, check=snooze.check, run=snooze.snooze, decides=True),
        Button(END_SNOOZE, snooze.end, decides=True),
        Button(SHOW_PATCH, patch.show, opens_form=True),
        # ---- What AWS's events tell of, between two audits
        Button(deployed_view.NOT_OURS, deployed.not_ours),
        # ---- A fix: asked for, decided on, carried out, taken back
        Slash(
            "/trace-fix",
            usage="<function> [account] [region] [reason]",
            summary="Asks the team's approvers, in the team's channel, to turn on active tracing for a function.",
            examples=(
                "/trace-fix refund-worker",
                "/trace-fix refund-worker 111122223333 eu-central-1 we were blind in OPS-1234",
            ),
            run=fix.fix,
        ),
        Button(APPROVE, fix.approve, decides=True),
        Button(DENY, deny.open_form, opens_form=True, decides=True),
        Form(deny_view.CALLBACK, check=deny.check, run=deny.deny, decides=True),
        Button(CANCEL, deny.cancel, decides=True),
        Button(UNDO, undo.undo, decides=True),
        Clock(expire.EXPIRE, expire.expire, every=expire.EVERY),
        # ---- Many fixes at once
        Button(REVIEW, review.open_review, opens_form=True, decides=True),
        *(Button(field, review.look_again, opens_form=True, decides=True) for field in form.FIELDS),
        Form(form.CALLBACK, check=review.check, run=review.submit, decides=True),
        Button(STOP, stop.stop, decides=True),
        # ---- Fixes that nobody has to click for: [policy.grace]
        Clock(grace.GRACE, grace.grace, every=grace.EVERY),
        Button(notice.NOT_THESE, not_these.open_form, opens_form=True, decides=True),
        Form(notice.CALLBACK, check=deny.check, run=not_these.not_these, decides=True),
        # ---- Exemptions: granted, confirmed by a second person, listed, extended, ended
        Slash(
            "/trace-exempt",
            usage="<function> | list [team] | revoke <function or id> [reason]",
            summary="Exempts functions from tracing for a reason and until a date; lists exemptions, and ends one.",
            examples=(
                "/trace-exempt refund-worker",
                "/trace-exempt list payments",
                "/trace-exempt revoke refund-worker it is traced by hand now",
            ),
            run=exempt.exempt,
            opens_form=True,
        ),
        Button(EXEMPT, exempt.open_form, opens_form=True, decides=True),
        Button(EXEMPT_SOME, exempt.open_some, opens_form=True, decides=True),
        *(Button(field, exempt.look_again, opens_form=True, decides=True) for field in EXEMPT_FIELDS),
        Form(CALLBACK, check=_exempt_form.check, run=exempt.grant, decides=True),
        Button(exemption_view.CONFIRM, confirm.confirm, decides=True),
        Button(exemption_view.DENY, confirm.deny, decides=True),
        Button(exemption_view.EXTEND, extend.open_form, opens_form=True, decides=True),
        Form(exemption_view.EXTEND_CALLBACK, check=extend.check, run=extend.extend, decides=True),
        Button(exemption_view.LET_END, extend.let_end, decides=True),
        Button(exemption_view.PREVIOUS, exemption_list.turn),
        Button(exemption_view.NEXT, exemption_list.turn),
        Clock(exemption_clock.EXEMPTIONS, exemption_clock.turn, every=exemption_clock.EVERY),
        # ---- Owners of functions that no tag gives to a team
        Slash(
            "/trace-owners",
            usage="[team]",
            summary="Shows teams, their channels and the functions of no team; an approver assigns owners there.",
            examples=("/trace-owners", "/trace-owners payments"),
            run=owners.owners,
        ),
        Button(owners_view.PREVIOUS, owners.turn),
        Button(owners_view.NEXT, owners.turn),
        Button(owners_view.ASSIGN, assign.open_form, opens_form=True, decides=True),
        *(Button(field, assign.look_again, opens_form=True, decides=True) for field in assign_view.FIELDS),
        Form(assign_view.CALLBACK, check=assign.check, run=assign.submit, decides=True),
        Button(owners_view.END, assign.end, decides=True),
        # ---- What tracing costs, against the budget
        Slash(
            "/trace-budget",
            usage="",
            summary="Shows what X-Ray costs against the budget and where that is going; an approver sets AWS's own.",
            examples=("/trace-budget",),
            run=budget.budget,
        ),
        Button(budget_view.SET_BUDGET, set_budget.open_form, opens_form=True, decides=True),
        Form(set_budget_view.CALLBACK, check=set_budget.check, run=set_budget.submit, decides=True),
        Clock(spend.SPEND, spend.turn, every=spend.EVERY),
        # ---- Reports, and what they are made of
        Slash(
            "/trace-report",
            usage="[team] [30d] | evidence <from> <to> [team]",
            summary="Shows coverage, repair times, cost and budget of the last days (7d to 365d, or weeks like 4w); "
            "for approvers, evidence for auditors.",
            examples=(
                "/trace-report",
                "/trace-report payments",
                "/trace-report 90d",
                "/trace-report evidence 2026-07-01 2026-09-30",
            ),
            run=report.report,
        ),
        Button(report.SHARE, report.share),
        Button(evidence.SHARE, evidence.share),
        Clock(approvers.APPROVERS, approvers.look, every=approvers.EVERY),
        Clock(report.WEEKLY, report.weekly, every=report.EVERY),
        Clock(incidents.INCIDENTS, incidents.incidents, every=incidents.EVERY),
        Clock(usage.USAGE, usage.usage, every=usage.EVERY),
        Clock(forecast_check.FORECAST_CHECK, forecast_check.forecast_check, every=forecast_check.EVERY),
        # ---- What a function's traces show
        Slash(
            "/trace-map",
            usage="<function> [account] [region] [6h]",
            summary="Shows what calls a function and what it calls, with calls, failures and latency, by X-Ray.",
            examples=("/trace-map refund-worker", "/trace-map refund-worker 111122223333 eu-central-1 24h"),
            run=trace_map.trace_map,
        ),
        Button(trace_map.SHARE, trace_map.share),
        # ---- Who decided what
        Slash(
            "/trace-history",
            usage="[function | team | @person] [since <date>] [csv | jsonl]",
            summary="Shows who decided what, the newest first; an approver may have it posted as a file.",
            examples=(
                "/trace-history",
                "/trace-history refund-worker",
                "/trace-history payments me since 2026-10-03",
                "/trace-history payments 4w csv",
            ),
            run=history.history,
        ),
        Button(history.OLDER, history.turn),
        Button(history.NEWER, history.turn),
        Button(history.SHOW, history.show),
        Button(history.POST, history.post, decides=True),
        Clock(chain.CHAIN, chain.chain, every=chain.EVERY),
        # ---- App Home
        Event(home.OPENED, home.opened),
        *(Button(turn, home.turned(turn)) for turn in home_view.TURNS),
        Button(DISMISS, tips.dismiss),
        # ---- Metrics for dashboards
        Clock(custom_metrics.CUSTOM_METRICS, custom_metrics.send, every=custom_metrics.EVERY),
    )


def __getattr__(name: str) -> object:
    if name != "COMMANDS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, _table())

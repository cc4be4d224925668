"""`/trace-audit doctor`: whether it is set up right. Nothing is changed, posted or received to find that out."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from commands._types import Answer, Context, Progress, Request, Say
from commands.aws.accounts import Cloud
from commands.aws.doctor.examine import OnProgress, examine
from commands.aws.doctor.words import Uses
from commands.views.doctor import doctor_blocks, doctor_text
from storage.diagnosis import Diagnosis, Outcome

AROUND_SECONDS = 75.0  # Slack's part: a large workspace has many pages of channels
_ONE_AT_A_TIME = "doctor"


def doctor(request: Request, context: Context) -> Answer:
    """For approvers: what is said names accounts, channels and people."""
    why = _may_not(request, context)
    if why:
        yield Say(why)
        return
    if context.in_hand.held(_ONE_AT_A_TIME):
        yield Say("Somebody is having it looked at right now. Ask again in a minute.")
        return
    with context.in_hand.hold(_ONE_AT_A_TIME):
        yield Progress("Looking at settings, Slack and AWS…")
        found = everything(Cloud(context.cloud.settings), uses_of(context, request.user), context.look_around)
    yield Say(doctor_text(found), tuple(doctor_blocks(found)))


def _may_not(request: Request, context: Context) -> str:
    """Why; empty for who may approve for anybody."""
    permission = context.people.may_approve(request.user, request.workspace, None)
    teams = [] if permission.allowed else context.store.functions.teams()
    if permission.allowed or any(
        context.people.may_approve(request.user, request.workspace, team).allowed for team in teams
    ):
        return ""
    return permission.why


def uses_of(context: Context, approver: str) -> Uses:
    """What the settings turn on, of what AWS has to allow."""
    return Uses(
        forecasts=context.forecasting.enabled,
        spend=context.spending.enabled,
        budget=context.budget.monthly_usd is not None,
        queue_url=context.events.queue_url,
        queue_region=context.events.region,
        custom_metrics=context.custom_metrics,
        approver=approver,
    )


def everything(
    cloud: Cloud,
    uses: Uses,
    around: Callable[[], Sequence[Diagnosis]] | None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_progress: OnProgress | None = None,
) -> list[Diagnosis]:
    """AWS, and what is around the commands, side by side. `cloud` is to be a fresh one; `clock` is what AWS's own is
    held against."""
    told = _Aside(around)
    of_aws = examine(cloud, uses, clock=clock, on_progress=on_progress)
    return [*told.found(AROUND_SECONDS), *of_aws]


class _Aside:
    """In a thread that is left behind where it hangs."""

    def __init__(self, around: Callable[[], Sequence[Diagnosis]] | None) -> None:
        self._around = around
        self._told: Sequence[Diagnosis] | None = None
        self._thread = threading.Thread(target=self._run, name="doctor-around", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._told = self._around() if self._around else ()
        except Exception as problem:  # noqa: BLE001 - what nobody foresaw is said as one thing that is not known
            said = f"could not be looked at ({type(problem).__name__})"
            how = "say so to whoever makes Lamplighter: this is a fault in it"
            self._told = [Diagnosis("Slack", Outcome.UNKNOWN, "settings and Slack", said, how)]

    def found(self, seconds: float) -> Sequence[Diagnosis]:
        self._thread.join(seconds)
        if self._told is not None:
            return self._told
        said = f"no answer within {seconds:.0f} s"
        how = "see that this machine reaches Slack: HTTPS_PROXY, SLACK_API_URL"
        return [Diagnosis("Slack", Outcome.UNKNOWN, "settings and Slack", said, how)]

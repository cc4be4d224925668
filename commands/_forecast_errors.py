"""How well forecasts did, of a team or of all, from memory."""

from commands._types import Context
from storage.forecast_checks import CheckState, ForecastErrors, median_of
from storage.kpis import Window

WORST = 3


def forecast_errors(context: Context, window: Window, team: str | None) -> ForecastErrors:
    """Of the fixes whose check was closed in the window; those that wait are counted as of now."""
    store, now = context.store.forecast_checks, context.clock()
    closed, waiting = store.closed(window.since, window.until, team), store.waiting(team)
    known = [one for one in closed if one.error is not None]
    unknown = [one for one in closed if one.state is CheckState.UNKNOWN]
    late = [one.why for one in waiting if one.due_at <= now and one.why]
    return ForecastErrors(
        n=len(known),
        within=sum(bool(one.within) for one in known),
        median_error=median_of([one.error for one in known if one.error is not None]),
        median_model=median_of([one.of_model for one in known if one.of_model is not None]),
        worst=tuple(sorted(known, key=lambda one: (-abs(one.error or 0.0), one.function_arn))[:WORST]),
        pending=len(waiting),
        unknown=len(unknown),
        why=next(iter([*late, *(one.why for one in unknown)]), ""),
    )

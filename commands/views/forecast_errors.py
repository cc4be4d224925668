"""How a forecast did: beside its function, and of many in a report."""

from commands.views.amounts import share
from commands.views.text import clip, code, prose
from storage.forecast_checks import CheckState, ForecastCheck, ForecastErrors

_WHY_SHOWN = 300


def check_line(check: ForecastCheck) -> str:
    """For the card of a function, in mrkdwn."""
    if check.state is CheckState.UNKNOWN:
        return f"*A week after its fix:* not known. {prose(clip(check.why, _WHY_SHOWN))}"
    promised, seen = check.promised, check.seen
    if promised is None or seen is None:
        return ""
    inside = "" if check.within else ", outside of its range"
    told = f"{seen:,.0f} traces in 7 days; {promised.expected:,.0f} were forecast{_off(check.error)}{inside}"
    return f"*A week after its fix:* {told}"


def errors_value(errors: ForecastErrors) -> str:
    """For a report's list of figures, in mrkdwn."""
    if not errors.n:
        return f"none held against X-Ray in these days{_rest(errors)}"
    fixes = "1 fix" if errors.n == 1 else f"{errors.n:,} fixes"
    told = f"{_signed(errors.median_error)} (median of {fixes}), "
    told += f"{errors.within:,} within {'its' if errors.n == 1 else 'their'} range"
    if errors.median_model is not None:
        of_model = share(round(100 * errors.median_model, 1))
        told += f"; {of_model} of what the same reckoning makes of the traffic of that week"
    return told + _rest(errors)


def worst_line(errors: ForecastErrors) -> str:
    """Those that were furthest off; "" where there are none."""
    named = [f"{code(clip(_name(one), 100))} {_signed(one.error)}" for one in errors.worst if one.error is not None]
    return f"Forecasts that were furthest off: {', '.join(named)}." if named else ""


def _rest(errors: ForecastErrors) -> str:
    parts = []
    if errors.pending:
        parts.append(f"{errors.pending:,} to be looked at a week after their fix")
    if errors.unknown:
        parts.append(f"{errors.unknown:,} not known")
    why = f" ({prose(clip(errors.why, _WHY_SHOWN).rstrip('.'))})" if errors.why else ""
    return f"; {', '.join(parts)}{why}" if parts else ""


def _off(error: float | None) -> str:
    return "" if error is None else f" ({_signed(error)})"


def _signed(error: float | None) -> str:
    if error is None:
        return "not known"
    percent = round(100 * error)
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    return f"{sign}{abs(percent):,}\N{NO-BREAK SPACE}%"


def _name(check: ForecastCheck) -> str:
    return check.function_arn.rsplit(":", 1)[-1]

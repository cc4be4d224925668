"""How to read what X-Ray shows: of a team's own function after its first fix, and for whoever asks.

How much Lambda records, and which names stand in a trace: docs.aws.amazon.com/lambda/latest/dg/services-xray.html. The
words of a filter: docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html.
"""

from commands.views import blocks, console
from commands.views.blocks import Block
from commands.views.money import about
from commands.views.text import clip, code
from storage.forecasts import Forecast, Unit
from storage.models import CheckName, Function

NAME_SHOWN = 140
_SAMPLED = "Lambda records the first invocation in each second and 5 % of the others, unless what calls it decides"
_COLD = "`Init` or `Initialization` is a cold start, and `Overhead` is Lambda's own time"


def lesson(function: Function, forecast: Forecast | None) -> str:
    """After a team's first fix: what there is to see of this function, and with its numbers."""
    name = code(clip(function.name, NAME_SHOWN))
    lines = [f"*How to read what X-Ray shows of {name}* (said once for each team)", *_where(function, name)]
    lines.append(f"Not every invocation has a trace: {_SAMPLED}. {_numbers(forecast)}".rstrip())
    lines.append(f"In a trace, {_COLD}. {_calls(function)}")
    lines.append("For those that failed, add `AND fault` to the filter above the list of traces.")
    lines.append("More: `/trace-audit help reading`")
    return "\n".join([lines[0], *(f"• {line}" for line in lines[1:])])


def _where(function: Function, name: str) -> list[str]:
    """Links, where its partition has a console that is known here."""
    traces, trace_map = console.traces_url(function.arn), console.trace_map_url(function.arn)
    drawn = f"{code(clip(f'/trace-map {function.name}', NAME_SHOWN))} draws it here."
    if not traces or not trace_map:
        return [f"The trace map shows {name} between what calls it and what it calls. {drawn}"]
    return [
        f"<{trace_map}|The trace map> shows {name} between what calls it and what it calls. {drawn}",
        f"<{traces}|Its traces> of the last six hours, the newest first: a click on one shows where its time went.",
    ]


def _numbers(forecast: Forecast | None) -> str:
    if forecast is None or forecast.unit is not Unit.TRACES:
        return ""
    if not forecast.invocations:
        return "It was not invoked in the days that were looked at: its next invocation makes its first trace."
    traces, invocations = forecast.recorded.expected / 30, forecast.per_day
    if traces >= invocations * 0.95:
        return f"Of its {about(invocations)} invocations a day, nearly each will have one."
    return f"Of its {about(invocations)} invocations a day, about {about(traces)} will have one."


def _calls(function: Function) -> str:
    if any(finding.check is CheckName.SURFACE_ONLY for finding in function.findings):
        return (
            "Calls to other services show only where its code is instrumented, and nothing that is known here "
            "instruments it: OpenTelemetry (ADOT) is what AWS recommends: `/trace-audit help instrument`."
        )
    return "Calls to other services show only where its code is instrumented."


def guide() -> list[Block]:
    """For whoever asks, of any function."""
    return [
        blocks.section("*How to read a trace map*"),
        blocks.section(
            "• Each circle, or box, is a service, and each arrow a call: who calls your function, and "
            "what it calls.\n"
            "• Compare latency along an arrow: the service from which it grows is where to look first.\n"
            "• `error` is the caller's fault (4xx), `fault` the service's own (5xx), `throttle` a limit (429).\n"
            "• A map covers six hours at a time. An untraced service is not on it: a gap is not an absence."
        ),
        blocks.section("*How to read a trace*"),
        blocks.section(
            f"• One trace is one request through all services that it passed. {_COLD}; the rest is your own code.\n"
            "• Look at the longest bar that has no longer one under it: that is where the time went.\n"
            f"• {_SAMPLED}: counts of traces are not counts of invocations. Those are in CloudWatch.\n"
            "• Traces are kept for 30 days."
        ),
        blocks.section("*How to find the trace that matters*"),
        blocks.section(
            '• `service(id(name: "refund-worker", type: "AWS::Lambda::Function")) AND fault`: its failed requests\n'
            "• `responsetime > 3`: slow ones, in seconds\n"
            "• The id of a trace stands in the function's log as `XRAY TraceId`, after `REPORT`."
        ),
    ]

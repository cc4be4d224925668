"""What Prometheus reads of AWS's events: messages by what became of them, and how their queue answers."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from commands._types import Context


def families_of_events(context: Context) -> Iterator[Metric]:
    """From memory alone; the queue was asked within the last minute."""
    events = context.store.events
    messages = CounterMetricFamily(
        "lamplighter_events",
        "Messages of the queue of AWS's events, in number by what became of them.",
        labels=["outcome"],
    )
    for outcome, number in events.counts().items():
        messages.add_metric([str(outcome)], number)
    yield messages
    yield GaugeMetricFamily(
        "lamplighter_functions_watched",
        "Functions and roles of which an event told and that are still to be looked at, in number.",
        value=events.watching(),
    )
    state = events.queue()
    if state is None:
        return
    yield GaugeMetricFamily(
        "lamplighter_event_queue_up",
        "Whether the queue of AWS's events answered when it was asked last, 1 or 0.",
        value=float(state.failing_since is None),
    )
    if state.reached_at is None:
        return
    yield GaugeMetricFamily(
        "lamplighter_event_queue_reached_timestamp_seconds",
        "When the queue said how much waits in it, in seconds since 1970.",
        value=state.reached_at.timestamp(),
    )
    held = GaugeMetricFamily(
        "lamplighter_event_queue_messages",
        "Messages in the queue then, in number: those that wait, and those that were given out.",
        labels=["state"],
    )
    for name, held_then in (("waiting", state.waiting), ("in_flight", state.in_flight)):
        if held_then is not None:
            held.add_metric([name], held_then)
    yield held

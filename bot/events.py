"""[events] of lamplighter.toml: the queue in which AWS's events wait."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from bot.values import RegionName, matching, says

if TYPE_CHECKING:
    from commands._event_rules import EventRules

QueueUrl = Annotated[
    str,
    matching(
        r"|https?://[\w.:\[\]-]{1,253}(/[\w-]{1,80})*/[\w-]{1,80}",
        '"https://sqs.eu-central-1.amazonaws.com/111122223333/lamplighter-events", the address of a queue',
    ),
]
Seconds = Annotated[float, Meta(ge=0, le=60)]


class EventsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional; without a queue, only audits tell what is new."""

    queue_url: Annotated[
        QueueUrl,
        says(
            "its address",
            "https://sqs.eu-central-1.amazonaws.com/111122223333/lamplighter-events",
        ),
    ] = ""
    region: Annotated[RegionName | None, says("of the queue, where its address does not tell it", "eu-central-1")] = (
        None
    )
    debounce_seconds: Annotated[
        Seconds, says("so long an account and region is to be quiet before it is looked at; 60 at most", 20)
    ] = 20.0


def event_rules(section: EventsSection) -> "EventRules":
    from datetime import timedelta

    from commands._event_rules import EventRules  # an audit in a terminal listens to nothing

    return EventRules(section.queue_url, section.region or "", timedelta(seconds=section.debounce_seconds))

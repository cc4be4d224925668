"""[events] of lamplighter.toml, as commands know it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class EventRules:
    """Where AWS's events wait, and how long a place is to be quiet before it is looked at."""

    queue_url: str = ""  # "": events are not listened to
    region: str = ""  # of the queue; "": as its address tells
    debounce: timedelta = timedelta(seconds=20)

"""A function and all that is remembered of it at the moment of drawing."""

from dataclasses import dataclass
from datetime import datetime

from storage.fixes import FixRequest
from storage.forecasts import Forecast
from storage.models import Exemption, Function
from storage.news import Change


@dataclass(frozen=True, slots=True)
class Item:
    """The nouns of one row or card."""

    function: Function | None  # None: it is gone
    request: FixRequest | None
    exemption: Exemption | None = None
    sharing: int = 0  # other functions with the same execution role
    since: datetime | None = None  # when its verdict was first seen
    change: Change | None = None  # the newest that an audit told of it
    as_of: datetime | None = None  # when AWS last showed it, where that was before the latest audit
    patch_only: str = ""  # why it is changed in the code that deploys it, and not by a click; "" where a click may
    undo_hours: float | None = None  # for how long a fix can be undone; 0: never
    not_exempt: str = ""  # why it is exempt no more, where it was when its message was drawn
    suggestion: str = ""  # why it may well be exempt
    told: str = ""  # why it is news in this digest and since when, in words
    two_people: bool = False  # whether somebody else has to approve than who asks
    forecast: Forecast | None = None  # what tracing it costs, as its plan has it or as it is known now; None: not known
    forecast_is_old: bool = False
    cost_below: bool = False  # its plan says what it costs, under the row
    no_forecast: str = ""  # a phrase: why it is not known, where that was found out just now

    @property
    def name(self) -> str:
        if self.function:
            return self.function.name
        return self.request.function_name if self.request else "?"


def reachable(item: Item, function: Function) -> bool:
    """Whether a fix has something to change, as far as is known."""
    plan = item.request.plan if item.request else None
    return function.fixable or bool(plan and plan.publishes)

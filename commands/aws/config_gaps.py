"""What an aggregator of AWS Config cannot say: where it may well be silent about functions that are there. Pure.

A region without functions and a region that nobody records look the same in Config; only where a recorder is known to
record functions does silence mean that there are none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from commands.aws.config_rows import Place, Recorder, Shown
from storage.models import ORGANIZATION, NotScanned

_EACH = 3  # places that get a row of their own for the same reason; more than these share one
_EXAMPLES = 3

_NOTHING = "AWS Config's aggregator shows nothing of the account"
_SILENT = (
    "AWS Config shows neither functions nor a recorder, so it cannot tell whether there are none; "
    'with source = "lambda" they would be listed'
)
_STOPPED = "its recorder of AWS Config is stopped, so what is shown may be old"
_LEFT_OUT = "its recorder of AWS Config leaves Lambda functions out"
_HALF = "AWS Config shows functions without their configuration"
_DAILY = "AWS Config records functions only once a day, so what is shown may be a day old"


@dataclass(frozen=True, slots=True)
class Gaps:
    """A few rows for people, and every place of which silence proves nothing; the region "" is all of an account."""

    rows: tuple[NotScanned, ...]
    open_places: frozenset[Place]


def find(shown: Shown, accounts: Sequence[str], regions: Sequence[str], broken: Sequence[str] = ()) -> Gaps:
    """The gaps in what these accounts and regions are known of. `broken`: why questions got no whole answer."""
    open_places: set[Place] = set()
    rows = [NotScanned(ORGANIZATION, "", why) for why in broken]
    if shown.unreadable:
        rows.append(NotScanned(ORGANIZATION, "", f"{shown.unreadable:,} of AWS Config's rows could not be read"))
    if shown.unreadable or broken:
        open_places.update((account, "") for account in accounts)
    reasons: dict[str, list[Place]] = {}
    for place, reason in _of_places(shown, accounts, regions):
        reasons.setdefault(reason, []).append(place)
        open_places.add(place)
    for reason, places in reasons.items():
        rows += _rows(reason, places)
    if daily := [place for place in product(accounts, regions) if _is_daily(shown.recorders.get(place))]:
        rows.append(_one_row(_DAILY, daily))  # nothing is hidden there: a row of its own would open the place
    return Gaps(tuple(rows), frozenset(open_places))


def _of_places(shown: Shown, accounts: Sequence[str], regions: Sequence[str]) -> Iterator[tuple[Place, str]]:
    troubles = {(source.account, source.region): source.trouble for source in shown.sources if source.trouble}
    heard_of = {account for account, _ in shown.places}
    for region in [region for account, region in troubles if not account]:
        yield (ORGANIZATION, region), f"AWS Config's aggregator could not list it ({troubles['', region]})"
    for account in accounts:
        if account not in heard_of:
            yield (account, ""), _NOTHING
    for place in product([account for account in accounts if account in heard_of], regions):
        if reason := _why(shown, place, troubles):
            yield place, reason
        if place in shown.half:
            yield place, _HALF


def _why(shown: Shown, place: Place, troubles: Mapping[Place, str]) -> str:
    """Why what is shown of a place may not be all; "" where it is."""
    if place in troubles:
        return f"AWS Config's aggregator could not update what it shows ({troubles[place]})"
    recorder = shown.recorders.get(place)
    if recorder is None:
        return "" if place in shown.functions or place in shown.half else _SILENT
    return _why_recorded(recorder)


def _why_recorded(recorder: Recorder) -> str:
    if not recorder.recording:
        return _STOPPED
    return "" if recorder.functions else _LEFT_OUT


def _is_daily(recorder: Recorder | None) -> bool:
    return recorder is not None and recorder.recording and recorder.functions and recorder.daily


def _rows(reason: str, places: Sequence[Place]) -> list[NotScanned]:
    if len(places) <= _EACH:
        return [NotScanned(account, region, reason) for account, region in places]
    return [_one_row(reason, places)]


def _one_row(reason: str, places: Sequence[Place]) -> NotScanned:
    examples = ", ".join(f"{account} {region}".rstrip() for account, region in places[:_EXAMPLES])
    more = f" and {len(places) - _EXAMPLES:,} more" if len(places) > _EXAMPLES else ""
    return NotScanned(ORGANIZATION, "", f"{examples}{more}: {reason}")

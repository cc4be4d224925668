"""Money shared out, so that the parts add up to the whole to the cent."""

from collections.abc import Hashable, Mapping
from decimal import ROUND_FLOOR, Context, Decimal
from typing import TypeVar

CENT = Decimal("0.01")
Key = TypeVar("Key", bound=Hashable)

_FINE = Context(prec=60)  # so that what division leaves over is far below a cent


def to_cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT)


def shared_out(usd: Decimal, weights: Mapping[Key, float]) -> dict[Key, Decimal] | None:
    """An amount by weight, before any rounding; None where there is nothing to go by."""
    fine = {key: Decimal(weight) for key, weight in weights.items() if weight > 0}
    total = Decimal(0)
    for weight in fine.values():
        total = _FINE.add(total, weight)
    if not total:
        return None
    return {key: _FINE.divide(_FINE.multiply(usd, weight), total) for key, weight in fine.items()}


def in_cents(shares: Mapping[Key, Decimal], whole: Decimal) -> dict[Key, Decimal]:
    """Whole cents that add up to the whole, rounded once; what is left over goes to the largest rests."""
    cents = {key: share.quantize(CENT, ROUND_FLOOR) for key, share in shares.items()}
    left = int((to_cents(whole) - sum(cents.values(), Decimal(0))) / CENT)
    one = CENT if left > 0 else -CENT
    by_rest = sorted(shares, key=lambda key: (cents[key] - shares[key], str(key)), reverse=left < 0)
    for key in by_rest[: abs(left)]:
        cents[key] += one
    return cents

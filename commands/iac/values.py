"""What a setting may come to, and what that says: every way that it may go has to be Active for a pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from commands.iac.document import Node
from commands.iac.nouns import ACTIVE, Outcome


@dataclass(frozen=True, slots=True)
class May:
    """One value that a setting may have. Exactly one of `value`, `absent` and `doubt` says something."""

    value: str | None = None
    absent: bool = False
    doubt: str = ""  # why it cannot be known, as a clause
    node: Node | None = None  # where a literal stands
    default: str = ""  # the parameter or variable whose default it is
    likely: bool | None = True  # whether the defaults lead here; None: that cannot be told
    under: str = ""  # what decides between several

    @property
    def active(self) -> bool:
        return self.value == ACTIVE

    @property
    def dark(self) -> bool:
        return self.absent or (self.value is not None and not self.active)


def unknown(why: str) -> tuple[May, ...]:
    return (May(doubt=why),)


ABSENT = (May(absent=True),)


def hang(ways: Sequence[May], under: str, likely: bool | None) -> tuple[May, ...]:
    """The ways on one side of a decision."""
    return tuple(
        replace(one, under=one.under or under, likely=one.likely and likely if likely is not None else None)
        for one in ways
    )


def judge(ways: Sequence[May], setting: str) -> tuple[Outcome, str]:
    """`setting` is what it is called in the file."""
    if ways and all(one.active for one in ways):
        return Outcome.PASS, f"{setting} is Active{_by(ways)}"
    if ways and all(one.dark for one in ways):
        return Outcome.FAIL, _dark(ways, setting)
    doubts = [one.doubt for one in ways if one.doubt]
    if doubts:
        return Outcome.UNKNOWN, f"{setting} cannot be known: {doubts[0]}"
    under = next((one.under for one in ways if one.under), "what is decided at deployment")
    if any(one.dark and one.likely for one in ways):
        return Outcome.FAIL, f"{setting} is not Active as long as {under} is as by default"
    return Outcome.UNKNOWN, f"{setting} depends on {under}, and is not Active either way"


def _by(ways: Sequence[May]) -> str:
    """What the value rests on; `default` is the name of what has a default, or `what … gives …`."""
    rests = sorted({one.default for one in ways if one.default})
    named = [one for one in rests if not one.startswith("what ")]
    given = [one for one in rests if one not in named]
    parts = [f"by the default of {', '.join(named)}"] if named else []
    return "".join(f", {one}" for one in [*parts, *(f"by {one}" for one in given)])


def _dark(ways: Sequence[May], setting: str) -> str:
    said = next((one for one in ways if one.value is not None), None)
    if said is None:
        return f"{setting} is not set, which is PassThrough"
    return f"{setting} is {said.value}{_by([said])}; only Active records traces of its own"

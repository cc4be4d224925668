"""From what somebody typed to the functions or the team they mean, from memory alone."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from commands.views.text import code
from storage.models import Function
from storage.store import Store

ACCOUNT = re.compile(r"\d{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
ARN = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+")
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, taken apart."""

    name: str  # a function's or a team's
    account: str | None = None
    region: str | None = None

    @classmethod
    def read(cls, text: str) -> "Wanted":
        """`name [account] [region]` in any order after the name, or an ARN (a qualifier is left out)."""
        cleaned = text.strip().strip("`")
        arn = ARN.match(cleaned)
        if arn:
            parts = arn.group().split(":")
            return cls(parts[6], account=parts[4], region=parts[3])
        words = cleaned.split()
        name = words[0].strip("`") if words else ""
        account = next((word for word in words[1:] if ACCOUNT.fullmatch(word)), None)
        region = next((word for word in words[1:] if REGION.fullmatch(word)), None)
        return cls(name, account, region)


def functions(store: Store, wanted: Wanted) -> list[Function]:
    """All that bear the name, in the account and region if those were given. Names are matched exactly, then
    without regard to case."""
    found = store.functions.named(wanted.name)
    if not found:
        same = next((name for name in store.functions.names() if name.lower() == wanted.name.lower()), None)
        found = store.functions.named(same) if same else []
    return [
        function
        for function in found
        if wanted.account in (None, function.account) and wanted.region in (None, function.region)
    ]


def team(store: Store, text: str) -> str | None:
    """The team that is meant; case, space and underscore are alike."""
    wanted = re.sub(r"[\s_]+", "-", text.strip().lower())
    return next((name for name in store.functions.teams() if name == wanted), None)


def unknown(store: Store, wanted: Wanted, command: str, *, teams: bool = False) -> str:
    """What to say when nothing bears the name: the nearest names and one example."""
    names = store.functions.names()
    known = [*names, *store.functions.teams()] if teams else names
    noun = "function or team" if teams else "function"
    where = " ".join(part for part in (wanted.account, wanted.region) if part)
    said = f"There is no {noun} {code(wanted.name)}{f' in {where}' if where else ''}."
    near = difflib.get_close_matches(wanted.name.lower(), [name.lower() for name in known], NEAREST, 0.5)
    near += [name for name in known if wanted.name.lower() in name.lower() and name.lower() not in near]
    nearest = [next(name for name in known if name.lower() == one.lower()) for one in near[:NEAREST]]
    if nearest:
        said += f" Did you mean {' or '.join(code(name) for name in nearest)}?"
    example = (nearest or names or ["refund-worker"])[0]
    return f"{said} Example: `{command} {example}`"


def choices(found: Sequence[Function], command: str) -> str:
    """What to say when several functions bear the name."""
    lines = [f"`{command} {function.name} {function.account} {function.region}`" for function in found[:20]]
    more = f"\nand {len(found) - 20:,} more" if len(found) > 20 else ""
    return f"{len(found)} functions are called {code(found[0].name)}. Say which:\n" + "\n".join(lines) + more

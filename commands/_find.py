"""From what somebody typed to the functions or the team they mean, from memory alone."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from commands._types import Context, Say
from commands.views.text import clip, code
from storage.models import Function, team_name
from storage.store import Store

ACCOUNT = re.compile(r"\d{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
ARN = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+")
MENTIONED_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")  # Slack may leave the name out
NEAREST = 3
ECHO = 60  # as much of what somebody typed is said back
EXAMPLE = "refund-worker"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, taken apart."""

    name: str  # a function's or a team's
    account: str | None = None
    region: str | None = None
    rest: str = ""  # what is neither
    channel: str = ""  # the id of a channel that was mentioned instead

    @classmethod
    def read(cls, text: str) -> "Wanted":
        """`name [account] [region]` in any order after the name, or an ARN (a qualifier is left out)."""
        cleaned = " ".join(text.replace("`", " ").split())
        arn = ARN.match(cleaned)
        if arn:
            parts = arn.group().split(":")
            return cls(parts[6], account=parts[4], region=parts[3])
        mentioned = MENTIONED_CHANNEL.fullmatch(cleaned)
        if mentioned:
            return cls(f"#{mentioned[2] or mentioned[1]}", channel=mentioned[1])
        name, *words = cleaned.split() or [""]
        account = next((word for word in words if ACCOUNT.fullmatch(word)), None)
        region = next((word for word in words if REGION.fullmatch(word)), None)
        return cls(name, account, region, " ".join(word for word in words if word not in (account, region)))

    @classmethod
    def with_reason(cls, text: str) -> "tuple[Wanted, str]":
        """`name [account] [region] [reason…]`, or an ARN and a reason: what follows on the place is kept as it is."""
        name, *words = text.split() or [""]
        kinds: list[re.Pattern[str]] = []
        for word in () if ARN.match(name.strip("`")) else words[:2]:
            kind = next((one for one in (ACCOUNT, REGION) if one.fullmatch(word) and one not in kinds), None)
            if kind is None:
                break
            kinds.append(kind)
        places = len(kinds)
        return cls.read(" ".join([name, *words[:places]])), " ".join(words[places:])


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


def team(context: Context, wanted: Wanted) -> str | None:
    """The team that is meant: by any of its names (case, space and underscore are alike) or by its channel."""
    if wanted.account or wanted.region:
        return None
    teams = context.store.functions.teams()
    if wanted.name.startswith("#"):
        meant = {wanted.name.lower(), wanted.channel.lower()}
        return next((name for name in teams if _channels_of(context, name) & meant), None)
    named = context.teams.named(f"{wanted.name} {wanted.rest}")
    return named if named in teams else None


def _channels_of(context: Context, team: str) -> set[str]:
    """As the settings name it, and as the newest digest found it."""
    found = context.store.posts.channel_of(team)
    return {context.teams.channel_of(team).lower()} | ({found.lower()} if found else set())


def known(context: Context, wanted: Wanted) -> bool:
    """Whether a team or a function bears the name."""
    return team(context, wanted) is not None or bool(functions(context.store, Wanted(wanted.name)))


def one(store: Store, wanted: Wanted, command: str, *, teams: bool = False) -> Function | Say:
    """The one function that is meant, or what to say to whoever was not clear."""
    if not wanted.name:
        return Say(f"Say which function: `{command} {next(iter(store.functions.names()), EXAMPLE)}`")
    found = functions(store, wanted)
    anywhere = found or functions(store, Wanted(wanted.name))
    if not anywhere and not teams and team_name(wanted.name) in store.functions.teams():
        name = code(wanted.name)
        return Say(f"{name} is a team. Name one of its functions: `/trace-audit {team_name(wanted.name)}` lists them.")
    if not anywhere:
        return Say(_unknown(store, wanted, command, teams=teams))
    if wanted.rest:
        odd = code(clip(wanted.rest, ECHO))
        return Say(
            f"I do not understand {odd}: after the name comes at most an account and a region, {_form(command)}."
        )
    if not found:
        where = " ".join(part for part in (wanted.account, wanted.region) if part)
        return Say(f"{code(wanted.name)} is not in {where}. {_choices(anywhere, command)}")
    if len(found) > 1:
        return Say(f"{len(found)} functions are called {code(found[0].name)}. {_choices(found, command)}")
    return found[0]


def _form(command: str) -> str:
    return f"as in `{command} {EXAMPLE} 111122223333 eu-central-1`"


def _unknown(store: Store, wanted: Wanted, command: str, *, teams: bool) -> str:
    """The nearest names and one example."""
    names = store.functions.names()
    known_names = [*names, *store.functions.teams()] if teams else names
    noun = "function or team" if teams else "function"
    said = f"There is no {noun} {code(clip(wanted.name, ECHO))}."
    nearest = near(wanted.name, known_names)
    if nearest:
        said += f" Did you mean {' or '.join(code(name) for name in nearest)}?"
    elif teams:
        said += " `/trace-audit` alone lists the teams."
    return f"{said} Example: `{command} {(nearest or names or [EXAMPLE])[0]}`"


def near(said: str, names: Sequence[str]) -> list[str]:
    """The names that may be meant: alike, or with that in them."""
    lowered = {name.lower(): name for name in names}
    alike = difflib.get_close_matches(said.lower()[:ECHO], lowered, NEAREST, 0.65)
    alike += [name for name in lowered if said.lower() in name and name not in alike]
    return [lowered[name] for name in alike[:NEAREST]]


def _choices(found: Sequence[Function], command: str) -> str:
    """The functions that bear a name, each as the line that asks for it."""
    lines = [f"`{command} {function.name} {function.account} {function.region}`" for function in found[:20]]
    more = f"\nand {len(found) - 20:,} more" if len(found) > 20 else ""
    return "Choose:\n" + "\n".join(lines) + more

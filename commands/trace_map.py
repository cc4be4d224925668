"""`/trace-map` and its button: what calls a function and what it calls, as X-Ray's service graph has it."""

import re
from dataclasses import dataclass
from datetime import timedelta

from commands import _find
from commands._answers import ask_now
from commands._map_posts import FORGOTTEN, post_map
from commands._maps import Unseen, make_map
from commands._types import Answer, Context, Progress, Replace, Request, Say
from commands.views import charts
from commands.views.map import SHARE, WITHOUT_PICTURE, Extras, map_blocks, map_text
from commands.views.text import channel, clip, code, mention, prose

__all__ = ["COMMAND", "SHARE", "share", "trace_map"]

COMMAND = "/trace-map"
KEPT = timedelta(days=7)  # so long a map may be shared that nobody has shared
DEFAULT, FEWEST, MOST = timedelta(hours=6), timedelta(hours=1), timedelta(days=7)
USAGE = f"Write hours from `1h` or days to `7d`, as in `{COMMAND} {_find.EXAMPLE} 24h`."
_WINDOW = re.compile(r"(\d{1,4})([hd])", re.IGNORECASE)
_LIKE_A_WINDOW = re.compile(r"[-+]?\d+([.,]\d+)?[a-z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed; `wrong` says what cannot be meant."""

    wanted: _find.Wanted
    length: timedelta = DEFAULT
    wrong: str = ""

    @classmethod
    def read(cls, text: str) -> "Asked":
        """A function, with its account, its region and a window of time after it, in any order."""
        name, *words = text.split() or [""]
        windows = [word for word in words if _LIKE_A_WINDOW.fullmatch(word)]
        wanted = _find.Wanted.read(" ".join([name, *(word for word in words if word not in windows)]))
        if not windows:
            return cls(wanted)
        if len(windows) > 1:
            both = " and ".join(code(clip(one, 20)) for one in windows[:2])
            return cls(wanted, wrong=f"There is more than one window in that: {both}.")
        found = _WINDOW.fullmatch(windows[0])
        length = timedelta(hours=int(found[1]) * (24 if found[2].lower() == "d" else 1)) if found else timedelta(0)
        if not FEWEST <= length <= MOST:
            return cls(wanted, wrong=f"{code(clip(windows[0], 20))} is no window of time that X-Ray is asked about.")
        return cls(wanted, length)


def trace_map(request: Request, context: Context) -> Answer:
    """Answer `/trace-map <function> [account] [region] [6h]`."""
    asked = Asked.read(request.text)
    if asked.wrong:
        yield Say(f"{asked.wrong} {USAGE}")
        return
    function = _find.one(context.store, asked.wanted, COMMAND)
    if isinstance(function, Say):
        yield function
        return
    yield Progress(f"Reading X-Ray's graph around {code(function.name)}…")
    current = ask_now(context, function)
    if isinstance(current, Say):
        yield current
        return
    made = make_map(context, current, asked.length)
    if isinstance(made, Unseen):
        yield Say(prose(made.why))
        return
    context.store.maps.forget(context.clock() - KEPT)
    map_id = context.store.maps.add(made, context.clock())
    yield Say(map_text(made), tuple(map_blocks(made, Extras(share=map_id, no_picture=_no_picture()))))


def share(request: Request, context: Context) -> Answer:
    """Answer *Post it here*: the same map for everybody in the channel, as a picture."""
    made = context.store.maps.get(request.value)
    if made is None:
        yield Say(f"{FORGOTTEN} Ask for a new one: `{COMMAND} {_find.EXAMPLE}`")
        return
    if request.channel.startswith("D"):
        yield Say(f"A map is posted in a channel, and this is a direct message. Type `{COMMAND}` in a channel.")
        return
    key = f"map:{request.value}:{request.channel}"
    if not post_map(context, request.value, key, request.channel, shared_by=mention(request.user)):
        yield Say("This map was posted here already.")
        return
    if request.private:
        yield Replace(map_text(made), tuple(map_blocks(made, Extras(no_picture=_no_picture()))))
    fallback = channel(context.teams.fallback_channel)
    yield Say(f"Posting it here. Where I am no member of this channel, it goes to {fallback}.")


def _no_picture() -> str:
    return "" if charts.can_draw() else WITHOUT_PICTURE

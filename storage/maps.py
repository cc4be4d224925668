"""What calls a function and what it calls, as X-Ray told it; kept as it was drawn, for whoever shares it later."""

import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from storage.connection import Connection, to_text

CLIENT, REMOTE = "client", "remote"  # X-Ray's types of what is no AWS resource
LAMBDA = "AWS::Lambda::Function"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of what X-Ray's graph counts on one edge, or at one service, in a window."""

    calls: int
    errors: int = 0  # answered with a 4xx, throttled ones apart
    throttles: int = 0  # 429
    faults: int = 0  # 5xx
    seconds: float = 0.0  # of all calls together
    p95: float | None = None  # seconds within which 95 % were answered; None: X-Ray gave no histogram

    @property
    def failed(self) -> int:
        return self.errors + self.throttles + self.faults

    @property
    def failed_share(self) -> float:
        """0.0 to 1.0"""
        return min(1.0, self.failed / self.calls) if self.calls else 0.0

    @property
    def average(self) -> float | None:
        """Seconds; None where nothing was measured, as on an asynchronous edge."""
        return self.seconds / self.calls if self.calls and self.seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls between the function and one service beside it."""

    name: str  # of that service
    kind: str  # X-Ray's type: "AWS::DynamoDB::Table", "client", "remote", …
    statistics: Statistics
    account: str = ""  # of that service, where it is another than the function's
    asynchronous: bool = False  # linked by a message, not by a call that is waited for


@dataclass(frozen=True, slots=True)
class SilentCaller:
    """What may call the function and sends no traces, so that X-Ray's graph does not show it."""

    name: str
    kind: str
    why: str  # a phrase for people
    account: str = ""  # where it is another than the function's


@dataclass(frozen=True, slots=True)
class Around:
    """The part of X-Ray's service graph that one function stands in; edges with most calls come first."""

    since: datetime  # UTC
    until: datetime
    own: Statistics | None = None  # None: the function is not in the graph
    callers: tuple[Edge, ...] = ()
    callees: tuple[Edge, ...] = ()
    not_read: timedelta = timedelta(0)  # so much of the window that was asked for, the oldest, is not in it
    not_read_why: str = ""  # a phrase for people, or AWS's words

    @property
    def seen(self) -> bool:
        return bool(self.own or self.callers or self.callees)


@dataclass(frozen=True, slots=True)
class TraceMap:
    """All that is shown of one function."""

    function_arn: str
    account: str
    region: str
    name: str
    around: Around
    silent: tuple[SilentCaller, ...] = ()
    notes: tuple[str, ...] = ()  # sentences for people


class Maps:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, made: TraceMap, now: datetime) -> str:
        """The id of the map, which is all that a button carries."""
        map_id = secrets.token_urlsafe(16)
        self._db.insert("maps", {"id": map_id, "made_at": to_text(now), "map": zlib.compress(to_json(made))})
        return map_id

    def get(self, map_id: str) -> TraceMap | None:
        """None for an id that was never given out here, or whose map was forgotten."""
        row = self._db.row("select map from maps where id = ?", [map_id])
        return from_json(zlib.decompress(row["map"])) if row else None

    def show(self, post: int, map_id: str) -> None:
        """This post shows that map, which is kept from now on."""
        self._db.insert("map_posts", {"post": post, "map": map_id})

    def of_post(self, post: int) -> TraceMap | None:
        row = self._db.row("select map from map_posts where post = ?", [post])
        return self.get(row["map"]) if row else None

    def forget(self, before: datetime) -> None:
        """Those that were made before then and that no post shows: nobody asks to share them any more."""
        sql = "delete from maps where made_at < ? and id not in (select map from map_posts)"
        self._db.change(sql, [to_text(before)])


def to_json(made: TraceMap) -> bytes:
    """Times as ISO 8601, lengths of time too."""
    return msgspec.json.encode(made)


def from_json(content: bytes) -> TraceMap:
    return msgspec.json.decode(content, type=TraceMap)

"""What the documents of one trace show of a function's own work. Pure.

X-Ray hands out segment documents, in which Lambda's own subsegments have had two forms: an `Invocation` with the
function's subsegments in it, and none, with the subsegments directly in the function's segment. Spans of OpenTelemetry
have ids and kinds of their own. All of them are read as pieces that name the piece above them.
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
https://opentelemetry.io/docs/specs/otel/trace/api/#spankind
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_FUNCTION = "AWS::Lambda::Function"
# What Lambda itself writes into the function's segment, instrumented or not.
_OF_LAMBDA = frozenset({"Initialization", "Init", "Invocation", "Overhead", "Restore"})
_CALLS_OUT = frozenset({"CLIENT", "PRODUCER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "3", "4"})
# Which attribute of a span names what is called: the first that is there.
_REMOTE = ("aws.remote.service", "rpc.service", "db.system", "db.system.name", "messaging.system", "server.address")
_OWN = ("faas.name", "aws.local.service", "service.name")


@dataclass(frozen=True, slots=True)
class Shown:
    """Of one function in one trace."""

    calls: tuple[str, ...] = ()  # what it calls, by name
    own: tuple[str, ...] = ()  # spans that its code makes

    @property
    def instrumented(self) -> bool:
        return bool(self.calls or self.own)


@dataclass(frozen=True, slots=True)
class _Piece:
    id: str
    above: str  # the id of the piece that it is a part of
    name: str
    is_function: bool = False  # the function's own segment
    calls_out: bool = False
    of_lambda: bool = False
    foreign: bool = False  # another service's own segment


def shown(documents: Iterable[str], name: str) -> Shown | None:
    """None where the function has no segment in them, or none of them can be read."""
    pieces = [piece for document in documents for piece in _pieces(document, name)]
    inside = {piece.id for piece in pieces if piece.is_function}
    if not inside:
        return None
    found: list[_Piece] = []
    left, grew = [piece for piece in pieces if not piece.is_function], True
    while grew:  # documents come in any order, and a piece may stand before the one that it is a part of
        within = [piece for piece in left if piece.above in inside]
        left = [piece for piece in left if piece.above not in inside]
        inside |= {piece.id for piece in within if not piece.foreign}
        found += within
        grew = bool(within)
    calls = dict.fromkeys(piece.name for piece in found if piece.calls_out)
    own = dict.fromkeys(
        piece.name for piece in found if not (piece.calls_out or piece.of_lambda or piece.foreign) and piece.name
    )
    return Shown(tuple(calls), tuple(own))


def _pieces(document: str, name: str) -> Iterator[_Piece]:
    try:
        told = json.loads(document)
    except (ValueError, RecursionError):
        return
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, Mapping):
            yield from (_span(one, name) if "spanId" in one else _segment(one, name))


def _segment(told: Mapping[str, Any], name: str) -> Iterator[_Piece]:
    origin, own_name = told.get("origin"), str(told.get("name") or "")
    subsegment = told.get("type") == "subsegment"
    is_function = origin == _FUNCTION and own_name == name and not subsegment
    yield _Piece(
        str(told.get("id") or ""),
        str(told.get("parent_id") or ""),
        own_name,
        is_function,
        calls_out=told.get("inferred") is True or (subsegment and _is_call(told)),
        of_lambda=subsegment and own_name in _OF_LAMBDA,
        foreign=not (subsegment or is_function or told.get("inferred") is True),
    )
    yield from _within(told, str(told.get("id") or ""))


def _within(told: Mapping[str, Any], above: str) -> Iterator[_Piece]:
    """Subsegments, however deep; one without an id stands for the piece that it is in."""
    waiting = [(told, above)]
    while waiting:
        outer, above = waiting.pop()
        inside = outer.get("subsegments")
        for one in inside if isinstance(inside, list) else ():
            if isinstance(one, Mapping):
                own_id, own_name = str(one.get("id") or above), str(one.get("name") or "")
                yield _Piece(own_id, above, own_name, calls_out=_is_call(one), of_lambda=own_name in _OF_LAMBDA)
                waiting.append((one, own_id))


def _is_call(told: Mapping[str, Any]) -> bool:
    return told.get("namespace") in ("aws", "remote")


def _span(told: Mapping[str, Any], name: str) -> Iterator[_Piece]:
    resource = told.get("resource")
    whole = _attributes(resource.get("attributes")) if isinstance(resource, Mapping) else {}
    own = _attributes(told.get("attributes"))
    attributes, kind = {**whole, **own}, str(told.get("kind") or "").upper()
    calls_out = kind in _CALLS_OUT
    spoken = str(told.get("name") or "")
    remote = next((own[key] for key in _REMOTE if own.get(key)), spoken)
    is_function = not calls_out and kind in ("SERVER", "CONSUMER", "SPAN_KIND_SERVER", "SPAN_KIND_CONSUMER", "2", "5")
    yield _Piece(
        str(told.get("spanId") or ""),
        str(told.get("parentSpanId") or ""),
        remote if calls_out else spoken,
        is_function=is_function and name in (attributes.get(key) for key in _OWN),
        calls_out=calls_out,
        of_lambda=spoken in _OF_LAMBDA,
        foreign=is_function,
    )


def _attributes(told: object) -> dict[str, str]:
    """As an object, or as OTLP's list of keys with typed values."""
    if isinstance(told, Mapping):
        return {str(key): str(value) for key, value in told.items()}
    found = {}
    for one in told if isinstance(told, list) else ():
        value = one.get("value") if isinstance(one, Mapping) else None
        if isinstance(value, Mapping) and value:
            found[str(one.get("key"))] = str(next(iter(value.values())))
    return found

"""[health] and [stop] of lamplighter.toml, and the token of /metrics."""

from typing import Annotated

import msgspec
from msgspec import Meta

from bot.values import PORT, matching

OFF = "off"
DEFAULT_LISTEN = "127.0.0.1:9464"
SHORTEST_TOKEN = 16

ListenOrOff = Annotated[str, matching(rf"off|[\w.:\[\]-]*:{PORT}", f'"{DEFAULT_LISTEN}", or "off"')]
Seconds = Annotated[int, Meta(ge=5, le=600)]


class HealthSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional."""

    listen: ListenOrOff | None = None  # of /healthz, /readyz and /metrics; None: see `health_listen`


class StopSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional."""

    seconds: Seconds = 25  # Kubernetes and ECS kill after 30


def health_listen(health: str | None, metrics: str | None) -> str:
    """Where all three are; where nothing is said, beside the metrics, or else on loopback."""
    return health or metrics or DEFAULT_LISTEN

"""[health] and [stop] of lamplighter.toml, and the token of /metrics."""

from typing import Annotated

import msgspec
from msgspec import Meta

from bot.values import PORT, matching, says

OFF = "off"
DEFAULT_LISTEN = "127.0.0.1:9464"
SHORTEST_TOKEN = 16

ListenOrOff = Annotated[str, matching(rf"off|[\w.:\[\]-]*:{PORT}", f'"{DEFAULT_LISTEN}", or "off"')]
Seconds = Annotated[int, Meta(ge=5, le=600)]


class HealthSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional."""

    listen: Annotated[
        ListenOrOff | None,
        says(
            'of /healthz, /readyz and /metrics; absent: where [metrics] listen says, or else here; "off": nowhere',
            DEFAULT_LISTEN,
        ),
    ] = None  # see `health_listen`


class StopSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional."""

    # Kubernetes and ECS kill after 30.
    seconds: Annotated[Seconds, says("so long what runs may go on after SIGTERM; 5 to 600", 25)] = 25


def health_listen(health: str | None, metrics: str | None) -> str:
    """Where all three are; where nothing is said, beside the metrics, or else on loopback."""
    return health or metrics or DEFAULT_LISTEN

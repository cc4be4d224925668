"""[metrics] of lamplighter.toml: where dashboards read."""

from typing import Annotated

import msgspec

from bot.values import Listen, says


class MetricsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional; nothing is shown anywhere unless it is asked for."""

    listen: Annotated[
        Listen | None,
        says("of /metrics alone, where it is to have another address than [health] listen", "127.0.0.1:9464"),
    ] = None
    cloudwatch: Annotated[bool, says("true: CloudWatch custom metrics too, which AWS bills", False)] = False

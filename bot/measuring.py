"""[metrics] of lamplighter.toml: where dashboards read."""

import msgspec

from bot.values import Listen


class MetricsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional; nothing is shown anywhere unless it is asked for."""

    listen: Listen | None = None  # of /metrics
    cloudwatch: bool = False

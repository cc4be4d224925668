"""Which tag names a function's team, and where that team reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """[teams] of lamplighter.toml."""

    tag_keys: tuple[str, ...] = ("team", "owner")  # first that is present wins
    channel: str = "#team-{team}"  # for teams without an entry in `channels`
    channels: Mapping[str, str] = field(default_factory=dict)  # team -> channel id or #name
    fallback_channel: str = "#finops"
    groups: Mapping[str, str] = field(default_factory=dict)  # team -> id of the user group of its people

    def channel_of(self, team: str | None) -> str:
        if team is None:
            return self.fallback_channel
        return self.channels.get(team) or self.channel.format(team=team)

"""Which tag names a function's team, how else a team is called, and where it reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from storage.models import team_name


class ChannelFrom(StrEnum):
    """What names a team's channel."""

    SETTINGS = "settings"  # [teams.channels]
    TAG = "tag"  # of the team's functions
    PATTERN = "pattern"
    FALLBACK = "fallback"  # there is no team


def _no_tag(_team: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """[teams] of lamplighter.toml; teams are named as `team_name` makes them."""

    tag_keys: tuple[str, ...] = ("team", "owner")  # first that is present wins
    channel: str = "#team-{team}"  # for teams without an entry in `channels`
    channels: Mapping[str, str] = field(default_factory=dict)  # team -> channel id or #name
    fallback_channel: str = "#finops"
    aliases: Mapping[str, str] = field(default_factory=dict)  # another name -> the team
    groups: Mapping[str, str] = field(default_factory=dict)  # team -> its people, a user group's id
    channel_tag: str = ""  # the tag of functions that names their team's channel; "": none does
    tagged: Callable[[str], str | None] = _no_tag  # the channel that most of a team's functions name by that tag

    def named(self, text: str) -> str:
        """The team that is meant: its other names, case and space make no difference."""
        name = team_name(text)
        return self.aliases.get(name, name)

    def channel_of(self, team: str | None) -> str:
        """By the settings, else by a tag of the team's functions, else by the pattern."""
        return self.place_of(team)[0]

    def place_of(self, team: str | None) -> tuple[str, ChannelFrom]:
        """A team's channel, and what names it."""
        if team is None:
            return self.fallback_channel, ChannelFrom.FALLBACK
        if team in self.channels:
            return self.channels[team], ChannelFrom.SETTINGS
        tagged = self.tagged(team)
        if tagged:
            return tagged, ChannelFrom.TAG
        return self.channel.format(team=team), ChannelFrom.PATTERN

    def group_of(self, team: str) -> str | None:
        """The user group of the team's people; None where the settings name none."""
        return self.groups.get(team)

    def knows(self, team: str) -> bool:
        """Whether the settings name it, under whatever heading; else a tag alone does."""
        return team in self.channels or team in self.groups or team in self.aliases.values()

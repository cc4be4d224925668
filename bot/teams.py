"""[teams] of lamplighter.toml: what names a team, how else it is called, where it reads and who is in it."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from bot.policy import Part
from bot.values import ChannelPattern, ChannelRef, TagKey, TagKeys, TeamNames, UserGroup, says
from commands._teams import TeamSettings
from storage.models import team_name


class TeamsSection(Part, frozen=True):
    tag_keys: Annotated[
        TagKeys,
        says("the first that is present names the team; of the function, its stack or its account", ["team", "owner"]),
    ] = msgspec.field(default_factory=lambda: ["team", "owner"])
    channel: Annotated[
        ChannelPattern, says("for teams whose channel neither an entry below nor a tag names", "#team-{team}")
    ] = "#team-{team}"
    channel_tag: Annotated[
        TagKey | None,
        says(
            "the tag of a team's functions that names its channel; the most used counts; absent: none",
            "slack-channel",
        ),
    ] = None
    fallback_channel: Annotated[
        ChannelRef, says("for functions of no known team, and for what other channels will not take", "#finops")
    ] = "#finops"
    channels: Annotated[dict[str, ChannelRef], says("a team's own channel", {"payments": "C0123456789"})] = (
        msgspec.field(default_factory=dict)
    )
    aliases: Annotated[
        dict[str, TeamNames],
        says(
            "other names of a team in tags and commands; case, spaces and underscores are alike",
            {"payments": ["pay", "Payments Team"]},
        ),
    ] = msgspec.field(default_factory=dict)
    groups: Annotated[dict[str, UserGroup], says("a team's people, a user group", {"payments": "S0123456789"})] = (
        msgspec.field(default_factory=dict)
    )


def team_settings(section: TeamsSection) -> TeamSettings:
    aliases = alias_pairs(section)
    return TeamSettings(
        tag_keys=tuple(section.tag_keys),
        channel=section.channel,
        channels=_by_team(section.channels, aliases),
        fallback_channel=section.fallback_channel,
        aliases=aliases,
        groups=_by_team(section.groups, aliases),
        channel_tag=section.channel_tag or "",
    )


def alias_pairs(section: TeamsSection) -> dict[str, str]:
    """Another name of a team -> the team; a team's own name is none."""
    pairs = ((team_name(other), team_name(team)) for team, others in section.aliases.items() for other in others)
    return {other: team for other, team in pairs if other != team}


def contradictions(section: TeamsSection) -> Iterator[str]:
    """What cannot hold together: a name that means two teams, a team that is given two of what it has one of."""
    meant: dict[str, str] = {}
    teams = {team_name(team): team for team in section.aliases}
    for team, others in section.aliases.items():
        for other in others:
            name = team_name(other)
            first = meant.setdefault(name, team)
            if team_name(first) != team_name(team):
                yield f"[teams.aliases] {other!r} means both {first} and {team}. Leave it with one of them."
            elif name in teams and name != team_name(team):
                yield (
                    f"[teams.aliases] {other!r} is another name of {team} and has other names itself. "
                    f"Put them all under {team}."
                )
    aliases = alias_pairs(section)
    yield from _given_twice("channels", section.channels, aliases)
    yield from _given_twice("groups", section.groups, aliases)


def _given_twice(table: str, given: Mapping[str, str], aliases: Mapping[str, str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for name, value in given.items():
        team = aliases.get(team_name(name), team_name(name))
        before = first.setdefault(team, name)
        if given[before] != value:
            yield f"[teams.{table}] {before!r} and {name!r} are the same team, and it is given two. Take one out."


def _by_team(given: Mapping[str, str], aliases: Mapping[str, str]) -> dict[str, str]:
    named = ((team_name(name), value) for name, value in given.items())
    return {aliases.get(name, name): value for name, value in named}

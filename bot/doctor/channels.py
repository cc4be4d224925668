"""Every channel that the bot would post in: it exists, is not archived, and the bot is in it. Nothing is posted."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.channels import CHANNEL_ID, PAGE
from bot.config import Config
from bot.doctor.slack import unanswered
from bot.slack_errors import NO_ANSWER, error_code
from commands._teams import ChannelFrom, TeamSettings
from storage.diagnosis import Diagnosis, Outcome

AREA = "Channels"
SECONDS = 20.0  # for all pages of a large workspace
_ASKED_BY_ID = 40
_NAMED_IN = {
    ChannelFrom.SETTINGS: "[teams.channels]",
    ChannelFrom.TAG: "their tag",
    ChannelFrom.PATTERN: "[teams] channel",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A channel as the settings or a tag name it."""

    name: str  # "#finops" or an id
    setting: str  # what names it
    falls_back: bool  # whether what it does not take goes to the fallback channel


def wanted(config: Config, settings: TeamSettings, teams: Sequence[str]) -> list[Wanted]:
    """Each once; the fallback channel first."""
    found = [Wanted(settings.fallback_channel, "[teams] fallback_channel", False)]
    if config.file.budget.monthly_usd and config.file.budget.channel:
        found.append(Wanted(config.file.budget.channel, "[budget] channel", True))
    if config.file.report.weekly != "never" and config.file.report.channel:
        found.append(Wanted(config.file.report.channel, "[report] channel", True))
    for team in teams:
        name, by = settings.place_of(team)
        found.append(Wanted(name, _NAMED_IN.get(by, ""), True))
    return list({_key(one.name): one for one in reversed(found)}.values())[::-1]


def look(client: WebClient, bot: str, channels: Sequence[Wanted]) -> Iterator[Diagnosis]:
    """`bot`: its name in Slack."""
    try:
        known, whole = _listed(client, {_key(one.name) for one in channels})
    except NO_ANSWER as problem:
        how = "add channels:read under OAuth & Permissions and reinstall the app"
        if error_code(problem) != "missing_scope":
            how = "look again in a minute"
        yield unanswered(f"{len(channels):,} channels", problem, how, known={"missing_scope"}, area=AREA)
        return
    left = _ASKED_BY_ID
    for one in channels:
        channel: Mapping[str, Any] | Exception | None = known.get(_key(one.name))
        if channel is None and CHANNEL_ID.fullmatch(one.name) and left:
            left -= 1
            channel = _asked(client, one.name)
        yield _said(one, channel, bot, whole)


def _said(one: Wanted, channel: Mapping[str, Any] | Exception | None, bot: str, whole: bool) -> Diagnosis:
    lacking = Outcome.WARN if one.falls_back else Outcome.FAIL
    lost = "; what it would get goes to the fallback channel" if one.falls_back else "; there is nowhere else to post"

    def found(outcome: Outcome, said: str, how: str = "", what: str = "channel") -> Diagnosis:
        return Diagnosis(AREA, outcome, what, said, how, places=(one.name,))

    other = f"name another in {one.setting}" if one.setting.startswith("[") else "correct the tag"
    if isinstance(channel, Exception):
        return unanswered(f"channel {one.name}", channel, "look again in a minute", area=AREA)
    if channel is None and not whole:
        return found(
            Outcome.UNKNOWN, f"not among the channels that Slack listed in {SECONDS:.0f} s", "name it by its id"
        )
    if not channel:
        how = f"make it, or invite {bot} there if it is private: `/invite @{bot}`; or {other}"
        return found(lacking, f"{bot} sees no such channel{lost}", how)
    if channel.get("is_archived"):
        return found(lacking, f"is archived{lost}", f"unarchive it, or {other}")
    if not channel.get("is_member"):
        return found(lacking, f"{bot} is not in it{lost}", f"type `/invite @{bot}` there")
    if channel.get("is_read_only") or channel.get("is_frozen"):
        return found(lacking, f"only some people may post there{lost}", f"let {bot} post there, or {other}")
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
        said = "is shared with another company, whose people read what is posted there"
        return found(Outcome.WARN, said, other)
    return found(Outcome.OK, f"{bot} is in it, and may post")


def _listed(client: WebClient, names: set[str]) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """By name and by id; and whether these are all that there are, or all that are looked for."""
    found: dict[str, Mapping[str, Any]] = {}
    cursor, end, kinds = "", time.monotonic() + SECONDS, "public_channel,private_channel"
    while True:
        try:
            page = client.conversations_list(types=kinds, exclude_archived=False, limit=PAGE, cursor=cursor or None)
        except SlackApiError as problem:
            if error_code(problem) == "missing_scope" and problem.response.get("needed") == "groups:read":
                kinds = "public_channel"
                continue
            if problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS and found:
                return found, False
            raise
        for one in page.get("channels") or ():
            for key in (str(one.get("name", "")).lower(), str(one.get("id"))):
                # An archived channel may bear the name of one that is in use.
                if not found.get(key) or found[key].get("is_archived"):
                    found[key] = one
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor or names <= found.keys():
            return found, True
        if time.monotonic() > end:
            return found, False


def _asked(client: WebClient, channel: str) -> Mapping[str, Any] | Exception:
    """Of a channel that the list does not have; empty where there is none that the bot may see."""
    try:
        told: Mapping[str, Any] = client.conversations_info(channel=channel).get("channel") or {}
    except NO_ANSWER as problem:
        return {} if error_code(problem) == "channel_not_found" else problem
    return told


def _key(name: str) -> str:
    return name if CHANNEL_ID.fullmatch(name) else name.lstrip("#").lower()

"""Who may ask, and who may approve: decided at the click, from Slack's live record; in doubt, nobody."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.slack_errors import error_code
from commands._types import Permission
from storage.models import team_name

log = logging.getLogger(__name__)

GROUP_CACHE_SECONDS = 300.0
ONE_CLICK_SECONDS = 2.0  # one click asks twice: may they ask, may they approve
MOST_KEPT = 100


class SlackPeople:
    """Reads users.info (scope users:read) at each question and usergroups.users.list (usergroups:read) every 5 minutes.

    `workspace` is the bot's own team id; `approvers` and `team_approvers` hold user ids (U…, W…) and group ids (S…).
    """

    def __init__(
        self,
        client: WebClient,
        workspace: str,
        approvers: Sequence[str],
        team_approvers: Mapping[str, Sequence[str]],
    ) -> None:
        self._client = client
        self._workspace = workspace
        self._approvers = tuple(approvers)
        self._team_approvers = {team_name(team): tuple(ids) for team, ids in team_approvers.items()}
        self._people: dict[str, tuple[float, Permission]] = {}
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def may_ask(self, user: str, workspace: str) -> Permission:
        """Any full member of the bot's own workspace."""
        if not workspace or workspace != self._workspace:
            return Permission(False, "Lamplighter answers members of its own workspace only.")
        with self._lock:
            kept = self._people.get(user)
        if kept and time.monotonic() - kept[0] < ONE_CLICK_SECONDS:
            return kept[1]
        try:
            person = self._client.users_info(user=user).get("user") or {}
        except (SlackClientError, OSError) as problem:
            log.warning("users.info of %s failed: %s", user, error_code(problem))
            return Permission(False, "Slack could not say who you are. Try again in a minute.")
        why = _unfit(person, self._workspace)
        answer = Permission(False, why) if why else Permission(True, "member")
        with self._lock:
            newest = list(self._people.items())[-MOST_KEPT:]
            self._people = {**dict(newest), user: (time.monotonic(), answer)}
        return answer

    def may_approve(self, user: str, workspace: str, team: str | None) -> Permission:
        asks = self.may_ask(user, workspace)
        if not asks.allowed:
            return asks
        listed = self._listed(team)
        if not listed:
            return Permission(
                False,
                "Nobody may approve yet. Name approvers in lamplighter.toml, "
                'for example: [policy] approvers = ["U0123456789"]',
            )
        if user in listed:
            return Permission(True, f"approver {user}")
        unsure = False
        for group in (one for one in listed if one.startswith("S")):
            members = self._members(group)
            if members is None:
                unsure = True
            elif user in members:
                return Permission(True, f"member of approver group {group}")
        if unsure:
            return Permission(False, "Slack could not say whether you are an approver. Try again in a minute.")
        who = " ".join(self.approvers(team)[:10])
        return Permission(False, f"You are not an approver{f' of {team}' if team else ''}. Ask one of: {who}")

    def approvers(self, team: str | None) -> tuple[str, ...]:
        return tuple(f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in self._listed(team))

    def _listed(self, team: str | None) -> list[str]:
        return list(dict.fromkeys([*self._team_approvers.get(team or "", ()), *self._approvers]))

    def _members(self, group: str) -> frozenset[str] | None:
        """None where Slack would not say; groups need a paid plan."""
        with self._lock:
            kept = self._groups.get(group)
        if kept and time.monotonic() - kept[0] < GROUP_CACHE_SECONDS:
            return kept[1]
        try:
            members = frozenset(self._client.usergroups_users_list(usergroup=group).get("users") or ())
        except (SlackClientError, OSError) as problem:
            log.warning("usergroups.users.list of %s failed: %s", group, error_code(problem))
            return None
        with self._lock:
            self._groups[group] = (time.monotonic(), members)
        return members


def _unfit(person: Mapping[str, Any], workspace: str) -> str:
    """Why this person may not act; empty where they may."""
    if not person.get("id"):
        return "Slack could not say who you are. Try again in a minute."
    if person.get("team_id") not in (None, workspace) and workspace not in (person.get("teams") or ()):
        enterprise = person.get("enterprise_user") or {}
        if workspace not in (enterprise.get("teams") or ()):
            return "Lamplighter answers members of its own workspace only."
    if person.get("deleted"):
        return "This account is deactivated."
    if person.get("is_bot") or person.get("id") == "USLACKBOT":
        return "Bots cannot use Lamplighter."
    if person.get("is_restricted") or person.get("is_ultra_restricted") or person.get("is_stranger"):
        return "Guests cannot use Lamplighter. Ask a full member of this channel."
    return ""

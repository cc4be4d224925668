"""Who may ask, and who may approve: decided at the click, from Slack's live record; in doubt, nobody."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from slack_sdk import WebClient

from bot.policy import PolicySection
from bot.slack_errors import NO_ANSWER, error_code
from commands._types import Permission
from storage.approvers import ApprovalRules, TeamRules
from storage.models import team_name

log = logging.getLogger(__name__)

GROUP_CACHE_SECONDS = 300.0
ONE_CLICK_SECONDS = 2.0  # one click asks twice: may they ask, may they approve
MOST_KEPT = 100
NO_GROUPS = ("plan_upgrade_required", "paid_teams_only")


class SlackPeople:
    """Reads users.info (scope users:read) at each question and usergroups.users.list (usergroups:read) every 5 minutes.

    `workspace` is the bot's own team id; all else holds user ids (U…, W…) and group ids (S…). Who is denied, for all or
    for the team, may not approve whatever else names them.
    """

    def __init__(
        self,
        client: WebClient,
        workspace: str,
        approvers: Sequence[str],
        team_approvers: Mapping[str, Sequence[str]],
        deny: Sequence[str] = (),
        team_deny: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._client = client
        self._workspace = workspace
        self._approvers, self._deny = tuple(approvers), tuple(deny)
        self._team_approvers, self._team_deny = _by_team(team_approvers.items()), _by_team((team_deny or {}).items())
        self._people: dict[str, tuple[float, Permission]] = {}
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        self._everybody: tuple[float, Mapping[str, frozenset[str]]] | None = None
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
        except NO_ANSWER as problem:
            log.warning("users.info of %s failed: %s", user, error_code(problem))
            return Permission(False, "Slack could not say who you are. Try again in a minute.")
        why = unfit(person, self._workspace)
        answer = Permission(False, why) if why else Permission(True, "member")
        with self._lock:
            newest = list(self._people.items())[-MOST_KEPT:]
            self._people = {**dict(newest), user: (time.monotonic(), answer)}
        return answer

    def may_approve(self, user: str, workspace: str, team: str | None) -> Permission:
        asks = self.may_ask(user, workspace)
        if not asks.allowed:
            return asks
        barred = self._barred(user, team)
        if barred:
            return Permission(False, barred)
        listed = self.listed(team)
        if not listed:
            return Permission(
                False,
                "Nobody may approve yet. Name approvers in lamplighter.toml, "
                'for example: [policy] approvers = ["U0123456789"]',
            )
        if user in listed:
            return Permission(True, self._rule(user, team))
        unread = ""
        for group in filter(is_group, listed):
            members = self._members(group)
            if isinstance(members, str):
                unread = unread or f"{_unreadable(group, members)} So it is not known whether you are an approver."
            elif user in members:
                return Permission(True, self._rule(group, team))
        if unread:
            return Permission(False, unread)
        who = " ".join(self.approvers(team)[:10])
        return Permission(False, f"You are not an approver{f' of {team}' if team else ''}. Ask one of: {who}")

    def approvers(self, team: str | None) -> tuple[str, ...]:
        return tuple(f"<!subteam^{one}>" if is_group(one) else f"<@{one}>" for one in self.listed(team))

    def teams_of(self, user: str, groups: Mapping[str, str]) -> frozenset[str]:
        """All groups are asked about at once; where Slack will not tell, nobody is in one."""
        members = self._all_members() if groups else {}
        by_group = {team for team, group in groups.items() if user in members.get(group, frozenset())}
        return frozenset(by_group | {team for team, named in self._team_approvers.items() if user in named})

    def rules(self) -> ApprovalRules:
        """Ids alone. Of a group that Slack will not tell of, nobody can approve."""
        names = sorted({*self._team_approvers, *self._team_deny})
        teams = {name: TeamRules(self._team_approvers.get(name, ()), self._team_deny.get(name, ())) for name in names}
        named = [
            *self._approvers,
            *self._deny,
            *(one for each in teams.values() for one in (*each.approvers, *each.deny)),
        ]
        groups: dict[str, tuple[str, ...] | None] = {}
        for group in sorted(set(filter(is_group, named))):
            members = self._members(group)
            groups[group] = None if isinstance(members, str) else tuple(sorted(members))
        return ApprovalRules(self._approvers, self._deny, teams, groups)

    def _all_members(self) -> Mapping[str, frozenset[str]]:
        with self._lock:
            kept = self._everybody
        if kept and time.monotonic() - kept[0] < GROUP_CACHE_SECONDS:
            return kept[1]
        try:
            found = self._client.usergroups_list(include_users=True).get("usergroups") or ()
        except NO_ANSWER as problem:
            log.warning("usergroups.list failed: %s", error_code(problem))
            return kept[1] if kept else {}
        members = {str(one["id"]): frozenset(one.get("users") or ()) for one in found}
        with self._lock:
            self._everybody = (time.monotonic(), members)
        return members

    def _rule(self, named: str, team: str | None) -> str:
        """The place in the settings that names a person or a group as an approver; kept with the decision."""
        of_team = team is not None and named in self._team_approvers.get(team, ())
        section = f"policy.teams.{team}" if of_team else "policy"
        return f"[{section}] approvers: {named}"

    def listed(self, team: str | None) -> list[str]:
        """The ids of people and groups who may approve for this team, less those that are denied."""
        denied = self._denied(team)
        named = [*self._team_approvers.get(team or "", ()), *self._approvers]
        return [one for one in dict.fromkeys(named) if one not in denied]

    def _denied(self, team: str | None) -> list[str]:
        return list(dict.fromkeys([*self._team_deny.get(team or "", ()), *self._deny]))

    def _barred(self, user: str, team: str | None) -> str:
        """Why the settings deny it to this person; empty where they do not."""
        denied = self._denied(team)
        if user in denied:
            return "The settings say that you may not approve: [policy] deny names you."
        for group in filter(is_group, denied):
            members = self._members(group)
            if isinstance(members, str):
                return f"{_unreadable(group, members)} So it is not known whether you are denied to approve."
            if user in members:
                return f"The settings say that you may not approve: [policy] deny names your group <!subteam^{group}>."
        return ""

    def _members(self, group: str) -> frozenset[str] | str:
        """Slack's error code where it would not say; groups need a paid plan."""
        with self._lock:
            kept = self._groups.get(group)
        if kept and time.monotonic() - kept[0] < GROUP_CACHE_SECONDS:
            return kept[1]
        try:
            members = frozenset(self._client.usergroups_users_list(usergroup=group).get("users") or ())
        except NO_ANSWER as problem:
            log.warning("usergroups.users.list of %s failed: %s", group, error_code(problem))
            return error_code(problem)
        with self._lock:
            self._groups[group] = (time.monotonic(), members)
        return members


def people_of(
    policy: PolicySection, client: WebClient, workspace: str, named: Callable[[str], str] = team_name
) -> SlackPeople:
    """Those whom [policy] names. `named` says which team a name means."""
    teams = policy.teams.items()
    return SlackPeople(
        client,
        workspace,
        policy.approvers,
        _by_team([(named(team), said.approvers) for team, said in teams]),
        policy.deny,
        _by_team([(named(team), said.deny) for team, said in teams]),
    )


def _by_team(named: Iterable[tuple[str, Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    """Two names of one team say what they say together: who is denied under either is denied."""
    found: dict[str, tuple[str, ...]] = {}
    for team, ids in named:
        found[team_name(team)] = (*found.get(team_name(team), ()), *ids)
    return found


def is_group(one: str) -> bool:
    return one.startswith("S")


def _unreadable(group: str, error: str) -> str:
    """What Slack would not say, and how to do without."""
    said = f"Slack could not say who is in the group <!subteam^{group}> ({error})."
    if error in NO_GROUPS:
        return f"{said} User groups need a paid plan: name people by their ids in lamplighter.toml."
    return f"{said} Try again in a minute."


def unfit(person: Mapping[str, Any], workspace: str) -> str:
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

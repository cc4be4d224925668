"""Everybody who is named as an approver, and whether each team has one who may approve."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk import WebClient

from bot.config import Config
from bot.doctor.slack import unanswered
from bot.people import NO_GROUPS, is_group, people_of, unfit
from bot.slack_errors import NO_ANSWER, error_code
from storage.diagnosis import Diagnosis, Outcome

AREA = "Approvers"
SECONDS = 20.0  # for all people
_MEMBERS_ASKED = 10  # of a group, until one is found who may approve
_NO_TEAM = "(no known team)"


class Approvers:
    """Each person and group is looked up once, whatever teams they are named for."""

    def __init__(self, client: WebClient, workspace: str, config: Config) -> None:
        self._client, self._workspace, self._config = client, workspace, config
        self._people = people_of(config.file.policy, client, workspace, config.teams.named)
        self._fit: dict[str, bool | None] = {}  # by id of a person or group; None: not known
        self._why: dict[str, str] = {}
        self._end = time.monotonic() + SECONDS

    def look(self, teams: Sequence[str]) -> Iterator[Diagnosis]:
        named = self._named(teams)
        yield from self._groups([*filter(is_group, named), *self._others()])
        for one in named:
            if not is_group(one):
                yield self._person(one)
        yield from self._teams(teams)

    def _named(self, teams: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(one for team in (*teams, None) for one in self._people.listed(team)))

    def _others(self) -> list[str]:
        """Groups that are named for something else: who is denied, and whose a team is."""
        policy = self._config.file.policy
        denied = [*policy.deny, *(one for team in policy.teams.values() for one in team.deny)]
        return [*filter(is_group, denied), *self._config.file.teams.groups.values()]

    # ---- people

    def _person(self, user: str) -> Diagnosis:
        fit = self._is_fit(user)
        why = self._why.get(user, "")
        if fit:
            return Diagnosis(AREA, Outcome.OK, "person", "may approve", places=(user,))
        if fit is None:
            return Diagnosis(AREA, Outcome.UNKNOWN, "person", why, "look again in a minute", places=(user,))
        how = "take the id out of [policy], or name somebody else"
        return Diagnosis(AREA, Outcome.WARN, "person", why, how, places=(user,))

    def _is_fit(self, user: str) -> bool | None:
        if user not in self._fit:
            self._fit[user] = self._asked(user)
        return self._fit[user]

    def _asked(self, user: str) -> bool | None:
        if time.monotonic() > self._end:
            self._why[user] = f"was not looked up within {SECONDS:.0f} s"
            return None
        try:
            person: Mapping[str, Any] = self._client.users_info(user=user).get("user") or {}
        except NO_ANSWER as problem:
            error = error_code(problem)
            if error in ("user_not_found", "user_not_visible"):
                self._why[user] = "Slack knows nobody by this id"
                return False
            self._why[user] = f"Slack could not say who this is ({error})"
            return None
        why = unfit(person, self._workspace)
        self._why[user] = why.partition(". ")[0].rstrip(".")
        return not why

    # ---- groups

    def _groups(self, groups: Sequence[str]) -> Iterator[Diagnosis]:
        asked = list(dict.fromkeys(groups))
        if not asked:
            return
        try:
            told = self._client.usergroups_list(include_users=True, include_disabled=True, include_count=True)
        except NO_ANSWER as problem:
            error = error_code(problem)
            self._fit |= dict.fromkeys(asked)
            how = "look again in a minute"
            if error in NO_GROUPS:
                self._fit |= dict.fromkeys(asked, False)
                how = "user groups need a paid plan: name people by their ids in lamplighter.toml"
            elif error == "missing_scope":
                how = "add usergroups:read under OAuth & Permissions and reinstall the app"
            known = {*NO_GROUPS, "missing_scope"}
            yield unanswered("user groups", problem, how, known=known, area=AREA)
            return
        by_id = {str(one["id"]): one for one in told.get("usergroups") or ()}
        for group in asked:
            yield self._group(group, by_id.get(group))

    def _group(self, group: str, told: Mapping[str, Any] | None) -> Diagnosis:
        how = "correct the id in lamplighter.toml (it begins with S)"
        self._fit[group] = False
        if told is None:
            return Diagnosis(AREA, Outcome.WARN, "user group", "Slack knows none by this id", how, places=(group,))
        name = f"@{told.get('handle')}"
        if told.get("date_delete"):
            said, how = f"{name} is disabled", "enable it in Slack, or name another"
            return Diagnosis(AREA, Outcome.WARN, "user group", said, how, places=(group,))
        members = [str(one) for one in told.get("users") or ()]
        fits = [self._is_fit(one) for one in members[:_MEMBERS_ASKED]] if members else []
        self._fit[group] = True if any(fits) else (None if None in fits or len(members) > len(fits) else False)
        if self._fit[group]:
            said = f"{name} has {len(members):,} member{'' if len(members) == 1 else 's'}"
            return Diagnosis(AREA, Outcome.OK, "user group", said, places=(group,))
        if self._fit[group] is None:
            said = f"whether anybody in {name} may approve is not known"
            return Diagnosis(AREA, Outcome.UNKNOWN, "user group", said, "look again in a minute", places=(group,))
        said = f"{name} has no member who may approve" if members else f"{name} has no members"
        return Diagnosis(AREA, Outcome.WARN, "user group", said, "put somebody into it", places=(group,))

    # ---- teams

    def _teams(self, teams: Sequence[str]) -> Iterator[Diagnosis]:
        for team in (*teams, None):
            yield self._team(team)

    def _team(self, team: str | None) -> Diagnosis:
        place, what = (team or _NO_TEAM,), "approvers of a team"
        listed = self._people.listed(team)
        if not listed:
            how = 'name some in lamplighter.toml, as in [policy] approvers = ["U0123456789"]'
            return Diagnosis(AREA, Outcome.FAIL, what, "there are none: nobody may approve a fix", how, places=place)
        fits = [self._fit.get(one) for one in listed]
        if not any(fits):
            if None in fits:
                said, how = "whether anybody may approve is not known", "look again in a minute"
                return Diagnosis(AREA, Outcome.UNKNOWN, what, said, how, places=place)
            said, how = (
                "none of those that are named may approve",
                "name somebody who is a full member of the workspace",
            )
            return Diagnosis(AREA, Outcome.FAIL, what, said, how, places=place)
        alone = len(listed) == 1 and not is_group(listed[0])
        if alone and self._config.file.policy.two_people != "never":
            said = "there is one alone, and two_people asks for another to approve what that one asks for"
            return Diagnosis(AREA, Outcome.WARN, what, said, "name a second one in [policy]", places=place)
        return Diagnosis(AREA, Outcome.OK, what, "there is somebody who may approve", places=place)

"""The Slack side of the demo's organisation fits its AWS side."""

from __future__ import annotations

import re

from bot.demo.fleet_data import TEAMS
from bot.demo.people import ANA, APPROVERS, BO, GUEST, NOT_INVITED, channels, people, user_groups
from bot.demo.slack import BOT_USER_ID


def test_every_team_has_a_channel_with_people_in_it() -> None:
    by_name = {channel.name: channel for channel in channels()}

    for team in TEAMS:
        assert by_name[f"team-{team}"].members - set(APPROVERS) - {BOT_USER_ID}


def test_the_bot_is_in_every_channel_it_needs_but_one() -> None:
    without = {channel.name for channel in channels() if BOT_USER_ID not in channel.members}

    assert without == {"general", f"team-{NOT_INVITED}"}


def test_approvers_are_full_members_and_the_guest_is_none_of_them() -> None:
    by_id = {person.id: person for person in people()}

    assert [by_id[approver].name for approver in APPROVERS] == ["ana", "bo"]
    assert by_id[GUEST].is_restricted
    assert not any(by_id[approver].is_restricted for approver in (ANA, BO))
    assert tuple(user_groups()[0].members) == APPROVERS


def test_ids_look_like_slacks_and_are_unique() -> None:
    ids = [person.id for person in people()] + [channel.id for channel in channels()]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[UC]0[0-9A-Z]{6,10}", identity) for identity in ids)


def test_nobody_is_in_a_channel_who_does_not_exist() -> None:
    known = {person.id for person in people()} | {BOT_USER_ID}

    assert all(channel.members <= known for channel in channels())

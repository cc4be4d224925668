"""`/trace-audit doctor`: for approvers, one at a time, and nothing is changed."""

from dataclasses import replace

import pytest

from commands._types import Progress, Say
from commands.audit import audit
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.doctor.words import Uses
from commands.doctor import everything, uses_of
from storage.diagnosis import Diagnosis, Outcome
from tests.commands.conftest import ANA, EVE

ALL_WELL = Diagnosis("Slack", Outcome.OK, "SLACK_BOT_TOKEN", "lamplighter in Lamplit")


def test_an_approver_hears_first_that_it_is_looked_at_and_then_all_of_it(world):
    context = replace(world.context, look_around=lambda: [ALL_WELL])

    looking, answer = audit(world.asks(text=" Doctor "), context)

    assert looking == Progress("Looking at settings, Slack and AWS…")
    assert isinstance(answer, Say)
    assert answer.text.startswith("Is it set up right? ")
    shown = str(answer.blocks)
    assert "SLACK_BOT_TOKEN" in shown
    assert "permissions of the audit role" in shown
    assert world.writes() == []
    assert world.store.decisions.all() == []


def test_who_may_approve_for_one_team_may_ask_and_nobody_else(world, people):
    people.of_team = {"": (), "payments": (EVE,)}
    world.function("refund")
    world.audit()
    calls = len(world.aws.calls)

    (refused,) = audit(world.asks(ANA, text="doctor"), replace(world.context, people=people))
    assert refused == Say("You are not an approver.")
    assert len(world.aws.calls) == calls

    assert len(list(audit(world.asks(EVE, text="doctor"), replace(world.context, people=people)))) == 2


def test_two_do_not_look_at_once(context):
    from commands._types import Request
    from storage.models import Source

    request = Request(ANA, context.clock(), Source.SLASH, text="doctor", workspace="T0LAMPLIT")
    first = audit(request, context)
    assert isinstance(next(first), Progress)

    (second,) = audit(request, context)

    assert second == Say("Somebody is having it looked at right now. Ask again in a minute.")
    first.close()
    assert not context.in_hand.held("doctor")


def test_what_the_settings_turn_on_is_what_is_looked_at(context):
    off = replace(context.forecasting, enabled=False)

    assert uses_of(context, ANA) == Uses(approver=ANA)
    assert not uses_of(replace(context, forecasting=off), ANA).forecasts


@pytest.fixture
def nowhere(monkeypatch):
    """An AWS that nobody reaches."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPRETEND")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "pretend")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def test_a_fault_of_ours_is_an_unknown_and_stops_nothing_else(nowhere):
    def around():
        raise KeyError("a fault")

    slack, aws = everything(Cloud(AwsSettings()), Uses(), around)

    assert (slack.outcome, slack.said) == (Outcome.UNKNOWN, "could not be looked at (KeyError)")
    assert (aws.what, aws.outcome) == ("the way to AWS", Outcome.UNKNOWN)

"""A right answer passes, and one wrong function in it does not."""

import json
import re

import pytest

from tests.bench.contestants import Custodian, Lamplighter
from tests.bench.world import HOME, World

WORLD = World.read("1x2x120x7@1")
RIGHT = [
    {"arn": arn, "mode": truth.mode, "team": truth.team, "verdict": truth.verdict}
    for arn, truth in WORLD.truths().items()
]
DENIED = {"account": HOME, "region": "eu-west-1", "reason": "denied"}


def with_change(number, **changed):
    return [*RIGHT[:number], {**RIGHT[number], **changed}, *RIGHT[number + 1 :]]


def lamplighters(tmp_path, functions, not_scanned=()):
    said = {"functions": functions, "not_scanned": list(not_scanned)}
    return Lamplighter().problem(WORLD, json.dumps(said).encode(), tmp_path)


def test_lamplighters_right_answer_is_right(tmp_path):
    assert lamplighters(tmp_path, RIGHT) == ""


@pytest.mark.parametrize(
    ("functions", "problem"),
    [
        pytest.param([], "240 of 240 are wrong", id="nothing found"),
        pytest.param(RIGHT[1:], "1 of 240 are wrong; .*-00000 is missing", id="one missing"),
        pytest.param([*RIGHT, {**RIGHT[0], "arn": "arn:x"}], "arn:x is .*, not there", id="one too many"),
        pytest.param(with_change(6, verdict="traced"), "1 of 240 .*'traced'.*, not .*'untraced'", id="wrong verdict"),
        pytest.param(with_change(0, mode="PassThrough"), "1 of 240 .*, not .*'Active'", id="wrong mode"),
        pytest.param(with_change(0, team=None), "1 of 240 .*, not .*'payments'", id="no team"),
    ],
)
def test_lamplighters_answer_with_one_thing_wrong_is_wrong(functions, problem, tmp_path):
    assert re.search(problem, lamplighters(tmp_path, functions))


def test_what_lamplighter_could_not_see_makes_its_answer_wrong(tmp_path):
    assert "could not see everything" in lamplighters(tmp_path, RIGHT, [DENIED])


def test_lamplighter_that_breaks_off_gave_no_answer(tmp_path):
    assert Lamplighter().problem(WORLD, b"Traceback", tmp_path) == "no answer"


def test_custodians_answer_is_right_if_it_lists_just_what_it_was_asked_for(tmp_path):
    found = tmp_path / "found" / "eu-west-1" / "untraced"
    found.mkdir(parents=True)
    right = sorted(WORLD.not_active_with_team())

    def problem(arns):
        (found / "resources.json").write_text(json.dumps([{"FunctionArn": each} for each in arns]))
        return Custodian().problem(WORLD, b"", tmp_path)

    assert problem(right) == ""
    assert problem(right[1:]) == f"1 of 152 are wrong; {right[0]} is missing, not listed"
    assert problem([*right, "arn:x"]) == "1 of 152 are wrong; arn:x is listed, not there"
    assert Custodian().problem(WORLD, b"", tmp_path / "elsewhere") == "no answer"


def test_the_settings_of_this_machines_user_reach_no_contestant(tmp_path, monkeypatch):
    for name in ("AWS_PROFILE", "SLACK_BOT_TOKEN", "LAMPLIGHTER_CONFIG", "https_proxy"):
        monkeypatch.setenv(name, "mine")

    for contestant in (Lamplighter(), Custodian()):
        assert "mine" not in contestant.start(WORLD, "http://127.0.0.1:1", tmp_path).environment.values()

"""What was measured is reported as it was: medians, ratios, the machine, and nothing where an answer was wrong."""

import re
from datetime import date
from io import StringIO

import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.bench import report
from tests.bench.__main__ import conclude, main
from tests.bench.load import Loaded
from tests.bench.measuring import Run
from tests.bench.report import Measured, Setting
from tests.bench.world import World

WHO = {"Lamplighter": "0.1.0", "Cloud Custodian": "0.9.53"}
SETTING = Setting(date(2026, 11, 24), "Linux x86_64", 2, 0.12, "3.11.7", WHO, runs=3)


def run(seconds, calls=1200, problem="", refused=None):
    return Run(seconds, seconds / 2, seconds * 10, calls, 100, refused or {}, problem)


def measured(world="100x5x20x10@50", theirs=(100, 80, 400), **more):
    ours = [run(2.0), run(1.0), run(9.0, **more)]
    runs = {"Lamplighter": ours, "Cloud Custodian": [run(each, 1500) for each in theirs]}
    return Measured(World.read(world), runs if theirs else {"Lamplighter": ours})


def test_a_world_is_reported_by_medians_and_their_ratios():
    ours, theirs, ratio = report.rows(measured())

    assert ours == ["Lamplighter", "5,000", "2.00", "1.00", "20", "1,200", "100"]
    assert theirs == ["Cloud Custodian", "100", "100.00", "50.00", "1,000", "1,500", "100"]
    assert ratio == ["Custodian ÷ Lamplighter", "", "50.0", "50.0", "50.0", "1.25", "1.00"]


def test_benchmarks_names_the_day_the_machine_and_every_world_in_whole_tables():
    alone = measured("200x5x100x20@50", theirs=(), refused={"iam:ListUsers": 3})

    text = report.markdown([measured(), alone], SETTING)

    assert "Measured on 2026-11-24 by `make bench`" in text
    assert "Linux x86_64, 2 cores, load 0.1 before it began, Python 3.11.7; Lamplighter 0.1.0, Cloud Custodian" in text
    assert "## 100 accounts × 5 regions × 20 functions\n\n10 roles in each account, 50 ms a call: " in text
    assert "the longest chain of pages alone takes 0.05 s." in text
    assert "| Custodian ÷ Lamplighter |  | 50.0 |" in text
    assert "Refused to Lamplighter: 3 iam:ListUsers." in text
    assert "| `200x5x100x20@50` | 100,000 | 2,000 | 2.00 | 1,000 | 20 |" in text
    tables = re.findall(r"\n\n((?:\|.*\n)+)", text)
    widths = [{line.count("|") for line in table.splitlines()} for table in tables]
    assert widths == [{8}, {8}, {7}]
    assert all(re.fullmatch(r"\| ---( \| ---:)+ \|", table.splitlines()[1]) for table in tables)


def loaded(*failures):
    acks = tuple(number / 1000 for number in range(1, 201))
    return Loaded(World.read("60x5x334x20@50"), 50.0, 200, acks, failures, 41.6, 300, 62.2, 412.4)


def test_what_slack_waited_for_while_the_bot_worked_is_written_too():
    text = report.markdown([measured()], SETTING, [loaded()])

    assert "- Over Socket Mode: 200 commands, 50 a second, while 100,200 functions were audited and 300" in text
    assert " fixed in a batch: none failed." in text
    assert "- Slack waited for the acknowledgement: median 101 ms, p90 181 ms, p99 199 ms, slowest 200 ms. It" in text
    assert "answered after 42 s, and the last fix read back after 62 s; the bot's memory was 412 MB at most." in text


def test_a_command_that_failed_under_load_is_an_error_that_writes_nothing(tmp_path):
    path = tmp_path / "BENCHMARKS.md"

    assert conclude([measured()], SETTING, path, [loaded("operation_timeout")]) == 1
    assert not path.exists()
    assert "1 of them failed" in report.while_it_works(loaded("operation_timeout"))[0]


def test_the_terminals_table_fits_80_columns():
    page = StringIO()
    Console(width=80, file=page).print(report.table(measured(theirs=(12345.6,))))

    assert "Custodian ÷ Lamplighter" in page.getvalue()
    assert "…" not in page.getvalue()


def test_right_answers_are_written_and_a_wrong_one_is_an_error_that_writes_nothing(tmp_path):
    path = tmp_path / "BENCHMARKS.md"
    wrong = measured(problem="1 of 10,000 are wrong")

    assert conclude([measured(), wrong], SETTING, path) == 1
    assert not path.exists()
    assert report.rows(wrong)[0][0] == "Lamplighter (WRONG)"
    assert conclude([measured()], SETTING, path) == 0
    assert path.read_text(encoding="utf-8").startswith("# Benchmarks\n")
    assert conclude([measured()], SETTING, None) == 0


def test_a_busy_machine_is_named():
    assert SETTING.warning == ""
    assert "load 6.9 on 2 cores" in Setting(date(2026, 11, 24), "Linux", 2, 6.87, "3.11.7", WHO, 3).warning


@pytest.mark.parametrize("world", ["many", "1x1x1000x50", "0x1x10x1@5", "1x9x10x1@5", "1x1x1x1@"])
def test_a_world_that_cannot_be_is_named_with_one_that_can(world):
    answer = CliRunner().invoke(main, ["--no-peer", "--world", world])

    assert answer.exit_code == 2
    assert f"'{world}'" in answer.output


def test_a_world_is_measured_alone_where_no_peer_is_wanted():
    answer = CliRunner().invoke(main, ["--no-peer", "-n", "1", "--world", "1x1x10x2@0"])

    assert answer.exit_code == 0, answer.output
    assert "1 account × 1 region × 10 functions; 2 roles in each account" in answer.output
    assert re.search(r"Lamplighter +\d", answer.output)
    assert "Custodian" not in answer.output

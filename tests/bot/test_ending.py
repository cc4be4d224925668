"""Told to stop, the bot ends in time: what runs is ended, what does not end is cut short and named."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.slack import SlackStandIn
from bot.desk import ASKERS, FORM_OPENERS, WORKERS, Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from bot.scheduler import DailyClock
from commands._drawing import draw
from commands._types import Answer, Context, Request, Say
from storage.models import Source
from tests.e2e.scene import ROOT, wait_for

STUCK = """
import logging, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from bot.signals import end_when_told
logging.basicConfig(format="%(message)s")
stop = threading.Event()
end_when_told(stop, float(sys.argv[1]), lambda: time.sleep(float(sys.argv[3])) or ["taking up the fix 7"])
pool = ThreadPoolExecutor()
pool.submit(time.sleep, float(sys.argv[2]))
print("ready", flush=True)
stop.wait()
print("told", flush=True)
pool.shutdown()
print("ended", flush=True)
"""


def stopped(within: float, works: float, *, mute: float = 0, twice: bool = False) -> tuple[int, str, str]:
    """Exit code, output and errors of a process that is told to stop while it works for so many seconds, and cannot
    say for `mute` what it works on."""
    command = [sys.executable, "-c", STUCK, str(within), str(works), str(mute)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    if twice:
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=30)
    return process.returncode, out, errors


def test_what_ends_in_time_is_waited_for() -> None:
    assert stopped(within=20, works=0.3) == (0, "told\nended\n", "")


def test_what_does_not_is_cut_short_and_named() -> None:
    code, out, errors = stopped(within=0.3, works=20)

    assert (code, out) == (0, "told\n")
    assert errors == ("ending after 0 s, with this cut short and taken up at the next start: taking up the fix 7\n")


def test_what_cannot_even_be_named_is_cut_short_too() -> None:
    assert stopped(within=0.3, works=20, mute=20) == (0, "told\n", "")


def test_a_second_signal_ends_it_at_once() -> None:
    began = time.monotonic()

    assert stopped(within=20, works=20, twice=True)[0] == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10


@pytest.fixture
def desk(context: Context, client: WebClient) -> Desk:
    people = SlackPeople(client, "T0LAMPLIT", ["U07K2M4QANA"], {})
    return Desk(context, people, Outbox(context, client, ChannelNames(client), draw))


def test_the_desk_ends_what_it_has_begun_and_begins_nothing_more(
    desk: Desk, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        go.wait(10)
        done.append("the fix 7")

    desk.run_alone("taking up the fix 7", work)
    assert begun.wait(10)
    assert desk.at_work() == ["taking up the fix 7"]
    ending = threading.Thread(target=desk.stop)
    ending.start()
    until_closed(desk)
    desk.run_alone("the fix 8", lambda: done.append("the fix 8"))
    request = Request(user="U07K2M4QANA", now=context.clock(), source=Source.SLASH)
    desk.take(lambda *_: [Say("fix 9")], request, lambda _: done.append("fix 9"))
    assert ending.is_alive()
    go.set()
    ending.join(10)

    assert done == ["the fix 7"]
    assert desk.at_work() == []
    assert "the fix 8 came while Lamplighter was ending" in caplog.text
    assert "a request of U07K2M4QANA came while Lamplighter was ending" in caplog.text


@pytest.mark.parametrize(
    ("how", "threads"),
    [({"quick": True}, FORM_OPENERS), ({"decides": True}, WORKERS), ({}, ASKERS)],
    ids=["forms", "decisions", "questions"],
)
def test_what_still_waits_for_a_thread_never_begins(
    desk: Desk, context: Context, slack: SlackStandIn, how: dict[str, bool], threads: int
) -> None:
    slack.rates.tiers = False  # more people than Slack would say the names of in a minute
    go, done = threading.Event(), list[int]()

    def work(_request: Request, _context: Context) -> Answer:
        assert go.wait(30)
        done.append(1)
        yield Say("done")

    request = Request("U07K2M4QANA", context.clock(), Source.SLASH, workspace="T0LAMPLIT")
    for _ in range(threads + 3):
        desk.take(work, request, lambda _: None, **how)
    wait_for(lambda: len(desk.at_work()) == threads)
    ending = threading.Thread(target=desk.stop)
    ending.start()
    ending.join(0.2)
    assert ending.is_alive()
    go.set()
    ending.join(30)

    assert len(done) == threads


def until_closed(desk: Desk) -> None:
    deadline = time.monotonic() + 10
    while not desk._work._shutdown and time.monotonic() < deadline:
        threading.Event().wait(0.01)


def test_the_clock_ends_the_job_that_runs(context: Context) -> None:
    begun, go, done = threading.Event(), threading.Event(), []
    clock = DailyClock([], context, context.schedule.slots(), lambda: None)

    def job() -> None:
        begun.set()
        go.wait(10)
        done.append(1)

    clock.every(3600, "job", job)
    clock.start()
    assert begun.wait(10)
    ending = threading.Thread(target=clock.stop)
    ending.start()
    ending.join(0.2)
    assert ending.is_alive()
    go.set()
    ending.join(10)

    assert done == [1]

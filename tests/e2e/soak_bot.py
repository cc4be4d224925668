"""The real bot as a process of its own, on a clock that somebody else moves: `python -m tests.e2e.soak_bot 3600` begins
an hour from now. It takes orders on its standard input, a line each, and answers each with one line of JSON.
"""

import faulthandler
import gc
import json
import logging
import resource
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter, OrderedDict, deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.interval
from apscheduler.schedulers.background import BackgroundScheduler

import bot.channels
import bot.doors
import bot.outbox
import bot.people
import bot.scheduler
import bot.service
import commands.aws.accounts
import commands.aws.one_function
import commands.aws.simulator
from bot.config import load
from bot.doors import SocketDoor
from bot.outbox import Outbox
from bot.service import Service

CONTAINERS = (dict, list, set, deque, OrderedDict)
PING_SECONDS = 0.5  # by the machine's clock: the SDK sees after so many that a connection is gone, and dials again
OURS = {"bot", "commands", "storage", "slack_bolt"}  # whose objects come with each request, and must go with it


class Ahead:
    """The machine's clock, and how many seconds this process believes to be after it."""

    seconds = 0.0


def now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=Ahead.seconds)


class MovedDatetime(datetime):
    """In the place of `datetime` in the modules that look at the machine's clock themselves."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # the clock alone is another
        return now().astimezone(tz)


class MovedTime(ModuleType):
    """In the place of `time` in the modules whose patience is measured in seconds of that clock."""

    sleep, time, thread_time = staticmethod(time.sleep), staticmethod(time.time), staticmethod(time.thread_time)

    @staticmethod
    def monotonic() -> float:
        return time.monotonic() + Ahead.seconds


class MovedEvent(threading.Event):
    """Waits by the moved clock."""

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        until = now() + timedelta(seconds=timeout)
        while not super().wait(0.05) and now() < until:
            pass
        return self.is_set()


def move_clocks() -> None:
    for module in (
        apscheduler.executors.base,
        apscheduler.schedulers.base,
        apscheduler.triggers.interval,
        bot.scheduler,
        commands.aws.accounts,
        commands.aws.one_function,
        commands.aws.simulator,
    ):
        module.datetime = MovedDatetime  # type: ignore[attr-defined] # the clock alone is another
    for module in (bot.outbox, bot.channels, bot.people):
        module.time = MovedTime("time")  # type: ignore[attr-defined] # the clock alone is another
    bot.scheduler.BackgroundScheduler = MovedScheduler  # type: ignore[misc] # told when the clock has jumped
    bot.service.Outbox = MovedOutbox  # type: ignore[misc] # told when the clock has jumped
    bot.doors.SocketDoor = partial(SocketDoor, ping_seconds=PING_SECONDS)  # type: ignore[misc,assignment] # the same, and it pings oftener


class Sleepers:
    """Who waits for a moment, and is told to look when the clock has jumped."""

    outboxes: ClassVar[list[Outbox]] = []
    schedulers: ClassVar[list[BackgroundScheduler]] = []

    @classmethod
    def wake(cls) -> None:
        for outbox in cls.outboxes:
            outbox.nudge()
        for scheduler in cls.schedulers:
            if scheduler.running:
                scheduler.wakeup()


class MovedOutbox(Outbox):
    def start(self) -> None:
        Sleepers.outboxes.append(self)
        super().start()


class MovedScheduler(BackgroundScheduler):  # type: ignore[misc] # APScheduler is untyped
    def start(self, *args: Any, **more: Any) -> None:
        super().start(*args, **more)
        Sleepers.schedulers.append(self)


def listen() -> None:
    """`at <seconds>`: the clock jumps; `look`: what the process holds."""
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "at":
            Ahead.seconds = float(rest)
            Sleepers.wake()
            answer: dict[str, Any] = {"at": now().isoformat()}
        else:
            answer = look()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def look() -> dict[str, Any]:
    """Threads, files, connections, memory and objects, after the garbage was taken out."""
    gc.collect()
    links = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own
            links.append(str(link.readlink()))
    objects = gc.get_objects()
    mine = [one for one in objects if type(one).__module__.partition(".")[0] in OURS]
    found: dict[str, Any] = {
        "threads": threading.active_count(),
        "files": len(links),
        "sockets": sum(one.startswith("socket:") for one in links),
        "databases": sum(isinstance(one, sqlite3.Connection) for one in objects),
        "objects": len(objects),
        "ours": len(mine),
        "entries": _entries(mine),
        "rss_kb": _rss_kb(),
        "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "pools": Counter(thread.name.rstrip("0123456789_-") for thread in threading.enumerate()),
    }
    return found


def _entries(objects: list[Any]) -> Counter[str]:
    """By class: how much all that its objects keep in dictionaries, lists and sets of their own comes to."""
    found: Counter[str] = Counter()
    for one in objects:
        for held in gc.get_referents(one):
            if type(held) not in CONTAINERS:
                continue
            inner = held.values() if type(held) is dict and held is getattr(one, "__dict__", None) else [held]
            found[f"{type(one).__module__}.{type(one).__qualname__}"] += sum(
                len(each) for each in inner if type(each) in CONTAINERS
            )
    return +found


def _rss_kb() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def main() -> None:
    Ahead.seconds = float(sys.argv[1])
    move_clocks()
    faulthandler.register(signal.SIGUSR1)  # where it stands, for whoever waits in vain for its end
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
    threading.Thread(target=listen, name="orders", daemon=True).start()
    service = Service(load(), clock=now)
    service.stop = MovedEvent()
    service.run()


if __name__ == "__main__":
    main()

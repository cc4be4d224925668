"""How boto3 is asked: what it raises becomes AwsProblem, and what passes by itself is waited out."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar, Unpack

import msgspec

from commands.aws.errors import AwsProblem, Where, our_errors

_T = TypeVar("_T")


def ask(call: Callable[[], _T], **where: Unpack[Where]) -> _T:
    """The answer of a call to AWS; raises AwsProblem instead of anything of botocore's."""
    with our_errors(**where):
        return call()


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class Patience(msgspec.Struct, frozen=True):
    """How waiting is done; tests bring a clock of their own."""

    clock: Callable[[], float] = time.monotonic  # seconds
    wait: Callable[[float], None] = pause

    def pauses(self, seconds: float) -> Iterator[None]:
        """Waits 1, 2, 4, 8, 8, … seconds before each item, until `seconds` have gone since the first was asked for."""
        end, length = self.clock() + seconds, 1.0
        while (left := end - self.clock()) > 0:
            self.wait(min(length, left))
            yield
            length = min(2 * length, 8.0)

    def ask(self, call: Callable[[], _T], seconds: float) -> _T:
        """As `ask`, again and again for `seconds` while the problem is a transient one."""
        pauses = self.pauses(seconds)
        while True:
            try:
                return ask(call)
            except AwsProblem as problem:
                if not problem.transient or not another(pauses):
                    raise


def another(items: Iterator[object]) -> bool:
    """Takes one item; whether there was one."""
    return next(items, another) is not another

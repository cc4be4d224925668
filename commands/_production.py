"""Which functions are in production, and whose fixes therefore take two people."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from storage.models import Function


class TwoPeople(StrEnum):
    """Whose fixes are approved by somebody else than the person who asked."""

    NEVER = "never"
    PRODUCTION = "production"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Production:
    """[production]: a function is in production if any line names it; where there is none, all of them are."""

    accounts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # of functions; `*`, `?` and `[…]` as in file names, case counts
    tags: tuple[str, ...] = ()  # "key" or "key=value"; what they say is a fact of the function

    def __bool__(self) -> bool:
        return bool(self.accounts or self.names or self.tags)

    def covers(self, function: Function) -> bool:
        """As of the last look at it. Where its tags could not be read, it counts as production."""
        return self.counts(function.account, function.name, function.production)

    def counts(self, account: str, name: str, tagged: bool | int | None) -> bool:
        """As `covers`, by what it goes by; `tagged` is what its tags say, None where they could not be read."""
        if not self or account in self.accounts:
            return True
        if self.names and _named(self.names)(name):
            return True
        return bool(self.tags) and (tagged is None or bool(tagged))


@lru_cache(maxsize=4)
def _named(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """Whether a name is like any of these; a hundred thousand are asked about one after the other."""
    return re.compile("|".join(map(fnmatch.translate, patterns))).match


EVERYTHING = Production()

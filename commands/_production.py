"""Which functions are in production, and whose fixes therefore take two people."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

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
        if any(fnmatchcase(name, pattern) for pattern in self.names):
            return True
        return bool(self.tags) and (tagged is None or bool(tagged))


EVERYTHING = Production()

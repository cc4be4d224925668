"""What a look at settings, Slack or AWS found: nouns alone, for nothing of it is kept."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from storage.models import Word


class Outcome(Word):
    """Of one thing that was looked at."""

    OK = "ok"
    WARN = "warn"  # the bot does without, and what it cannot do then is said
    FAIL = "fail"  # something that the settings ask for does not work
    UNKNOWN = "unknown"  # it could not be told, with the reason: never a pass


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at, in words that are plain text: whoever shows them escapes them."""

    area: str  # "Slack"
    outcome: Outcome
    what: str  # "channel #team-payments"
    said: str = ""  # what was found, as a phrase
    mend: str = ""  # one line: what to do about it; of what is not ok
    kind: str = ""  # what many of them are called that are well, as in "channels"; "": each stands for itself
    places: tuple[str, ...] = ()  # the accounts, or accounts and regions, of which it is said
    asked: bool = True  # False: unknown because it cannot be, or was not to be, asked; nobody has to mend that
    detail: str = ""  # in the words of whoever refused it, of the first place

    @property
    def is_wanting(self) -> bool:
        """Whether somebody has to look at it: it does not work, or did not answer."""
        return self.outcome is Outcome.FAIL or (self.outcome is Outcome.UNKNOWN and self.asked)


def together(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """What is said of several places in the same words, said once; in the order in which it came."""
    places: dict[Diagnosis, list[str]] = {}
    details: dict[Diagnosis, str] = {}
    for one in found:
        bare = replace(one, places=(), detail="")
        places.setdefault(bare, []).extend(one.places)
        details[bare] = details.get(bare) or one.detail
    return [replace(bare, places=tuple(dict.fromkeys(where)), detail=details[bare]) for bare, where in places.items()]


def wanting(found: Iterable[Diagnosis]) -> bool:
    return any(one.is_wanting for one in found)

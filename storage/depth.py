"""How far the traces of a function go into it: noun alone, for nothing of it is kept."""

from dataclasses import dataclass

from storage.models import Word


class Reach(Word):
    """What traces show."""

    CALLS = "calls"  # what the function calls, or spans that its own code makes
    SURFACE = "surface"  # that it ran, and how long: Lambda's own segments
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Depth:
    """What was found, and where."""

    reach: Reach
    seen: str = ""  # in a sentence: "4 of 5 traces have calls: DynamoDB, S3"
    doubts: tuple[str, ...] = ()  # what could not be asked or had nothing, each as a sentence

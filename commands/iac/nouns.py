"""The words of a check of infrastructure as code: one result for each function, and the edits that would mend it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ACTIVE = "Active"


class Outcome(StrEnum):
    """What is said of one function; `pass` is Active and nothing else."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"  # it cannot be told from the code: never a pass
    NOT_APPLICABLE = "not_applicable"


class Tool(StrEnum):
    CLOUDFORMATION = "CloudFormation"
    SAM = "AWS SAM"
    CDK = "AWS CDK"
    SERVERLESS = "Serverless Framework"
    TERRAFORM = "Terraform"
    PLAN = "Terraform plan"


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters `start` to `end` of a file's text are replaced; equal ones insert."""

    file: Path
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    file: Path
    line: int  # from 1
    tool: Tool
    name: str  # logical id, address, or key of the function
    outcome: Outcome
    reason: str
    role: str = ""  # what is not known of the execution role, where that is so
    edits: tuple[Edit, ...] = ()
    by_hand: str = ""  # what a person has to do where there are no edits


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not looked into, and may hold functions."""

    file: Path
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    results: tuple[Result, ...] = ()
    notes: tuple[Note, ...] = ()
    read: tuple[Path, ...] = ()  # the files that were understood

    def __add__(self, other: "Checked") -> "Checked":
        return Checked(self.results + other.results, self.notes + other.notes, self.read + other.read)


class CannotReadError(Exception):
    """A file is not what it says it is; the text says why, without the file's name."""

    def __init__(self, why: str, line: int = 1) -> None:
        super().__init__(why)
        self.line = line

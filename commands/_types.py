"""What a command is given and what it may answer. It carries Slack's ids, never Slack's shapes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from commands._context import Context, FixPolicy, People, Permission
from commands._schedule import Slot
from storage.models import Source

if TYPE_CHECKING:
    from commands.views.blocks import Block

__all__ = [
    "Answer",
    "Background",
    "Button",
    "Clock",
    "Context",
    "Entry",
    "Event",
    "FixPolicy",
    "Form",
    "OpenForm",
    "People",
    "Permission",
    "Progress",
    "PublishHome",
    "Replace",
    "Reply",
    "Request",
    "Run",
    "Say",
    "Slash",
]


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for what, and where."""

    user: str  # Slack user id, THE_CLOCK or THE_POLICY
    now: datetime  # UTC
    source: Source
    text: str = ""  # what was typed after the command
    value: str = ""  # the opaque id that a button or a form carries
    fields: Mapping[str, str] = field(default_factory=dict)  # a form's inputs by name
    workspace: str = ""  # Slack team id
    channel: str = ""
    message: str = ""  # timestamp of the message that was clicked
    private: bool = False  # that message is shown to this person alone, and is redrawn by `Replace`
    page: str = ""  # of App Home: what the page that was clicked on said of itself
    day: date | None = None  # the local date that a daily job is for
    slot: Slot | None = None  # whose teams a daily job is for; None: those without an hour of their own


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done; shown at once, and followed by the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """An answer to the one who asked, seen by nobody else."""

    text: str
    blocks: "tuple[Block, ...]" = ()


@dataclass(frozen=True, slots=True)
class Replace:
    """Draw the private message that was clicked again."""

    text: str
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class OpenForm:
    """Open a modal for the one who asked; draw it anew where one is open that this answers in."""

    view: "Block"


@dataclass(frozen=True, slots=True)
class PublishHome:
    """App Home of the one who asked, drawn anew; nobody else's."""

    view: "Block"


@dataclass(frozen=True, slots=True)
class Background:
    """Work that goes on after the answer, and that nobody waits for."""

    what: str  # for the log
    run: Callable[[], object]


Reply = Progress | Say | Replace | OpenForm | PublishHome | Background
Answer = Iterable[Reply]


Run = Callable[[Request, Context], Answer]


@dataclass(frozen=True, slots=True)
class Slash:
    """A slash command, also listed in manifest.yml."""

    command: str  # "/trace-audit"
    usage: str
    summary: str
    examples: tuple[str, ...]
    run: Run
    opens_form: bool = False  # Slack's trigger lives for 3 seconds, so the form comes before all else


@dataclass(frozen=True, slots=True)
class Button:
    """A button in a message, with an opaque id whose meaning stands in memory; or a form's field that tells of changes.

    For a form's field, the request carries what it would if the form were sent.
    """

    action_id: str
    run: Run
    opens_form: bool = False
    decides: bool = False  # or leads to deciding: who tries it and may not is kept in the history


@dataclass(frozen=True, slots=True)
class Form:
    """A modal. `check` is quick and pure: it answers while Slack waits, with an error for each bad field."""

    callback_id: str
    check: Callable[[Mapping[str, str], datetime, ZoneInfo], dict[str, str]]
    run: Run
    decides: bool = False  # as a button


@dataclass(frozen=True, slots=True)
class Clock:
    """A job that runs every day at each of the configured times, or now and again."""

    job_id: str
    run: Run
    every: timedelta | None = None  # None: every day at each of the configured times


@dataclass(frozen=True, slots=True)
class Event:
    """Something that Slack tells of without being asked, by the name that the manifest subscribes to."""

    event: str
    run: Run


Entry = Slash | Button | Form | Clock | Event

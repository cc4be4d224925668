"""How an evidence report is laid out: parts with facts and rows, as many as there is room for, and the controls.

How it is set is the business of its form: paper (evidence_html) or a terminal (evidence_text).
"""

from dataclasses import dataclass

SUPPORTS = "Supports these controls, and by itself satisfies none: scope, review and retention are yours to show."


@dataclass(frozen=True, slots=True)
class Room:
    """How many rows each part has."""

    people: int
    refused: int
    exceptions: int
    outside: int
    teams: int
    gaps: int
    ids: int  # of people and accounts in a line
    reason: int  # characters
    narrow: bool = False  # fewer columns, and the controls by their numbers alone


# The most that may have room first; the last is short enough for whatever there is.
PAPER = (
    Room(people=12, refused=12, exceptions=20, outside=12, teams=30, gaps=8, ids=10, reason=90),
    Room(people=8, refused=8, exceptions=14, outside=8, teams=24, gaps=6, ids=8, reason=80),
    Room(people=7, refused=6, exceptions=10, outside=6, teams=20, gaps=4, ids=6, reason=60),
    Room(people=4, refused=3, exceptions=6, outside=3, teams=14, gaps=2, ids=4, reason=36),
)
SCREEN = (
    Room(people=8, refused=6, exceptions=8, outside=6, teams=12, gaps=4, ids=6, reason=38, narrow=True),
    Room(people=4, refused=4, exceptions=5, outside=4, teams=8, gaps=3, ids=5, reason=38, narrow=True),
    Room(people=3, refused=3, exceptions=3, outside=3, teams=5, gaps=2, ids=4, reason=34, narrow=True),
    Room(people=2, refused=2, exceptions=2, outside=2, teams=2, gaps=1, ids=3, reason=30, narrow=True),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A fact, or what is to be looked at."""

    text: str
    label: str = ""
    attend: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    lines: tuple[Line, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    after: tuple[Line, ...] = ()  # below the rows


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    subtitle: str
    facts: tuple[Line, ...]
    left: tuple[Part, ...]
    right: tuple[Part, ...]
    below: tuple[Part, ...]
    notes: tuple[str, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """In the order in which they are read."""
        return (*self.left, *self.right, *self.below)


# Numbers and words were held against the texts of PCI DSS v4.0.1 and of 45 CFR part 164, subpart C.
CONTROLS = (
    (
        "PCI DSS 6.5.1",
        "changes in production follow a procedure: reason, documented approval, way back",
        "Fixes and who decided; Exceptions",
    ),
    ("PCI DSS 7.2.4", "access privileges are reviewed at least every six months", "Who could approve; Who decided"),
    (
        "PCI DSS 10.2.1",
        "audit logs are enabled and active (.2 administrators' actions, .4 invalid attempts)",
        "Coverage; Who decided; Refused",
    ),
    (
        "PCI DSS 10.3.2, 10.3.4",
        "audit logs are protected from modification, and changes of them are detected",
        "Chain of decisions, above",
    ),
    (
        "PCI DSS 10.4.1, 10.4.3",
        "audit logs are reviewed, and what is found is addressed",
        "Coverage; Refused; Made elsewhere",
    ),
    (
        "PCI DSS 10.5.1",
        "audit log history is kept for at least 12 months",
        "Chain of decisions; its file is yours to keep",
    ),
    (
        "PCI DSS 10.7.2",
        "failures of critical controls, audit logging among them, are detected and addressed",
        "Gaps; Made elsewhere",
    ),
    ("HIPAA 164.312(b)", "audit controls: activity is recorded and examined", "Coverage; Who decided"),
    (
        "HIPAA 164.308(a)(1)(ii)(D)",
        "records of system activity are reviewed regularly",
        "Refused; Made elsewhere; Gaps",
    ),
    ("HIPAA 164.316(b)(2)(i)", "required documentation is kept for six years", "This report; keep it with the export"),
)

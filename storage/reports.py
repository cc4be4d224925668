"""Reports as they were made: a message that is drawn again later shows the same figures."""

import logging
import secrets
import zlib
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from storage.connection import Connection, to_text
from storage.kpis import Figures, TeamFigures

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Figures as JSON can hold them: an object's key is always a text, and functions of no team have none."""

    figures: Figures
    by_team: tuple[tuple[str | None, TeamFigures], ...]


class Reports:
    """One whose figures cannot be read any more, as of an older version or after damage, stands with none of them."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, figures: Figures, now: datetime) -> str:
        """The id of the report, which is all that a button carries."""
        report_id = secrets.token_urlsafe(16)
        row = {"id": report_id, "made_at": to_text(now), "figures": zlib.compress(to_json(figures))}
        self._db.insert("reports", row)
        return report_id

    def get(self, report_id: str) -> Figures | None:
        """None for an id that was never given out here, or whose report was forgotten, or cannot be read: which the log
        says once, for it is given up."""
        row = self._db.row("select made_at, figures from reports where id = ?", [report_id])
        if row is None or not row["figures"]:
            return None
        try:
            return from_json(zlib.decompress(row["figures"]))
        except (zlib.error, msgspec.MsgspecError, TypeError) as problem:
            self._db.change("update reports set figures = x'' where id = ?", [report_id])
            log.warning(
                "the report of %s cannot be read and is given up: %s. `/trace-report` makes a new one, and so does the "
                "next weekly post", row["made_at"], problem,
            )  # fmt: skip
            return None

    def show(self, post: int, report_id: str) -> None:
        """This post and those in its thread show that report, which is kept from now on."""
        self._db.insert("report_posts", {"post": post, "report": report_id})

    def of_post(self, post: int) -> Figures | None:
        row = self._db.row("select report from report_posts where post = ?", [post])
        return self.get(row["report"]) if row else None

    def forget(self, before: datetime) -> None:
        """Those that were made before then and that no post shows: nobody asks to share them any more."""
        sql = "delete from reports where made_at < ? and id not in (select report from report_posts)"
        self._db.change(sql, [to_text(before)])


def to_json(figures: Figures) -> bytes:
    """Dates as ISO 8601, money as text."""
    return msgspec.json.encode(_Kept(replace(figures, by_team={}), tuple(figures.by_team.items())))


def from_json(content: bytes) -> Figures:
    kept = msgspec.json.decode(content, type=_Kept)
    return replace(kept.figures, by_team=dict(kept.by_team))

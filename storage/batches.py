"""Fixes that are approved together: which functions can be, and the turns of those that were."""

import json
import secrets
from datetime import datetime

from storage.connection import Connection, Row, maybe_time, to_text, to_time
from storage.fixes import Batch, Candidate, FixRequest
from storage.requests import from_row

# What a fix has something to change of, as Function.fixable says it, and what nobody is at work on.
_CAN_BE_CHOSEN = """
    from functions left join requests on requests.function_arn = functions.arn
        and requests.state in ('open', 'running', 'failed', 'undoing')
    where functions.team is :team and functions.verdict = 'untraced' and functions.gone_at is null
        and (functions.mode is not 'Active' or functions.role_may_write = 'no')
        and coalesce(requests.state, 'open') in ('open', 'failed')
        and coalesce(json_extract(requests.plan, '$.blocked'), '') = ''
        and not (:patch_only and functions.managed_by is not null)
"""


class Batches:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def candidates(self, team: str | None, *, patch_only: bool = False) -> list[Candidate]:
        """A team's functions that a batch can fix, by name; `patch_only`: not what a tool deploys."""
        rows = self._db.tuples(
            f"""
            select functions.arn, functions.account, functions.region, functions.name, coalesce(functions.role, ''),
                functions.role_may_write is 'no', functions.untraced_callers, coalesce(requests.id, '')
            {_CAN_BE_CHOSEN} order by functions.name, functions.arn
            """,
            {"team": team, "patch_only": patch_only},
        )
        return [_candidate(*row) for row in rows]

    def count(self, team: str | None, *, patch_only: bool = False) -> int:
        """How many `candidates` has."""
        row = self._db.row(f"select count(*) as number {_CAN_BE_CHOSEN}", {"team": team, "patch_only": patch_only})
        return int(row["number"]) if row else 0

    def create(self, team: str | None, channel: str, by: str, post: int, now: datetime) -> Batch:
        row = {
            "token": secrets.token_urlsafe(16),
            "team": team,
            "channel": channel,
            "approved_by": by,
            "created_at": to_text(now),
            "post": post,
        }
        return self.get(self._db.insert("batches", row))

    def get(self, number: int) -> Batch:
        """Raises KeyError."""
        row = self._db.row("select * from batches where id = ?", [number])
        if row is None:
            raise KeyError(number)
        return _from_row(row)

    def with_token(self, token: str) -> Batch | None:
        """None for a token that was never given out here."""
        row = self._db.row("select * from batches where token = ?", [token])
        return _from_row(row) if row else None

    def of_post(self, post: int) -> Batch | None:
        """The batch that a message shows, or whose thread it stands in."""
        row = self._db.row(
            "select * from batches where post = :post or post = (select thread from posts where id = :post)",
            {"post": post},
        )
        return _from_row(row) if row else None

    def unfinished(self) -> list[Batch]:
        """Oldest first."""
        rows = self._db.rows("select * from batches where finished_at is null order by id")
        return [_from_row(row) for row in rows]

    def put(self, number: int, request_id: str) -> None:
        """A request that was claimed just now waits for its turn in this batch."""
        sql = "update requests set batch = ?, queued = 1 where id = ? and state = 'running'"
        self._db.change(sql, [number, request_id])

    def running(self, number: int) -> list[FixRequest]:
        """Those that have not ended, begun or not, by ARN."""
        sql = "select * from requests where batch = ? and state = 'running' order by function_arn"
        rows = self._db.rows(sql, [number])
        return [from_row(row) for row in rows]

    def members(self, post: int) -> list[FixRequest]:
        """All that were approved together, also those that have left the batch since, in the order of their turns."""
        rows = self._db.rows(
            """
            select requests.* from post_items join requests on requests.id = post_items.request_id
            where post_items.post_id = ? order by position
            """,
            [post],
        )
        return [from_row(row) for row in rows]

    def begin(self, number: int, request_id: str) -> bool:
        """True for whoever takes up its turn; False where the batch was stopped before."""
        sql = "update requests set queued = 0 where id = ? and batch = ? and state = 'running' and queued = 1"
        return 1 == self._db.change(sql, [request_id, number])

    def stop(self, number: int, by: str, now: datetime) -> list[FixRequest] | None:
        """Take back the approval of what has not begun: these are open again. None where it has ended or stopped."""
        with self._db.transaction():
            sql = """
                update batches set stopped_by = ?, stopped_at = ?
                where id = ? and stopped_at is null and finished_at is null
            """
            if not self._db.change(sql, [by, to_text(now), number]):
                return None
            waiting = [one for one in self.running(number) if one.queued]
            return [one for one in waiting if self._release(one.id)]

    def _release(self, request_id: str) -> bool:
        return 1 == self._db.change(
            """
            update requests
            set state = 'open', approved_by = '', approved_at = null, step = '', batch = null, queued = 0
            where id = ? and state = 'running' and queued = 1
            """,
            [request_id],
        )

    def finish(self, number: int, now: datetime) -> bool:
        """True for whoever ends it, once none of its requests is running."""
        return 1 == self._db.change(
            """
            update batches set finished_at = :now where id = :id and finished_at is null
                and not exists (select 1 from requests where batch = :id and state = 'running')
            """,
            {"id": number, "now": to_text(now)},
        )


def _candidate(
    arn: str,
    account: str,
    region: str,
    name: str,
    role: str,
    gives_policy: int,
    callers: str,
    request: str,
) -> Candidate:
    known = () if callers == "[]" else tuple(json.loads(callers))
    return Candidate(arn, account, region, name, role, bool(gives_policy), known, request)


def _from_row(row: Row) -> Batch:
    times = {name: maybe_time(row[name]) for name in ("stopped_at", "finished_at")}
    return Batch(**row | times | {"created_at": to_time(row["created_at"])})

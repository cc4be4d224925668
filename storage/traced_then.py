"""Whether a function was traced at a moment in the past, as far as audits and its own record tell."""

from datetime import datetime

from storage.connection import Connection, to_text

_AS_NUMBER = {"traced": 1, "untraced": 0, "exempt": 0}


def traced_at(db: Connection, arn: str, at: datetime) -> int | None:
    """1 where the function was traced then, 0 where it was untraced or exempt, None where that is not known.

    What audits told decides. Before the first of them, the verdict is what that one found, if the function had not been
    modified since: its role may have been, and nobody can tell.
    """
    row = db.row("select verdict, since, told, made_at, last_modified from functions where arn = ?", [arn])
    if row is None:
        return None
    then = to_text(at)
    if row["since"] <= then:
        return _AS_NUMBER.get(row["verdict"])
    changes = db.rows(
        """
        select before, after, started_at from changes join audits on audits.id = audit_id
        where arn = ? order by audit_id
        """,
        [arn],
    )
    earlier = [one for one in changes if one["started_at"] <= then]
    if earlier:
        return _AS_NUMBER.get(earlier[-1]["after"])
    first = changes[0]["before"] if changes else row["told"] or row["verdict"]
    if (row["made_at"] or "9999") <= then or (row["last_modified"] or "9999") <= then:
        return _AS_NUMBER.get(first)
    return None

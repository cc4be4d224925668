"""How a function is written down: its columns, and the statements that put it in or bring it up to date."""

import re
from collections.abc import Collection

COLUMNS = (
    "arn",
    "account",
    "region",
    "name",
    "mode",
    "role",
    "role_may_write",
    "runtime",
    "last_modified",
    "revision_id",
    "code_sha256",
    "team",
    "aliases",
    "sources",
    "edge",
    "layers",
    "environment_keys",
    "package_type",
    "handler",
    "forms",
    "published_mode",
    "untraced_callers",
    "managed_by",
    "stack",
    "stack_id",
    "logical_id",
    "production",
    "team_from",
    "channel",
    "tag_marks",
    "verdict",
    "findings",
)
_FROM_TAGS = ("team", "team_from", "channel", "managed_by", "stack", "stack_id", "logical_id", "tag_marks")
KEPT = ", ".join(COLUMNS)
_PAST = ("verdict", "team", "production")  # what of a function is kept as it was: see storage.past
_LEARNT = "max(functions.seen_at, coalesce(functions.gone_at, ''))"


def _update(*, but: Collection[str] = ()) -> str:
    columns = [f"{column} = excluded.{column}" for column in COLUMNS[1:] if column not in (*_FROM_TAGS, *but)]
    tags = [f"{each} = iif(:team_known, excluded.{each}, functions.{each})" for each in _FROM_TAGS if each not in but]
    return ", ".join([*columns, *tags])


_INSERT = f"""
    insert into functions ({KEPT}, since, seen_at, gone_at, made_at, told)
    values ({", ".join(":" + column for column in COLUMNS)}, :seen_at, :seen_at, null, :seen_at,
        case when not :audited then '' when :verdict = 'exempt' then 'untraced' else :verdict end)
"""  # noqa: S608 - the names are ours
_TOLD = """
    told = case when not :audited then functions.told when coalesce(functions.told, '') = '' then excluded.told
                when excluded.verdict in ('unknown', 'exempt') then functions.told else excluded.verdict end
"""
# One that is there and goes on as it was has no new past, and SQLite does without the trigger: nearly all of an audit.
_SAME = f"""
    {_INSERT} on conflict (arn) do update set {_update(but=_PAST)}, {_TOLD}, seen_at = excluded.seen_at
    where functions.gone_at is null and excluded.seen_at >= functions.seen_at
        and functions.verdict is excluded.verdict and functions.production is excluded.production
        and (functions.team is excluded.team or not :team_known)
"""
# Knowledge that was asked for earlier never overwrites later knowledge: a fix may end while an audit is under way.
_CHANGED = f"""
    {_INSERT} on conflict (arn) do update set {_update()}, {_TOLD},
        made_at = case when functions.gone_at is null or functions.outside then functions.made_at
                       else excluded.made_at end,
        outside = 0,
        since = case when functions.verdict is excluded.verdict and functions.gone_at is null
                     then functions.since else excluded.since end,
        seen_at = excluded.seen_at,
        gone_at = null
    where excluded.seen_at >= {_LEARNT} or {_LEARNT} > :now
"""
_PLACES = (*COLUMNS, "team_known", "seen_at", "now", "audited")


def _by_place(sql: str) -> str:
    """Instead of by name, which is a third faster."""
    return re.sub(r":([a-z_0-9]+)", lambda found: f"?{_PLACES.index(found[1]) + 1}", sql)


SAVE_SAME, SAVE_CHANGED = _by_place(_SAME), _by_place(_CHANGED)

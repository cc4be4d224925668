"""The shape of what audits know of functions in the file, and who owns those of no tagged team."""

WHAT_FUNCTIONS_ARE = (
    "alter table functions add column package_type text",
    "alter table functions add column handler text",
    "alter table functions add column forms text not null default '[]'",  # JSON
    "alter table functions add column published_mode text",
    "alter table functions add column untraced_callers text not null default '[]'",  # JSON
    "alter table functions add column managed_by text",  # null: no tag says so
    "alter table functions add column stack text",
    "alter table functions add column stack_id text",
    "alter table functions add column logical_id text",
)

WHAT_CHANGED = (
    "alter table functions add column made_at text",  # when this one, and not another of its name, was first seen
    "alter table functions add column outside integer not null default 0",  # gone from the settings, not from AWS
    # The last verdict that an audit told, unknown and exempt left out, or 'gone': the next audit compares with it.
    "alter table functions add column told text",
    """
    update functions set made_at = since, told = case
        when gone_at is not null then 'gone' when verdict = 'exempt' then 'untraced' else verdict end
    """,
    "create index functions_gone on functions(gone_at) where gone_at is not null",
    """
    create table places (                  -- accounts' regions that an audit has seen whole
        account text not null,
        region text not null,
        seen_at text not null,             -- by the newest such audit
        primary key (account, region)
    ) without rowid
    """,
    "insert into places select account, region, max(seen_at) from functions group by account, region",
    """
    create table changes (                 -- what an audit found other than the one before had left it
        audit_id integer not null references audits(id),
        arn text not null,
        kind text not null check (kind in ('new', 'fixed', 'regressed', 'gone', 'returned')),
        before text not null,              -- a verdict; '' where the function was not there
        after text not null,               -- the same
        detail text not null,              -- JSON
        primary key (audit_id, arn)
    ) without rowid
    """,
    "create index changes_by_function on changes(arn, audit_id)",
)

OWNERS = (
    "alter table functions add column team_from text",  # null: nothing names its team
    "alter table functions add column channel text",  # where its own tag says that its team reads
    "update functions set team_from = 'tag' where team is not null",
    """
    create table assignments (             -- who owns functions that no tag gives to a team
        id integer primary key autoincrement,
        token text not null unique,        -- opaque: all that its button carries
        pattern text not null,             -- a function's ARN, or a name with * for any text
        team text not null,
        assigned_by text not null,
        assigned_at text not null,
        ended_by text not null default '',
        ended_at text                      -- null: in force
    )
    """,
    """
    create table channels (                -- whether a channel took the last post that was meant for it
        name text primary key,             -- as the settings, a tag or the pattern name it: an id or "#name"
        error text not null,               -- '': it did; else what Slack said
        since text not null                -- when that was first so
    ) without rowid
    """,
)

"""The shape of fixes in the file: requests and their plans, batches, who may approve, notices of the grace period."""

# SQLite cannot alter a check, so that requests is made anew, and post_items with it, which points there.
PLANS_AND_ENDS_OF_REQUESTS = (
    """
    create table requests_4 (
        id text primary key,               -- opaque: all that a button carries
        function_arn text not null,
        team text,
        state text not null check (state in ('open', 'running', 'applied', 'failed', 'resolved', 'denied',
            'cancelled', 'expired', 'undoing', 'undone')),
        created_at text not null,
        approved_by text not null default '',
        approved_at text,
        finished_at text,
        step text not null default '',
        outcome text not null default '',
        note text not null default '',
        asked_by text not null default '',
        reason text not null default '',
        expires_at text,
        reminded_at text,
        ended_by text not null default '',
        undo_until text,
        batch integer,
        plan text,                         -- JSON; null: none was made yet
        receipt text                       -- JSON; null: nothing was changed
    ) without rowid
    """,
    """
    insert into requests_4
        (id, function_arn, team, state, created_at, approved_by, approved_at, finished_at, step, outcome, note)
    select id, function_arn, team, state, created_at, approved_by, approved_at, finished_at, step, outcome, note
    from requests
    """,
    """
    create table post_items_4 (
        post_id integer not null references posts(id),
        position integer not null,
        request_id text not null references requests_4(id),
        primary key (post_id, position)
    ) without rowid
    """,
    "insert into post_items_4 select post_id, position, request_id from post_items",
    "drop table post_items",
    "drop table requests",
    "alter table requests_4 rename to requests",
    "alter table post_items_4 rename to post_items",
    "create index post_items_by_request on post_items(request_id)",
    """
    create unique index one_live_request_a_function on requests(function_arn)
        where state in ('open', 'running', 'failed', 'undoing')
    """,
    "create index requests_that_end on requests(expires_at) where state in ('open', 'failed')",
)

BATCHES = (
    """
    create table batches (
        id integer primary key autoincrement,
        token text not null unique,        -- opaque: all that its button carries
        team text,
        channel text not null,
        approved_by text not null,
        created_at text not null,
        post integer not null references posts(id),
        stopped_by text not null default '',
        stopped_at text,
        finished_at text                   -- null: its requests are to be carried out, in order
    )
    """,
    "create index batches_unfinished on batches(id) where finished_at is null",
    "alter table requests add column queued integer not null default 0",  # 1: running, and its turn has yet to come
    "create index requests_by_batch on requests(batch) where batch is not null",
)

WHO_MAY_APPROVE = (
    "alter table functions add column production integer",  # null: not known, or no tag says what production is
    # Security has to see who tried; that somebody goes on clicking says nothing more.
    """
    create unique index one_refusal_a_person_and_request on decisions(request_id, actor)
        where kind = 'refused' and request_id <> ''
    """,
    "create index requests_that_can_be_undone on requests(undo_until) where state = 'applied'",
)

NOTICES_OF_FIXES = (
    """
    create table grace_notices (           -- what is fixed on a day where nobody objects
        id integer primary key autoincrement,
        token text not null unique,        -- opaque: all that its button carries
        team text not null,
        channel text not null,             -- as configured; posted anywhere else, it does not count
        post integer not null unique references posts(id),
        pages integer not null,            -- that post, and the replies in its thread
        created_at text not null,
        fix_on text not null,              -- the local date
        posted_at text,                    -- when all pages were first seen to be posted; null: not yet
        state text not null default 'announced' check (state in ('announced', 'taken', 'stopped', 'lapsed')),
        ended_by text not null default '',
        ended_at text,
        reason text not null default '',   -- of whoever stopped it, or why it lapsed
        batch integer references batches(id)
    )
    """,
    "create index grace_notices_announced on grace_notices(id) where state = 'announced'",
    """
    create table grace_functions (
        notice integer not null references grace_notices(id),
        position integer not null,
        function_arn text not null,
        left_because text not null default '',  -- why it was not fixed on the day
        primary key (notice, function_arn)
    ) without rowid
    """,
)

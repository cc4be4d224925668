"""The shape of the SQLite file: migrations, oldest first, never edited once released."""

from storage.sqlite import Database, Migrations

migrations = Migrations("lamplighter")


@migrations()
def m001_first(db: Database) -> None:
    for statement in FIRST:
        db.execute(statement)


@migrations()
def m002_what_functions_are(db: Database) -> None:
    for statement in WHAT_FUNCTIONS_ARE:
        db.execute(statement)


@migrations()
def m003_what_changed(db: Database) -> None:
    for statement in WHAT_CHANGED:
        db.execute(statement)


@migrations()
def m004_plans_and_ends_of_requests(db: Database) -> None:
    for statement in PLANS_AND_ENDS_OF_REQUESTS:
        db.execute(statement)


@migrations()
def m005_batches(db: Database) -> None:
    for statement in BATCHES:
        db.execute(statement)


@migrations()
def m006_who_may_approve(db: Database) -> None:
    for statement in WHO_MAY_APPROVE:
        db.execute(statement)


@migrations()
def m007_one_index_less(db: Database) -> None:
    db.execute("drop index functions_by_place")  # each audit looks through all places at once, and needs none


@migrations()
def m008_notices_of_fixes(db: Database) -> None:
    for statement in NOTICES_OF_FIXES:
        db.execute(statement)


@migrations()
def m009_owners(db: Database) -> None:
    for statement in OWNERS:
        db.execute(statement)


@migrations()
def m010_living_digests(db: Database) -> None:
    for statement in LIVING_DIGESTS:
        db.execute(statement)


@migrations()
def m011_exemptions_that_are_rules(db: Database) -> None:
    from storage.schema_exemptions import RULES

    for statement in RULES:
        db.execute(statement)


@migrations()
def m012_forecasts(db: Database) -> None:
    from storage.schema_money import FORECASTS

    for statement in FORECASTS:
        db.execute(statement)


@migrations()
def m013_spend(db: Database) -> None:
    from storage.schema_money import SPEND

    for statement in SPEND:
        db.execute(statement)


@migrations()
def m014_incidents(db: Database) -> None:
    from storage.schema_incidents import INCIDENTS, KPIS

    for statement in (*INCIDENTS, *KPIS):
        db.execute(statement)


@migrations()
def m015_the_past(db: Database) -> None:
    from storage.schema_past import PAST

    for statement in PAST:
        db.execute(statement)


@migrations()
def m016_forecast_checks(db: Database) -> None:
    from storage.schema_money import FORECAST_CHECKS

    for statement in FORECAST_CHECKS:
        db.execute(statement)


@migrations()
def m017_reports(db: Database) -> None:
    from storage.schema_reports import REPORTS

    for statement in REPORTS:
        db.execute(statement)


# Times are UTC text with microseconds ("2026-11-23T09:00:00.000000+00:00"), so that they sort as they read.
FIRST = (
    """
    create table audits (
        id integer primary key autoincrement,
        source text not null,              -- clock, slash, terminal
        scope text not null,               -- '' for everything that is configured, else the filter
        started_at text not null,
        finished_at text not null,
        accounts integer not null,
        regions integer not null,
        functions integer not null,
        aws_calls integer not null
    )
    """,
    """
    create table not_scanned (
        audit_id integer not null references audits(id),
        account text not null,
        region text not null,              -- '' for the whole account
        reason text not null
    )
    """,
    "create index not_scanned_by_audit on not_scanned(audit_id)",
    """
    create table coverage (
        audit_id integer not null references audits(id),
        team text not null,                -- '' for functions of no known team
        traced integer not null,
        untraced integer not null,
        exempt integer not null,
        not_applicable integer not null,
        unknown integer not null,
        primary key (audit_id, team)
    ) without rowid
    """,
    """
    create table functions (               -- the current state of each function
        arn text primary key,
        account text not null,
        region text not null,
        name text not null,
        mode text,                         -- null: AWS gave none
        role text,
        role_may_write text,
        runtime text,
        last_modified text,
        revision_id text,
        code_sha256 text,
        team text,                         -- null: no known team
        aliases text,                      -- JSON; null: could not be read
        sources text,                      -- JSON; null: could not be read
        edge integer not null,
        layers text not null,              -- JSON
        environment_keys text not null,    -- JSON; names only, never values
        verdict text not null,
        findings text not null,            -- JSON
        since text not null,               -- when this verdict was first seen
        seen_at text not null,             -- when AWS was asked; older knowledge never overwrites newer
        gone_at text                       -- null: it exists
    )
    """,
    "create index functions_by_name on functions(name)",
    "create index functions_by_team on functions(team, verdict)",
    "create index functions_by_role on functions(role)",
    "create index functions_by_place on functions(account, region, seen_at)",
    """
    create table exemptions (
        id integer primary key autoincrement,
        function_arn text not null,
        reason text not null,
        granted_by text not null,
        granted_at text not null,
        expires_at text not null
    )
    """,
    "create index exemptions_by_function on exemptions(function_arn, expires_at)",
    """
    create table requests (
        id text primary key,               -- opaque: all that a button carries
        function_arn text not null,
        team text,
        state text not null check (state in ('open', 'running', 'applied', 'failed', 'resolved')),
        created_at text not null,
        approved_by text not null default '',
        approved_at text,
        finished_at text,
        step text not null default '',
        outcome text not null default '',
        note text not null default ''
    ) without rowid
    """,
    # However many messages show a function, there is one request that can be approved: two clicks meet in it.
    """
    create unique index one_live_request_a_function on requests(function_arn)
        where state in ('open', 'running', 'failed')
    """,
    """
    create table decisions (
        id integer primary key autoincrement,
        at text not null,
        kind text not null,
        actor text not null,
        function_arn text not null,
        source text not null,
        workspace text not null,
        channel text not null,
        message text not null,
        request_id text not null,
        before text not null,
        after text not null,
        reason text not null,
        until text,
        detail text not null,              -- JSON
        prev_hash text not null,
        hash text not null unique
    )
    """,
    "create index decisions_by_function on decisions(function_arn)",
    "create unique index one_applied_decision_a_request on decisions(request_id) where kind = 'applied'",
    """
    create trigger decisions_are_never_changed before update on decisions
    begin select raise(abort, 'decisions are append-only'); end
    """,
    """
    create trigger decisions_are_never_removed before delete on decisions
    begin select raise(abort, 'decisions are append-only'); end
    """,
    """
    create table posts (
        id integer primary key autoincrement,
        key text not null unique,          -- what makes a second digest for the day impossible
        kind text not null,
        channel text not null,
        state text not null check (state in ('waiting', 'sent', 'abandoned')),
        created_at text not null,
        team text,
        text text not null default '',
        page integer not null default 1,
        thread integer references posts(id),
        posted_channel text not null default '',
        ts text not null default '',
        wanted_version integer not null default 1,
        shown_version integer not null default 0,
        next_at text not null,             -- not before this time
        attempts integer not null default 0,
        error text not null default ''
    )
    """,
    "create index posts_due on posts(next_at) where state = 'waiting' or shown_version < wanted_version",
    """
    create table post_items (
        post_id integer not null references posts(id),
        position integer not null,
        request_id text not null references requests(id),
        primary key (post_id, position)
    ) without rowid
    """,
    "create index post_items_by_request on post_items(request_id)",
    """
    create table daily_runs (
        job text not null,
        day text not null,                 -- the local date of the run's due time
        started_at text not null,
        finished_at text,
        primary key (job, day)
    ) without rowid
    """,
)

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

LIVING_DIGESTS = (
    "alter table posts add column newer integer references posts(id)",  # the digest that takes its place
    "alter table posts add column permalink text not null default ''",
    "alter table posts add column shown text not null default ''",  # a hash of what Slack was last sent
    "alter table posts add column file text not null default ''",  # Slack's id of the file that is to be shared
    "create index posts_by_newer on posts(newer) where newer is not null",
    "create index posts_by_thread on posts(thread) where thread is not null",
    """
    create table digests (                 -- what each team was last told, and the message that says it
        team text primary key,             -- '' for functions of no known team
        post integer references posts(id), -- null: none was ever posted
        posted_on text,                    -- the team's local day on which it was
        looked_on text not null,           -- the team's local day of the newest look, which happens once a day
        looked_at text not null,           -- the end of the audit that was looked at
        news_after text,                   -- since which audit's end the message tells of changes
        zero_since text,                   -- null: some are untraced
        zero_told integer not null,        -- whether the team was told so
        known text not null,               -- JSON: by ARN, how each was when it was told
        news text not null,                -- JSON: by ARN, why and since which day it is news in this message
        shows text not null                -- a hash of what the message was drawn from
    ) without rowid
    """,
    """
    create table snoozes (
        id text primary key,               -- opaque: all that a button carries
        function_arn text,                 -- null: the whole team
        team text,
        by text not null,
        at text not null,
        until text not null,
        ended_at text                      -- null: nobody ended it before its time
    ) without rowid
    """,
    "create index snoozes_by_end on snoozes(until) where ended_at is null",
)

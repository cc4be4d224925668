"""The shape of the SQLite file: migrations, oldest first, never edited once released."""

from storage.sqlite import Database, Migrations

migrations = Migrations("lamplighter")


@migrations()
def m001_first(db: Database) -> None:
    for statement in FIRST:
        db.execute(statement)


@migrations()
def m002_what_functions_are(db: Database) -> None:
    from storage.schema_functions import WHAT_FUNCTIONS_ARE

    for statement in WHAT_FUNCTIONS_ARE:
        db.execute(statement)


@migrations()
def m003_what_changed(db: Database) -> None:
    from storage.schema_functions import WHAT_CHANGED

    for statement in WHAT_CHANGED:
        db.execute(statement)


@migrations()
def m004_plans_and_ends_of_requests(db: Database) -> None:
    from storage.schema_fixes import PLANS_AND_ENDS_OF_REQUESTS

    for statement in PLANS_AND_ENDS_OF_REQUESTS:
        db.execute(statement)


@migrations()
def m005_batches(db: Database) -> None:
    from storage.schema_fixes import BATCHES

    for statement in BATCHES:
        db.execute(statement)


@migrations()
def m006_who_may_approve(db: Database) -> None:
    from storage.schema_fixes import WHO_MAY_APPROVE

    for statement in WHO_MAY_APPROVE:
        db.execute(statement)


@migrations()
def m007_one_index_less(db: Database) -> None:
    db.execute("drop index functions_by_place")  # each audit looks through all places at once, and needs none


@migrations()
def m008_notices_of_fixes(db: Database) -> None:
    from storage.schema_fixes import NOTICES_OF_FIXES

    for statement in NOTICES_OF_FIXES:
        db.execute(statement)


@migrations()
def m009_owners(db: Database) -> None:
    from storage.schema_functions import OWNERS

    for statement in OWNERS:
        db.execute(statement)


@migrations()
def m010_living_digests(db: Database) -> None:
    from storage.schema_digests import LIVING_DIGESTS

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


@migrations()
def m018_metrics_asked(db: Database) -> None:
    from storage.schema_money import METRICS_ASKED

    for statement in METRICS_ASKED:
        db.execute(statement)


@migrations()
def m019_events(db: Database) -> None:
    from storage.schema_events import EVENTS

    for statement in EVENTS:
        db.execute(statement)


@migrations()
def m020_tips(db: Database) -> None:
    from storage.schema_tips import TIPS

    for statement in TIPS:
        db.execute(statement)


@migrations()
def m021_trace_shares(db: Database) -> None:
    from storage.schema_money import TRACE_SHARES

    for statement in TRACE_SHARES:
        db.execute(statement)


@migrations()
def m022_maps(db: Database) -> None:
    from storage.schema_maps import MAPS

    for statement in MAPS:
        db.execute(statement)


@migrations()
def m023_the_chain(db: Database) -> None:
    from storage.schema_chain import CHAIN

    for statement in CHAIN:
        db.execute(statement)


@migrations()
def m024_evidence(db: Database) -> None:
    from storage.schema_evidence import EVIDENCE

    for statement in EVIDENCE:
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

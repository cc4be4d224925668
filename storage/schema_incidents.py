"""The shape of what KPIs need beyond audits: incidents of alarms, production's totals, and what functions used."""

INCIDENTS = (
    """
    create table alarms (                  -- CloudWatch metric alarms on functions
        id integer primary key autoincrement,
        account text not null,
        region text not null,
        name text not null,
        functions text not null,           -- JSON: ARNs, sorted
        seen_at text not null,             -- when it was last seen
        gone_at text                       -- deleted, or put on other functions under its name
    )
    """,
    "create unique index one_alarm_of_a_name on alarms(account, region, name) where gone_at is null",
    """
    create table alarm_functions (         -- the same, to be joined
        alarm_id integer not null references alarms(id),
        arn text not null,
        primary key (alarm_id, arn)
    ) without rowid
    """,
    # AWS keeps these for 30 days; here they are kept for ever.
    """
    create table alarm_transitions (
        alarm_id integer not null references alarms(id),
        at text not null,
        state text not null,               -- as AWS spells it; 'LOST': how it went on was not seen
        traced integer,                    -- of ALARM: whether its functions were traced then; null: not known
        primary key (alarm_id, at, state)
    ) without rowid
    """,
    """
    create table incidents (               -- made from the transitions
        alarm_id integer not null references alarms(id),
        began_at text not null,
        ended_at text,                     -- null: it goes on
        lost integer not null,             -- 1: it is over, and nobody knows since when
        traced integer,
        primary key (alarm_id, began_at)
    ) without rowid
    """,
    "create index incidents_by_end on incidents(ended_at)",
    """
    create table alarm_looks (
        account text not null,
        region text not null,
        looked_at text not null,
        seen_from text,                    -- since when the history is known; null: it never was
        seen_until text,
        problem text not null,             -- '': the last look succeeded
        primary key (account, region)
    ) without rowid
    """,
    """
    create table alarm_gaps (              -- what AWS had forgotten before anybody looked
        account text not null,
        region text not null,
        since text not null,
        until text not null,
        primary key (account, region, since)
    ) without rowid
    """,
)

KPIS = (
    # As `coverage`, of the functions that [production] names. There is a row for '' wherever it named any.
    """
    create table production_coverage (
        audit_id integer not null references audits(id),
        team text not null,
        traced integer not null,
        untraced integer not null,
        exempt integer not null,
        not_applicable integer not null,
        unknown integer not null,
        primary key (audit_id, team)
    ) without rowid
    """,
    """
    create table usage (                   -- of all functions of a team, as its team was when CloudWatch was asked
        month text not null,               -- its first day
        account text not null,
        region text not null,
        team text not null,                -- '' for functions of no known team
        gb_seconds real not null,
        primary key (month, account, region, team)
    ) without rowid
    """,
    """
    create table usage_looks (
        account text not null,
        region text not null,
        looked_at text not null,
        told_at text,                      -- when it last told; null: it never did
        metrics integer not null,          -- that AWS bills for
        problem text not null,             -- '': the last look succeeded
        primary key (account, region)
    ) without rowid
    """,
)

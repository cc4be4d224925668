"""What AWS's events have told, what is to be looked at for it, and what was said of it."""

EVENTS = (
    # An event is delivered at least once; its id is kept for longer than any queue keeps it.
    "create table noticed_events (id text primary key, at text not null) without rowid",
    "create index noticed_events_by_time on noticed_events(at)",
    """
    create table watched (
        account text not null,
        region text not null,              -- '' of a role
        is_role integer not null,
        name text not null,
        created integer not null,          -- an event says that it was made
        was text not null,                 -- its verdict when the first event came; '' where it was not known
        first_at text not null,
        last_at text not null,
        not_before text not null,          -- AWS would not say, and is asked again then
        attempts integer not null default 0,
        primary key (account, region, is_role, name)
    ) without rowid
    """,
    """
    create table deployed (                -- what a message tells of functions, and why
        post integer not null references posts(id),
        function_arn text not null,
        team text not null,                -- '' for no known team
        why text not null,
        at text not null,
        primary key (post, function_arn)
    ) without rowid
    """,
    "create index deployed_by_function on deployed(function_arn, at)",
    "create table event_counts (outcome text primary key, number integer not null) without rowid",
    """
    create table event_queue (             -- one row: how the queue answered
        one integer primary key check (one = 1),
        reached_at text,
        waiting integer,
        in_flight integer,
        failing_since text,                -- null: it answers
        problem text not null default ''
    )
    """,
)

"""The shape of money in the file: forecasts, what X-Ray saw, and what AWS billed."""

FORECASTS = (
    """
    create table forecasts (               -- of each function, the newest
        arn text primary key,
        asked_at text not null,
        since text not null,               -- of the traffic that was looked at
        until text not null,
        period integer not null,           -- seconds
        invocations integer not null,
        unit text not null,                -- 'traces' or 'spans'
        recorded_low real not null,        -- in 30 days, as are the others
        recorded_expected real not null,
        recorded_high real not null,
        gigabytes_low real,
        gigabytes_expected real,
        gigabytes_high real,
        usd_low real,                      -- null: no price is known
        usd_expected real,
        usd_high real,
        price text not null,
        spiky integer not null,
        busy integer not null,
        scaled real not null
    ) without rowid
    """,
)

# Amounts are text, as Cost Explorer spells them, and are added up as decimals: a float would lose a cent.
SPEND = (
    """
    create table spend_months (            -- those that Cost Explorer told of
        month text primary key,            -- its first day
        asked_at text not null,
        estimated integer not null         -- 1: the month is not over, or its bill not final
    ) without rowid
    """,
    """
    create table spend (
        month text not null references spend_months(month),
        account text not null,
        kind text not null check (kind in ('xray', 'transaction_search', 'lambda')),
        usd text not null,
        primary key (month, account, kind)
    ) without rowid
    """,
    """
    create table spend_days (              -- X-Ray, Transaction Search included, of all accounts together
        day text primary key,
        usd text not null
    ) without rowid
    """,
    """
    create table spend_lookups (
        id integer primary key autoincrement,
        asked_at text not null,
        requests integer not null,
        usd text not null,                 -- what the requests cost
        problem text not null,             -- '': all that was asked for is known
        told integer not null,             -- 0: nothing came of it
        denied integer not null,
        usage_types text                   -- JSON; null: they were not asked for, or not told
    )
    """,
    "create index spend_lookups_by_time on spend_lookups(asked_at)",
    """
    create table budget_alerts (           -- what was told of a month, and is not told again
        month text not null,
        which text not null check (which in ('actual', 'forecast')),
        threshold integer not null,        -- percent of the budget
        at text not null,
        primary key (month, which, threshold)
    ) without rowid
    """,
)

FORECAST_CHECKS = (
    """
    create table forecast_checks (         -- what was forecast of a function that was fixed, and what came of it
        request_id text primary key references requests(id),
        arn text not null,
        fixed_at text not null,
        unit text not null,                -- 'traces' or 'spans'
        low real,                          -- in 30 days, as forecast when it was fixed; null: it was not
        expected real,
        high real,
        since text not null,               -- the whole days (UTC) that are looked at
        until text not null,
        due_at text not null,
        state text not null default 'due' check (state in ('due', 'seen', 'unknown')),
        seen real,                         -- traces that X-Ray recorded between the two
        modelled real,                     -- by the same reckoning, of the invocations that there were
        why text not null default '',      -- why it is not known, or not yet
        closed_at text
    ) without rowid
    """,
    "create index forecast_checks_due on forecast_checks(due_at) where state = 'due'",
    "create index forecast_checks_by_function on forecast_checks(arn, closed_at)",
)

TRACE_SHARES = (
    """
    create table trace_months (            -- that are over, and whose shares stand
        month text primary key,            -- its first day
        kept_at text not null,
        unweighed integer not null         -- functions whose traffic was not known
    ) without rowid
    """,
    """
    create table trace_shares (            -- by what X-Ray's cost of a month is shared out in each account
        month text not null references trace_months(month),
        account text not null,
        team text not null,                -- '' for functions of no known team, and where `open` says why none is told
        open text not null,                -- '', 'before', 'no traffic' or 'doubt'
        share real not null,               -- of the account's bill
        primary key (month, account, team, open)
    ) without rowid
    """,
)

# What earlier versions asked for is taken over as far as it was kept, so that no day's money is spent twice.
METRICS_ASKED = (
    """
    create table metrics_asked (           -- of CloudWatch, which bills each; whether or not it answered
        day text not null,                 -- UTC
        purpose text not null check (purpose in ('forecasts', 'forecast_checks', 'gb_seconds', 'maps')),
        metrics integer not null,
        primary key (day, purpose)
    ) without rowid
    """,
    """
    insert into metrics_asked (day, purpose, metrics)
    select substr(asked_at, 1, 10), 'forecasts', sum(case period when 3600 then 1 when 300 then 2 else 3 end)
    from forecasts group by 1
    """,
    """
    insert into metrics_asked (day, purpose, metrics)
    select substr(looked_at, 1, 10), 'gb_seconds', sum(metrics) from usage_looks group by 1 having sum(metrics) > 0
    """,
    """
    create table forecast_refusals (       -- where CloudWatch did not tell of functions when it was asked last
        account text not null,
        region text not null,
        at text not null,
        primary key (account, region)
    ) without rowid
    """,
    """
    create table usage_functions (         -- what `usage` is added up from, of the last two months
        account text not null,
        region text not null,
        name text not null,
        month text not null,               -- its first day
        gb_seconds real not null,
        asked_at text not null,
        primary key (account, region, name, month)
    ) without rowid
    """,
    "alter table usage_looks add column functions integer not null default 0",  # that there were
    "alter table usage_looks add column known integer not null default 0",  # of them, whose GB-seconds are known
)

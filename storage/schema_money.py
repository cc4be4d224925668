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

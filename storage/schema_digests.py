"""The shape of living digests in the file: messages that take the place of others, snoozes, and what was told."""

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

"""The shape of exemptions in the file: rules, the functions that each covers, and the messages that show it."""

# `function_arn` is '' where it goes by names or a tag; `granted_at` is when it was asked for until it is granted.
RULES = (
    "alter table functions add column tag_marks text not null default ''",
    "alter table exemptions add column token text not null default ''",
    "alter table exemptions add column scope text not null default 'function'",
    "alter table exemptions add column target text not null default ''",
    "alter table exemptions add column team text",
    "alter table exemptions add column teams text not null default '[]'",  # JSON; null in it: of no known team
    "alter table exemptions add column later integer not null default 0",
    "alter table exemptions add column ticket text not null default ''",
    "alter table exemptions add column state text not null default 'granted'",
    "alter table exemptions add column asked_by text not null default ''",
    "alter table exemptions add column ask_until text",
    "alter table exemptions add column set_at text",
    "alter table exemptions add column let_end_by text not null default ''",
    "alter table exemptions add column ended_at text",
    "alter table exemptions add column ended_by text not null default ''",
    "alter table exemptions add column ended_why text not null default ''",
    "alter table exemptions add column extends integer references exemptions(id)",
    """
    update exemptions set token = lower(hex(randomblob(12))), set_at = granted_at,
        team = (select functions.team from functions where functions.arn = exemptions.function_arn)
    """,
    "update exemptions set teams = json_array(team)",
    # What was over before anybody recorded ends is not told of now.
    """
    update exemptions set state = 'ended', ended_at = expires_at
    where expires_at <= strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
    """,
    "create unique index exemptions_by_token on exemptions(token)",
    "create index exemptions_that_end on exemptions(expires_at) where state = 'granted'",
    "create index exemptions_asked_for on exemptions(ask_until) where state = 'asked'",
    """
    create table exemption_members (       -- what it covers, and has covered: who has left it does not come back
        exemption_id integer not null references exemptions(id),
        arn text not null,
        added_at text not null,
        later integer not null default 0,  -- 1: it matched after the grant
        covers integer not null default 1, -- 0: its tags could not be read, so that nobody knows
        ended_at text,
        why text not null default '',
        primary key (exemption_id, arn)
    ) without rowid
    """,
    "insert into exemption_members (exemption_id, arn, added_at) select id, function_arn, granted_at from exemptions",
    "update exemption_members set ended_at = (select ended_at from exemptions where id = exemption_id)",
    "create index exemption_members_by_function on exemption_members(arn)",
    """
    create table exemption_posts (         -- messages that show it
        post_id integer primary key references posts(id),
        exemption_id integer not null references exemptions(id)
    )
    """,
    "create index exemption_posts_by_exemption on exemption_posts(exemption_id)",
)

"""The shape of what proves and searches the history: posted heads of its chain, and pages that people turn."""

CHAIN = (
    # Null: not recorded, as in rows of versions before; '': of no known team. The hash covers it where it is not null.
    "alter table decisions add column team text",
    "create index decisions_by_actor on decisions(actor)",
    "create index decisions_by_time on decisions(at)",
    "create index decisions_by_team on decisions(team)",
    """
    create table chain_heads (             -- the newest decision at a time, as it was posted in Slack
        id integer primary key autoincrement,
        number integer not null,           -- the decision's
        hash text not null,
        noted_at text not null,
        post integer references posts(id)
    )
    """,
    """
    create trigger chain_heads_are_never_changed before update on chain_heads
    begin select raise(abort, 'posted heads are append-only'); end
    """,
    """
    create trigger chain_heads_are_never_removed before delete on chain_heads
    begin select raise(abort, 'posted heads are append-only'); end
    """,
    """
    create table history_pages (
        token text primary key,            -- opaque: all that a button carries
        made_at text not null,
        search text not null,              -- JSON
        page integer not null
    ) without rowid
    """,
    """
    create table history_files (           -- posts that bring what was searched for as a file
        post integer primary key references posts(id),
        token text not null references history_pages(token),
        format text not null
    )
    """,
    "create index history_files_by_token on history_files(token)",
)

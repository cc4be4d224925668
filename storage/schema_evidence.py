"""The shape of what an evidence report needs beyond decisions: who could approve, day by day, and reports asked for."""

EVIDENCE = (
    """
    create table approval_rules (          -- who may approve, as [policy] and Slack's user groups said; ids alone
        id integer primary key autoincrement,
        since text not null,               -- when it was first seen to be so
        rules text not null,               -- JSON
        prev_hash text not null,
        hash text not null unique
    )
    """,
    """
    create trigger approval_rules_are_never_changed before update on approval_rules
    begin select raise(abort, 'approval rules are append-only'); end
    """,
    """
    create trigger approval_rules_are_never_removed before delete on approval_rules
    begin select raise(abort, 'approval rules are append-only'); end
    """,
    """
    create table approval_looks (          -- the days on which somebody looked
        day text primary key,              -- UTC
        first_at text not null,
        last_at text not null
    ) without rowid
    """,
    """
    create table evidence_reports (        -- those that were asked for in Slack: from what they are made again
        id text primary key,               -- opaque: all that its button carries
        made_at text not null,
        asked_by text not null,
        since text not null,               -- the first day
        until text not null,               -- the last day, included
        team text
    ) without rowid
    """,
    """
    create table evidence_posts (
        post integer primary key references posts(id),
        report text not null references evidence_reports(id)
    )
    """,
)

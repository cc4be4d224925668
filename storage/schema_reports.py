"""The shape of reports in the file: what each said, and the message that says it."""

REPORTS = (
    """
    create table reports (
        id text primary key,               -- opaque: all that its button carries
        made_at text not null,
        figures blob not null              -- JSON, compressed
    ) without rowid
    """,
    """
    create table report_posts (
        post integer primary key references posts(id),
        report text not null references reports(id)
    ) without rowid
    """,
    "create index report_posts_by_report on report_posts(report)",
)

"""The shape of trace maps in the file: what each showed, and the message that shows it."""

MAPS = (
    """
    create table maps (
        id text primary key,               -- opaque: all that its button carries
        made_at text not null,
        map blob not null                  -- JSON, compressed
    ) without rowid
    """,
    """
    create table map_posts (
        post integer primary key references posts(id),
        map text not null references maps(id)
    ) without rowid
    """,
    "create index map_posts_by_map on map_posts(map)",
)

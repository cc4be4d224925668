"""The shape of what a person has read and needs no more."""

TIPS = (
    """
    create table dismissed_tips (
        workspace text not null,
        user text not null,
        tip text not null,
        at text not null,
        primary key (workspace, user, tip)
    ) without rowid
    """,
)

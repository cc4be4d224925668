"""The shape of the past: spells of functions that are over. What goes on stands in `functions` alone.

A trigger writes them, so that whatever changes a function is kept, and an audit that finds nothing new writes nothing.
It goes with the table: a migration that makes `functions` anew has to make the trigger anew. An update that may set one
of the trigger's columns costs a third more, wherever it stands: storage.functions leaves them out where it can.
"""

# When what an update says became so. `known_since` is told for a team that was decided on here, maybe at the very
# moment of the change before; all else comes with its own time.
_MOMENT = """
    case when new.gone_at is not null and old.gone_at is null then new.gone_at
         when new.known_since is not old.known_since then new.known_since
         when new.verdict is not old.verdict then new.since
         when new.seen_at is old.seen_at then max(coalesce(new.known_since, new.made_at), new.seen_at)
         else new.seen_at end
"""
_BEGAN = "coalesce(old.known_since, old.made_at)"
_ITS = "function = (select id from past_functions where arn = old.arn)"

PAST = (
    # Since when verdict, team and production are as they are, and it is there or gone. Null: since it was first seen.
    "alter table functions add column known_since text",
    "update functions set known_since = coalesce(gone_at, since)",
    """
    create table past_functions (          -- a number for each ARN that has a past, for rows are many
        id integer primary key,
        arn text not null unique
    )
    """,
    """
    create table past (                    -- how functions were known to be, from `since` and before `until`
        function integer not null references past_functions(id),
        since text not null,
        until text not null,
        verdict text,                      -- null: it was there, and how it was nobody kept
        team text,
        production integer,
        primary key (function, since)
    ) without rowid
    """,
    # Of what was before, memory has the last change of each function. Its team is taken to be the one of today.
    """
    insert into past_functions (arn) select arn from functions
    where (gone_at is not null and since < gone_at) or made_at < since order by arn
    """,
    """
    insert into past select id, since, gone_at, verdict, team, production
    from functions join past_functions using (arn) where since < gone_at
    """,
    """
    insert into past select id, made_at, min(since, coalesce(gone_at, since)), null, null, null
    from functions join past_functions using (arn) where made_at < min(since, coalesce(gone_at, since))
    """,
    # What was seen later than it is now was seen by a clock that has been set back since, and does not count: seen_at
    # goes back for no other reason, and spells that it wrote give way.
    f"""
    create trigger functions_have_a_past
    after update of verdict, team, production, gone_at on functions
    when (old.gone_at is null or new.gone_at is null) and (
        new.verdict is not old.verdict or new.team is not old.team or new.production is not old.production
        or new.gone_at is not old.gone_at or new.made_at is not old.made_at
        or (new.seen_at < old.seen_at and new.seen_at < {_BEGAN})
    )
    begin
        delete from past where {_ITS} and since >= {_MOMENT};
        update past set until = {_MOMENT} where {_ITS} and until > {_MOMENT};
        insert into past_functions (arn) select old.arn
        where old.gone_at is null and {_BEGAN} < {_MOMENT}
            and not exists (select 1 from past_functions where arn = old.arn);
        insert into past select id, {_BEGAN}, {_MOMENT}, old.verdict, old.team, old.production
        from past_functions where arn = old.arn and old.gone_at is null and {_BEGAN} < {_MOMENT};
        update functions set known_since = {_MOMENT} where arn = new.arn;
    end
    """,  # noqa: S608 - constants
)

"""Files as earlier versions left them: the rows of one that ran for real, in the schema of any released step."""

import sqlite3
from pathlib import Path

from sqlite_utils import Database

from storage.schema import migrations
from storage.schema_views import drop_views, make_views

ROWS = Path(__file__).with_name("memory_m007.sql")
FILLED = "m007_one_index_less"
WITH_VIEWS = "m024_evidence"
RELEASED = [step.name for step in migrations.pending(Database(memory=True))]
# Those that a check of the first schema knows; what refers to another is left out with it.
FIRST_STATES = ("open", "running", "applied", "failed", "resolved")


def write_m007(path: Path) -> None:
    """A file of that schema with its rows."""
    with sqlite3.connect(path) as file:
        _migrate(file, FILLED)
        file.executescript(ROWS.read_text(encoding="utf-8"))
    file.close()


def write(path: Path, step: str) -> None:
    """A file of that step's schema, with as much of the rows as it has a place for."""
    if RELEASED.index(step) >= RELEASED.index(FILLED):
        write_m007(path)
        with sqlite3.connect(path) as file:
            _migrate(file, step)
        file.close()
        return
    full = path.with_suffix(".m007")
    write_m007(full)
    with sqlite3.connect(path) as file:
        _migrate(file, step)
        file.execute("attach ? as full", [str(full)])
        file.execute("pragma foreign_keys = off")
        for (table,) in file.execute("select name from full.sqlite_master where type = 'table'").fetchall():
            if not table.startswith(("sqlite_", "_sqlite_")):
                _copy(file, table)
    file.close()
    full.unlink()


def counts(path: Path) -> dict[str, int]:
    """How many rows each table has that holds any."""
    with sqlite3.connect(path) as file:
        names = [name for (name,) in file.execute("select name from sqlite_master where type = 'table'")]
        found = {name: int(file.execute(f"select count(*) from {name}").fetchone()[0]) for name in names}
    file.close()
    return {name: number for name, number in found.items() if number and not name.startswith(("sqlite_", "_sqlite_"))}


def _migrate(file: sqlite3.Connection, step: str) -> None:
    after = RELEASED[RELEASED.index(step) + 1 :]
    db = Database(file)
    migrations.apply(db, stop_before=after[:1])
    if step >= WITH_VIEWS:  # as who opens the file makes them, after the steps
        drop_views(db)
        make_views(db)


def _copy(file: sqlite3.Connection, table: str) -> None:
    """The columns that both have; no table of the target may refuse a row."""
    kept = [_columns(file, schema, table) for schema in ("main", "full")]
    columns = ", ".join(name for name in kept[1] if name in kept[0])
    if not columns:
        return
    where = ""
    if "asked_by" not in _columns(file, "main", "requests"):
        states = ", ".join(f"'{state}'" for state in FIRST_STATES)
        first = f"(select id from full.requests where state in ({states}))"
        where = {"requests": f"where id in {first}", "post_items": f"where request_id in {first}"}.get(table, "")
    file.execute(f"insert into main.{table} ({columns}) select {columns} from full.{table} {where}")


def _columns(file: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [name for _, name, *_ in file.execute(f"pragma {schema}.table_info({table})")]

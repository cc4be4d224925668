"""`python -m bot audit --as-of`: how it was at the end of a past day, from memory, in a terminal."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import click

from bot.config import load
from bot.terminal import ORDER
from commands._as_of import NoSuchDay, Then, look_back
from storage.models import Coverage, Verdict
from storage.past import PastVerdict
from storage.store import open_store


@dataclass(frozen=True, slots=True)
class Narrow:
    """What alone is shown; None: any."""

    team: str | None
    account: str | None
    region: str | None

    def takes(self, one: PastVerdict) -> bool:
        return all(
            wanted in (None, its)
            for wanted, its in ((self.team, one.team), (self.account, one.account), (self.region, one.region))
        )


def tell(text: str, narrow: Narrow, *, as_json: bool, everything: bool) -> int:
    """The exit code: 1 where something was wanting then. Raises UsageError for a day of which nothing can be told."""
    config = load()
    named = Narrow(config.teams.named(narrow.team) if narrow.team else None, narrow.account, narrow.region)
    with open_store(config.database) as store:
        try:
            then = look_back(store, text, datetime.now(UTC), config.zone, config.policy.production)
        except NoSuchDay as problem:
            raise click.UsageError(f"--as-of: {problem}") from problem
        if named.team and named.team not in then.teams:
            raise click.UsageError(f"no function belonged to team {named.team} on {then.day}")
        functions = [one for one in store.past.functions_at(then.at) if named.takes(one)]
    counts = Coverage(**{str(verdict): number for verdict, number in Counter(one.verdict for one in functions).items()})
    if as_json:
        click.echo(_json(then, functions, counts))
    else:
        _print(then, functions, counts, everything=everything)
    wanting = counts.untraced or counts.unknown or then.not_known or (then.audit and then.audit.not_scanned)
    return 1 if wanting else 0


def _json(then: Then, functions: Sequence[PastVerdict], counts: Coverage) -> str:
    """The object of an audit in a terminal, with null for what is not kept of past days."""
    audit = then.audit
    told: dict[str, object] = {
        "as_of": {"day": f"{then.day}", "at": then.at.isoformat(), "not_known": then.not_known},
        "audit": audit
        and {
            "id": audit.id,
            "started_at": audit.started_at.isoformat(),
            "finished_at": audit.finished_at.isoformat(),
            "accounts": audit.accounts,
            "regions": audit.regions,
            "functions": audit.functions,
            "aws_calls": audit.aws_calls,
        },
        "coverage": {"percent": counts.percent, **asdict(counts)},
        "functions": [
            {
                "arn": one.arn,
                "account": one.account,
                "region": one.region,
                "name": one.name,
                "team": one.team,
                "mode": None,
                "verdict": one.verdict,
                "findings": None,
                "role": None,
                "role_may_write": None,
                "since": one.since.isoformat(),
                "until": one.until and one.until.isoformat(),
            }
            for one in functions
        ],
        "not_scanned": [asdict(one) for one in (audit.not_scanned if audit else ())],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _print(then: Then, functions: Sequence[PastVerdict], counts: Coverage, *, everything: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    shown = [one for one in functions if one.verdict and (everything or one.verdict is not Verdict.TRACED)]
    shown.sort(key=lambda one: (ORDER.index(one.verdict or Verdict.UNKNOWN), one.team or "~", one.name))
    if shown:
        table = Table("function", "verdict", "team", "account", "region", "since", "until", box=None, pad_edge=False)
        for one in shown:
            ended = f"{one.until:%Y-%m-%d}" if one.until else "still so"
            since = f"{one.since:%Y-%m-%d}"
            table.add_row(one.name, str(one.verdict), one.team or "–", one.account, one.region, since, ended)
        console.print(table)
    for place in then.audit.not_scanned if then.audit else ():
        console.print(f"not fully seen: {place.account} {place.region}".rstrip() + f": {place.reason}", style="red")
    if then.not_known:
        console.print(f"of {then.not_known:,} more functions nobody kept how they were")
    percent = "n/a" if counts.percent is None else f"{counts.percent:g} %"
    audit = f"audit {then.audit.id}" if then.audit else "no audit of everything by then"
    console.print(
        f"coverage at the end of {then.day}: {percent}: {counts.traced} traced, {counts.untraced} untraced, "
        f"{counts.exempt} exempt, {counts.not_applicable} not applicable, {counts.unknown} unknown ({audit})"
    )

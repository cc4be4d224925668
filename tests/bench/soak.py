"""`python -m tests.bench.soak`: hours of simulated time with Slack and AWS failing at random, and what came of them."""

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests.e2e.soak_checks import problems
from tests.e2e.soaking import Plan, Soak


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--hours", type=click.FloatRange(min=1), default=12.0, show_default=True, help="Simulated hours.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of what happens by chance.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="So many soaks, seed by seed.")
@click.option(
    "--step", type=click.FloatRange(min=0.5), default=6.0, show_default=True, help="Minutes between two jumps."
)
@click.option("--ends", type=click.IntRange(min=0), default=4, show_default=True, help="Kills and stops of the bot.")
@click.option(
    "--ids-once/--ids-free", default=True, show_default=True, help="Whether Slack takes a message's id once, or not."
)
@click.option("--keep", is_flag=True, help="Keep the bot's log and database, and say where.")
def main(hours: float, seed: int, seeds: int, step: float, ends: int, ids_once: bool, keep: bool) -> None:
    """Run the real bot between failing stand-ins of Slack and AWS, and check what it did.

    Exit code 1: a decision was lost, a message is there twice, something leaks, or anything else is not as it must be.
    """
    console = Console(highlight=False)
    wrong = 0
    for number in range(seed, seed + seeds):
        plan = Plan(seed=number, hours=hours, step_minutes=step, ends=ends, ids_once=ids_once)
        folder = Path(tempfile.mkdtemp(prefix="soak-"))
        console.print(f"[bold]seed {number}[/bold], {hours:g} simulated hours{f': {folder}' if keep else ''}")
        wrong += len(_soak(plan, folder, console))
        if not keep:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
    sys.exit(1 if wrong else 0)


def _soak(plan: Plan, folder: Path, console: Console) -> list[str]:
    began = time.monotonic()
    with Soak(folder, plan) as soak:
        soak.run()
        found = problems(soak)
        _show(soak, console, time.monotonic() - began)
    for line in found:
        console.print(f"  [red]✗[/red] {line}", markup=True, soft_wrap=True)
    if not found:
        console.print("  [green]✓[/green] nothing lost, nothing twice, nothing leaks")
    return found


def _show(soak: Soak, console: Console, seconds: float) -> None:
    with soak.memory() as store:
        kinds = Counter(str(row.kind) for row in store.decisions.all())
        posts = len(store.posts.all())
    refused = Counter(str(call.error) for call in soak.slack.calls if call.error)
    cpu = sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    console.print(
        f"  {soak.hours:.1f} h in {seconds:.0f} s ({cpu:.0f} s of CPU so far); {soak.crowd.acts} acts of people, "
        f"{soak.kills} kills, {soak.amid} of them amid a fix, {soak.stops} stops, {soak.late} of them too late"
    )
    console.print(f"  decisions: {', '.join(f'{kind} {count}' for kind, count in kinds.most_common())}")
    console.print(
        f"  Slack: {posts} posts, {len(soak.slack.calls)} calls, of which failed: "
        f"{', '.join(f'{error} {count}' for error, count in refused.most_common()) or 'none'}"
    )
    console.print(
        f"  AWS: {len(soak.aws.calls)} calls, {len(soak.aws.changes)} changes, "
        f"{sum(change.lost for change in soak.aws.changes)} of them unanswered"
    )
    table = Table("hours", "start", "threads", "files", "sockets", "databases", "objects", "ours", "MB")
    for one in soak.measured:
        held = one.held
        numbers = [held[name] for name in ("threads", "files", "sockets", "databases", "objects", "ours")]
        table.add_row(f"{one.hours:.1f}", str(one.life), *map(str, numbers), f"{held['rss_kb'] / 1024:.0f}")
    console.print(table)


if __name__ == "__main__":
    main()

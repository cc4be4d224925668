"""The command line: each command of `python -m bot`."""

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.templates import templates

if TYPE_CHECKING:
    from bot.beside import Memory
    from bot.config import Config
    from bot.terminal_history import Wanted
    from commands._context import Context
    from commands.aws.accounts import Cloud
    from storage.store import Store

EXIT_DONE, EXIT_USAGE, EXIT_INTERRUPTED = 0, 2, 130


def _twelve_digits(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"\d{12}", value):
        raise click.BadParameter(f"{value!r} is no account id; write its 12 digits, like 111122223333")
    return value


def _region_name(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", value):
        raise click.BadParameter(f"{value!r} is no region; write one like eu-central-1")
    return value


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Lamplighter finds AWS Lambda functions without active tracing and helps their teams to fix them.

    Settings: SLACK_BOT_TOKEN, SLACK_APP_TOKEN or SLACK_SIGNING_SECRET, the usual AWS_* names, and lamplighter.toml;
    `settings` prints all of them.
    """


main.add_command(templates)


@main.command()
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def run(verbose: bool) -> None:
    """Start the bot and stay, until SIGTERM or ctrl-C."""
    from bot.logs import write_log

    write_log(verbose)

    def start() -> int:
        from bot.config import load
        from bot.environment import forget_secrets
        from bot.service import Service

        config = load()
        write_log(verbose, config.secrets)
        forget_secrets()
        Service(config).run()
        return EXIT_DONE

    sys.exit(_answering(start))


@main.command()
@click.option("--ready", is_flag=True, help="Ask whether it is ready, and not only alive.")
def healthy(ready: bool) -> None:
    """Ask the bot on this machine whether it is alive. Needs neither AWS credentials nor Slack's tokens.

    Prints what the bot says, a JSON object a line. Exit code 0: yes; 1: no, or nobody answers; 2: bad settings.
    """

    def ask() -> int:
        from bot.config import load
        from bot.healthy import tell

        return tell(load().health_listen, ready=ready)

    sys.exit(_answering(ask))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--team", help="Show this team's functions only.")
@click.option("--account", callback=_twelve_digits, help="Ask this account only (12 digits).")
@click.option("--region", callback=_region_name, help="Ask this region only.")
@click.option("--all", "everything", is_flag=True, help="Show traced functions too (a table shows the others).")
@click.option("--as-of", help="Ask memory instead of AWS how it was at the end of this day, as in 2026-10-03.")
def audit(
    as_json: bool, team: str | None, account: str | None, region: str | None, everything: bool, as_of: str | None
) -> None:
    """Audit once and print. Needs AWS credentials and nothing of Slack.

    Exit code 0: all is traced, exempt or not applicable; 1: something is not, or could not be seen; 2: bad usage.
    """
    _log(False)
    if as_of is not None:
        from bot import terminal_past

        narrow = terminal_past.Narrow(team, account, region)
        sys.exit(_answering(lambda: terminal_past.tell(as_of, narrow, as_json=as_json, everything=everything)))
    sys.exit(_answering(lambda: _audit(as_json, team, account, region, everything)))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--team", help="Ask for this team's functions only.")
def forecast(as_json: bool, team: str | None) -> None:
    """Say what tracing each function would record and cost. Needs AWS credentials and nothing of Slack.

    Of the functions that the last audit saw; where there was none, one is taken first. CloudWatch bills $0.01 for 1,000
    functions, and the last line says what it was. Exit code 0: all are known; 1: some are not; 2: bad usage.
    """
    _log(False)
    sys.exit(_answering(lambda: _forecast(as_json, team)))


@main.command(short_help="Print a report from memory.")
@click.option("--team", help="Of this team only.")
@click.option("--days", type=click.IntRange(7, 365), default=30, show_default=True, help="Of so many days up to now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
@click.option(
    "--png", "folder", metavar="FOLDER", type=click.Path(path_type=Path), help="Write the pictures into this folder."
)
@click.option("--csv", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file.")
def report(team: str | None, days: int, as_json: bool, folder: Path | None, file: Path | None) -> None:
    """Print coverage, repair times and cost, from what the bot remembers. Asks neither AWS nor Slack."""
    _log(False)
    sys.exit(_answering(lambda: _report(team, days, as_json, folder, file)))


@main.command(short_help="Print evidence for auditors from memory.")
@click.option("--since", required=True, metavar="DATE", help="The first day, as in 2026-07-01.")
@click.option("--until", metavar="DATE", help="The last day, included; today, where it is left out.")
@click.option("--team", help="Of this team only.")
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "json", "pdf"]), help="text, or what FILE's name ends in."
)
@click.option("--output", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
def evidence(since: str, until: str | None, team: str | None, form: str | None, file: Path | None) -> None:
    """Print one page of evidence: who could decide, who did, coverage, exceptions, and gaps.

    From what the bot remembers; asks neither AWS nor Slack. Days are those of [schedule] timezone. html is one page of
    A4 or Letter; pdf is that page as Chromium prints it, where that is installed. Exit code 0; 1: a chain of hashes is
    broken, and the report says where; 2: bad usage.
    """
    _log(False)
    from bot import terminal_evidence

    wanted = terminal_evidence.Wanted(since, until, team, form, file)
    sys.exit(_answering(lambda: terminal_evidence.tell(_context, wanted)))


@main.command("map")
@click.argument("function")
@click.option("--account", callback=_twelve_digits, help="In this account (12 digits).")
@click.option("--region", callback=_region_name, help="In this region.")
@click.option("--hours", type=click.IntRange(1, 168), default=6, show_default=True, help="Of so many hours up to now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture to this file.")
def trace_map(
    function: str, account: str | None, region: str | None, hours: int, as_json: bool, png: Path | None
) -> None:
    """Print what calls a function and what it calls, by X-Ray. Needs AWS credentials and nothing of Slack.

    Of a function that the last audit saw; where there was none, one is taken first. Exit code 0: there is a map; 1:
    there is nothing to show, and why; 2: bad usage.
    """
    _log(False)
    from bot import terminal_map

    wanted = terminal_map.Wanted(function, account, region, hours)
    sys.exit(_answering(lambda: terminal_map.tell(_context, wanted, as_json=as_json, png=png)))


@main.command(short_help="Copy the database, also while the bot runs.")
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy what the bot remembers to FILE, also while it runs. Asks neither AWS nor Slack.

    FILE holds all of it, needs no other file beside it, is for its owner alone, and is never written over. Exit code 0:
    copied, and whole; 1: copied, and decisions were changed or removed from it before; 2: not copied, and why.
    """
    from bot import safekeeping

    sys.exit(_answering(lambda: safekeeping.backup(file)))


@main.command(short_help="Put a backup in the place of the database.")
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put a copy in the place of what the bot remembers. Stop the bot first.

    What was there is kept beside it. Exit code 0: done; 1: done, and decisions were changed or removed from the copy;
    2: nothing was changed, and why.
    """
    from bot import safekeeping

    sys.exit(_answering(lambda: safekeeping.restore(file)))


@main.command(short_help="Print who decided what, or write it to a file.")
@click.argument("words", nargs=-1)
@click.option("--since", help="A day like 2026-10-03, or a window like 4w or 30d.")
@click.option("--until", help="The last day, like 2026-10-31.")
@click.option("--team", help="About this team's functions only.")
@click.option("--function", help="About this function only: a name with its account and region, or an ARN.")
@click.option("--person", help="By this person only: a Slack user id.")
@click.option("--format", "how", type=click.Choice(["table", "csv", "jsonl"]), default="table", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--most", type=click.IntRange(1, 1000), default=50, show_default=True, help="Rows of a table.")
def history(
    words: tuple[str, ...],
    since: str | None,
    until: str | None,
    team: str | None,
    function: str | None,
    person: str | None,
    how: str,
    output: Path | None,
    most: int,
) -> None:
    """Print decisions from memory, the newest first. Asks neither AWS nor Slack.

    WORDS are as in /trace-history: a function, a team, a person's id and a start, in any order. CSV and JSON Lines have
    all of them, the oldest first; the file of the bot is only read.
    """
    _log(False)
    from bot import terminal_history

    wanted = terminal_history.Wanted(words, since, until, team, function, person)
    sys.exit(_answering(lambda: _history(wanted, how, output, most)))


@main.command(short_help="Check that no decision was changed, removed or put in.")
@click.option("--expect", multiple=True, metavar="NUMBER:HASH", help="As posted in Slack; or a hash alone. Repeatable.")
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="This file, as an auditor's copy.")
def verify(expect: tuple[str, ...], database: Path | None) -> None:
    """Check the chain of decisions and name the first bad row. Asks neither AWS nor Slack.

    The file is only read: no right to write is needed. Exit code 0: all is as it was written; 1: it is not, or --expect
    is not met; 2: bad usage, or the file cannot be read.
    """
    sys.exit(_answering(lambda: _verify(expect, database)))


@main.command(short_help="Say whether it is set up right.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with AWS's own words.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each thing that is well, too.")
@click.option("--only", type=click.Choice(["here", "aws"]), help="Only settings, memory and Slack; or only AWS.")
@click.option("--paid", is_flag=True, help="Ask what AWS bills, too: $0.02, and less than a cent for each account.")
def doctor(as_json: bool, verbose: bool, only: str | None, paid: bool) -> None:
    """Say whether it is set up right: settings, database, Slack, AWS. Works beside a running bot.

    Each thing is ok, warn (the bot does without), fail or unknown, with what to do about it. Nothing is changed, posted
    or received; every audit role and fix role is assumed, the latter with leave to do nothing. Exit code 0: nothing
    fails, and all that was asked answered; 1: something fails, or did not answer; 2: settings that cannot be used.
    """
    _log(False)
    from bot.doctor import terminal

    sys.exit(_answering(lambda: terminal.doctor(as_json=as_json, verbose=verbose, paid=paid, only=only)))


@main.command("check-iac")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option(
    "--sarif", "sarif_file", type=click.Path(path_type=Path, dir_okay=False), help="Write SARIF to this file."
)
@click.option(
    "--fix", "mend", is_flag=True, help="Turn active tracing on in the files, where that takes a line or two."
)
def check_iac(paths: tuple[Path, ...], as_json: bool, sarif_file: Path | None, mend: bool) -> None:
    """Check the code that deploys functions. Asks neither AWS nor Slack, and needs no settings.

    CloudFormation, SAM, cdk.out, Serverless Framework, Terraform and what `terraform show -json` prints of a plan. Exit
    code 0: every function is Active, or tracing cannot work there; 1: one is not, or it cannot be told; 2: bad usage.
    """
    from bot import check_iac as checking

    sys.exit(_answering(lambda: checking.check_iac(paths, as_json=as_json, sarif_file=sarif_file, mend=mend)))


@main.command(short_help="Print every setting, and what it does.")
@click.option("--toml", "as_toml", is_flag=True, help="Print a lamplighter.toml that shows every key.")
@click.option("--schema", "as_schema", is_flag=True, help="Print lamplighter.toml's JSON Schema, for editors.")
def settings(as_toml: bool, as_schema: bool) -> None:
    """Print every environment variable and every key of lamplighter.toml: what it takes, its default, what it does.

    Reads no settings, and asks neither AWS nor Slack.
    """
    from bot import settings as telling

    sys.exit(_answering(lambda: telling.tell(as_toml=as_toml, as_schema=as_schema)))


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", default=0, show_default="any free one", help="Where the page is served on 127.0.0.1.")
@click.option("-v", "--verbose", is_flag=True, help="Show the bot's log.")
def demo(port: int, verbose: bool) -> None:
    """Show it in a pretend Slack around a pretend cloud."""
    from bot.demo.show import show

    sys.exit(_answering(lambda: show(port, verbose)))


def _audit(as_json: bool, team: str | None, account: str | None, region: str | None, everything: bool) -> int:
    import gc

    # Nearly all that an audit makes lives to its end: looking through it again and again takes a tenth of the time.
    gc.set_threshold(200_000, 20, 100)
    from bot.beside import Memory
    from bot.config import load

    config = load()
    _check_filters(config, account, region)
    with Memory(config.database) as memory:
        code = _ask_and_print(config, memory, as_json, team, account, region, everything)
    gc.freeze()  # nor need it be looked through when the process ends
    return code


def _ask_and_print(
    config: "Config",
    memory: "Memory",
    as_json: bool,
    team: str | None,
    account: str | None,
    region: str | None,
    everything: bool,
) -> int:
    from bot.progress import progress
    from commands.aws.accounts import Cloud
    from commands.aws.inventory import take_inventory

    cloud, started_at = Cloud(config.aws), datetime.now(UTC)
    accounts, regions = (account,) if account else None, (region,) if region else None
    with progress(quiet=as_json) as on_progress:
        seen = take_inventory(
            cloud,
            accounts=accounts,
            regions=regions,
            tag_keys=config.teams.tag_keys,
            on_progress=on_progress,
            meanwhile=memory.open,
        )
    from bot import terminal
    from commands._audits import keep_audit
    from commands._changes import last_known
    from storage.models import Source

    store = memory.store
    context = _context(config, store, cloud)
    taken = keep_audit(context, seen, started_at, source=Source.TERMINAL, accounts=accounts, regions=regions)
    team = config.teams.named(team) if team else None
    _check_team(team, store.functions.teams())
    functions = [one for one in taken.functions if team is None or one.team == team]
    since, kept = store.changes.since_last(taken.audit.id), last_known(context, taken.audit)
    if team:
        since = since.of_team(team)
        kept = [one for one in kept if one.function.team == team]
    if as_json:
        terminal.print_json(taken.audit, functions, since, kept)
    else:
        terminal.print_table(taken.audit, functions, everything, since, kept)
    return terminal.exit_code(taken.audit, functions)


def _forecast(as_json: bool, team: str | None) -> int:
    from bot import terminal_forecast
    from bot.config import load
    from bot.progress import progress
    from commands._audits import take_audit
    from commands._forecasts import forecast_now
    from commands.aws.accounts import Cloud
    from storage.models import Source
    from storage.store import open_store

    config = load()
    with open_store(config.database) as store, progress(quiet=as_json) as on_progress:
        context = _context(config, store, Cloud(config.aws))
        if store.audits.latest() is None:
            take_audit(context, source=Source.TERMINAL, on_progress=on_progress)
        team = config.teams.named(team) if team else None
        _check_team(team, store.functions.teams())
        functions = [one for one in store.functions.traceable() if team is None or one.team == team]
        told = forecast_now(context, functions, on_progress)
    if as_json:
        terminal_forecast.print_json(functions, told)
    else:
        terminal_forecast.print_table(functions, told, whole=team is None)
    return terminal_forecast.exit_code(told)


def _report(team: str | None, days: int, as_json: bool, folder: Path | None, file: Path | None) -> int:
    from bot import terminal_report
    from bot.config import load
    from commands._reports import UnknownTeam, known_teams, make_report, team_of
    from commands.aws.accounts import Cloud
    from storage.store import open_store

    config = load()
    if not config.database.exists():
        raise click.UsageError(f"there is no {config.database} yet. Take an audit first: python -m bot audit")
    with open_store(config.database) as store:
        context = replace(_context(config, store, Cloud(config.aws)), policy=config.policy, budget=config.budget)
        if store.audits.latest() is None:
            raise click.UsageError("no audit has been taken yet. Take one first: python -m bot audit")
        wanted = team_of(context, team) if team else None
        if isinstance(wanted, UnknownTeam):
            near = wanted.near or tuple(sorted(known_teams(context))[:10])
            raise click.UsageError(f"no function belongs to team {team}. Teams: {', '.join(near) or 'none'}")
        made = make_report(context, days, wanted)
    terminal_report.print_json(made) if as_json else terminal_report.print_report(made)
    written = [*(terminal_report.write_pictures(made, folder) if folder else ())]
    written += [terminal_report.write_csv(made, file)] if file else []
    for one in written:
        click.echo(f"written: {one}", err=True)
    return EXIT_DONE


def _history(wanted: "Wanted", how: str, output: Path | None, most: int) -> int:
    from bot import terminal_history
    from bot.config import load

    return terminal_history.tell(load(), wanted, how=how, output=output, most=most)


def _verify(expect: tuple[str, ...], database: Path | None) -> int:
    from bot import terminal_verify

    if database is None:
        from bot.config import load

        database = load().database
    return terminal_verify.tell(database, expect)


def _context(config: "Config", store: "Store", cloud: "Cloud") -> "Context":
    from bot.nobody import Nobody
    from commands._context import Context

    return Context(
        store=store,
        cloud=cloud,
        teams=config.teams,
        people=Nobody(),
        clock=lambda: datetime.now(UTC),
        zone=config.zone,
        forecasting=config.forecasting,
    )


def _check_filters(config: "Config", account: str | None, region: str | None) -> None:
    from commands.aws.scope import Member, selected

    if account and config.aws.accounts and account not in config.aws.accounts:
        known = ", ".join(config.aws.accounts)
        raise click.UsageError(f"--account {account} is not configured. Choose one of: {known}")
    if account and selected(Member(account), config.aws.include, config.aws.exclude) is False:
        raise click.UsageError(f"--account {account} is left out by [aws.include] or [aws.exclude]. Change them first")
    if region and config.aws.regions and region not in config.aws.regions:
        known = ", ".join(config.aws.regions)
        raise click.UsageError(f"--region {region} is not configured. Choose one of: {known}")


def _check_team(team: str | None, known: list[str]) -> None:
    if team and team not in known:
        import difflib

        near = difflib.get_close_matches(team, known, 3) or known[:10]
        raise click.UsageError(f"no function belongs to team {team}. Teams: {', '.join(near) or 'none'}")


def _answering(work: Callable[[], int]) -> int:
    """What a person can mend is one line and exit code 2."""
    from bot.config import ConfigProblem
    from commands.aws.errors import AwsProblem
    from storage.connection import StorageProblem

    try:
        return work()
    except click.UsageError as problem:
        click.echo(f"lamplighter: {problem.format_message()}", err=True)
    except (ConfigProblem, StorageProblem, AwsProblem) as problem:
        for line in str(problem).splitlines():
            click.echo(f"lamplighter: {line}", err=True)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as problem:  # what the file itself refuses is a line as well; all else goes on up
        from storage.trouble import trouble

        why = trouble(problem)
        if why is None:
            raise
        click.echo(
            f"lamplighter: what was asked could not be kept: of the database, {why}. Mend that, and ask again.",
            err=True,
        )
    return EXIT_USAGE


def _log(verbose: bool) -> None:
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", level=logging.WARNING)
    for name in ("bot", "commands", "storage"):
        logging.getLogger(name).setLevel(level)

"""The environment variables that are read beside AWS's own, and the files that tokens may stand in instead."""

import os
from dataclasses import dataclass, field, fields

DEFAULT_DATABASE = "lamplighter.db"
SAYS = "says"
FILE = "_FILE"


@dataclass(frozen=True)
class Environment:
    """Each variable under its name in upper case. What no log may show is left out of the repr, and may come from a
    file that `NAME_FILE` names."""

    slack_bot_token: str = field(default="", repr=False, metadata={SAYS: "the app's bot token (`xoxb-…`)"})
    slack_app_token: str = field(
        default="",
        repr=False,
        metadata={SAYS: "the app-level token (`xapp-…`): Socket Mode, no public address needed"},
    )
    slack_signing_secret: str = field(
        default="",
        repr=False,
        metadata={
            SAYS: "instead of the app-level token: Slack's signed requests are served over HTTP, see *HTTP instead of "
            "Socket Mode*"
        },
    )
    slack_api_url: str = field(default="https://slack.com/api/", metadata={SAYS: "another Slack server"})
    lamplighter_metrics_token: str = field(
        default="",
        repr=False,
        metadata={
            SAYS: "over HTTP, who sends it as `Authorization: Bearer …` may read `/metrics` beside `/slack/events`; at "
            "least 16 characters; absent: nobody may"
        },
    )
    lamplighter_config: str = field(
        default="", metadata={SAYS: "the settings file; `lamplighter.toml`, where there is one"}
    )
    lamplighter_database: str = field(default=DEFAULT_DATABASE, metadata={SAYS: "the SQLite file"})
    litestream_replica_url: str = field(  # it may hold a password
        default="",
        repr=False,
        metadata={
            SAYS: "where the file is replicated to, as in `s3://bucket/path`; unset: nowhere. See *Backups, restore "
            "and upgrades*"
        },
    )


SECRETS = tuple(each.name for each in fields(Environment) if not each.repr)


def read_environment() -> tuple[Environment, tuple[str, ...]]:
    """As it is now, and a line for each secret that cannot be taken; such a secret is as if it were not set."""
    given = {
        each.name: os.environ[each.name.upper()] for each in fields(Environment) if each.name.upper() in os.environ
    }
    if not any(os.environ.get(name.upper()) or os.environ.get(name.upper() + FILE) for name in SECRETS):
        return Environment(**given), ()
    from bot.secret_files import secret  # an audit in a terminal has none

    problems = []
    for name in SECRETS:
        try:
            given[name] = secret(name.upper(), os.environ)
        except ValueError as problem:
            problems.append(str(problem))
    return Environment(**given), tuple(problems)


def forget_secrets() -> None:
    """Nothing that is started or printed from here on can show them."""
    for name in SECRETS:
        os.environ.pop(name.upper(), None)

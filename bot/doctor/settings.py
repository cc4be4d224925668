"""What lamplighter.toml and this machine say by themselves. Asks nobody."""

import importlib.util
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bot.config import DEFAULT_FILE, Config
from commands.aws.accounts import LOCAL
from storage.diagnosis import Diagnosis, Outcome

AREA = "Settings"


def look(config: Config, now: datetime) -> Iterator[Diagnosis]:
    """The file was read already: what cannot be used in it is said before anything else, by whoever reads it."""
    yield _file(config)
    yield _time(config, now)
    yield from _extras(config)


def _file(config: Config) -> Diagnosis:
    path = Path(config.environment.lamplighter_config or DEFAULT_FILE)
    if path.exists():
        return Diagnosis(AREA, Outcome.OK, "file", f"{path}, and every key in it is known")
    said = f"there is no {DEFAULT_FILE} in {Path.cwd()}: every setting is its default"
    how = "write one (the README shows every key), or name it in LAMPLIGHTER_CONFIG"
    return Diagnosis(AREA, Outcome.WARN, "file", said, how)


def _time(config: Config, now: datetime) -> Diagnosis:
    there = now.astimezone(config.zone)
    daily = config.file.schedule.daily
    return Diagnosis(
        AREA, Outcome.OK, "time zone", f"{config.zone.key}, where it is {there:%H:%M}; the daily audit is at {daily}"
    )


def _extras(config: Config) -> Iterator[Diagnosis]:
    """What is installed by requirements files of its own, where the settings need it."""
    if importlib.util.find_spec("matplotlib") is None:
        said = "matplotlib is not installed: reports and maps come without pictures"
        yield Diagnosis(AREA, Outcome.WARN, "pictures", said, "install requirements-charts.txt")
    else:
        yield Diagnosis(AREA, Outcome.OK, "pictures", "what draws them is installed")
    if config.file.scan.pool != LOCAL and importlib.util.find_spec("distributed") is None:
        said = "[scan] pool names a Dask scheduler, and Dask is not installed"
        yield Diagnosis(AREA, Outcome.FAIL, "Dask", said, "install requirements-cluster.txt")


def writable(path: Path) -> bool:
    """By what the system says, without writing anything."""
    return os.access(path, os.W_OK)

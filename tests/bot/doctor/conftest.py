"""A bot's settings around the local Slack."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.config import Config, Environment, File
from bot.demo.slack import SlackStandIn


@pytest.fixture
def configured(slack: SlackStandIn, tmp_path: Path) -> Callable[..., Config]:
    """`environment` holds variables that are other than usual; all else are tables of lamplighter.toml."""

    def configure(environment: dict[str, str] | None = None, **tables: Any) -> Config:
        usual = {
            "slack_bot_token": slack.bot_token,
            "slack_app_token": slack.app_token,
            "slack_api_url": slack.api_url,
            "lamplighter_database": str(tmp_path / "memory.db"),
        }
        return Config(Environment(**usual | (environment or {})), msgspec.convert(tables, File))

    return configure

"""The installed app as the workspace knows it: what its manifest asked for, and the secrets it was given."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.demo.slack.nouns import APP_ID, BOT_ID, BOT_USER_ID, Person


def _token(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(12)}"


@dataclass(frozen=True)
class Command:
    """A slash command; `command` begins with '/'."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class InstalledApp:
    """An app installed from a manifest. Its tokens are new at every start and worth nothing elsewhere."""

    name: str
    scopes: tuple[str, ...]
    commands: tuple[Command, ...]
    events: frozenset[str]
    display_name: str = "bot"
    home_tab: bool = False
    messages_tab: bool = False
    interactive: bool = True
    id: str = APP_ID
    bot_id: str = BOT_ID
    bot_user_id: str = BOT_USER_ID
    bot_token: str = field(default_factory=lambda: _token("xoxb"), repr=False)
    app_token: str = field(default_factory=lambda: _token("xapp-1"), repr=False)
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    app_token_scopes: tuple[str, ...] = ("connections:write",)

    def command(self, name: str) -> Command | None:
        return next((each for each in self.commands if each.command == name), None)

    def bot_person(self, team_id: str) -> Person:
        """The bot's own member of the workspace."""
        name = self.display_name
        return Person(self.bot_user_id, name, self.name, "App", "1d3557", is_bot=True, team_id=team_id)


def read_manifest(path: Path) -> InstalledApp:
    """Install the app that a manifest (YAML or JSON) describes; raises ValueError where a part is missing."""
    manifest: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        features, settings = manifest.get("features", {}), manifest.get("settings", {})
        home = features.get("app_home", {})
        name = manifest["display_information"]["name"]
        return InstalledApp(
            name=name,
            scopes=tuple(manifest["oauth_config"]["scopes"]["bot"]),
            commands=tuple(_command(each) for each in features.get("slash_commands", [])),
            events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", [])),
            display_name=features.get("bot_user", {}).get("display_name", name.lower()),
            home_tab=home.get("home_tab_enabled", False),
            messages_tab=home.get("messages_tab_enabled", False),
            interactive=settings.get("interactivity", {}).get("is_enabled", False),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"{path} is not a Slack app manifest: {problem!r}") from problem


def _command(entry: dict[str, Any]) -> Command:
    return Command(
        command=entry["command"],
        description=entry.get("description", ""),
        usage_hint=entry.get("usage_hint", ""),
        should_escape=entry.get("should_escape", False),
    )

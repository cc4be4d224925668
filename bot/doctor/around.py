"""What only the process around the commands can look at: its settings, its memory, Slack."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.config import Config
from bot.doctor import addresses, approvers, channels, memory, settings, slack
from storage.diagnosis import Diagnosis, Outcome, together
from storage.store import Store


def in_bot(config: Config, store: Store, clock: Callable[[], datetime]) -> list[Diagnosis]:
    """In a running bot, which has memory open and Slack's ear already."""
    found = [*settings.look(config, clock()), *memory.room(store.path), *memory.look(store, config, clock())]
    return together([*found, *_of_slack(config, store, running=True)])


def in_terminal(config: Config) -> Iterator[Diagnosis]:
    """Beside a running bot, or before the first one."""
    now = datetime.now(UTC)
    yield from settings.look(config, now)
    yield from addresses.look(config)
    with memory.opened(config.database) as looked:
        yield from looked.found
        if looked.store:
            yield from memory.look(looked.store, config, now)
        yield from together(_of_slack(config, looked.store, running=False))


def _of_slack(config: Config, store: Store | None, *, running: bool) -> Iterator[Diagnosis]:
    # Its signatures and answers go by the machine's clock, whatever clock the bot is given.
    look = slack.SlackLook(config, lambda: datetime.now(UTC), in_bot=running)
    yield from look.look()
    if not look.workspace:
        yield Diagnosis(
            channels.AREA,
            Outcome.UNKNOWN,
            "channels and approvers",
            "Slack was not to be asked",
            "mend the bot token first",
        )
        return
    teams = _teams(config, store)
    known = config.teams
    if known.channel_tag and store:
        known = replace(known, tagged=store.owners.channel_of)
    yield from channels.look(look.client, look.name, channels.wanted(config, known, teams))
    yield from approvers.Approvers(look.client, look.workspace, config).look(teams)


def _teams(config: Config, store: Store | None) -> Sequence[str]:
    """Those that functions belong to, and those that the settings name."""
    named = {config.teams.named(one) for one in (*config.file.teams.channels, *config.file.policy.teams)}
    return sorted(named | set(store.functions.teams() if store else ()))

"""A team that the settings have come to call by another name: what is kept under the old one goes on under the new."""

import logging

from commands._types import Context

log = logging.getLogger(__name__)


def follow_names(context: Context) -> None:
    """To be called before teams are told: else the old name's digest would say that nothing is left, and the new name's
    would tell of all functions as new."""
    names = context.store.team_names
    for name in dict.fromkeys((*names.all(), *names.of_history(context.teams.aliases.keys()))):
        called = context.teams.named(name)
        if called != name:
            log.info("what was kept for team %s goes on as team %s", name, called)
            names.rename(name, called)

"""[policy.grace]: whose functions are fixed after a time where nobody objects."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Grace:
    """Off unless days are given; then for the teams that are named, and for nobody else."""

    days: int = 0  # so long a function has to have been untraced before a notice names it; 0: off
    teams: tuple[str, ...] = ()  # as `team_name` compares them
    all_teams: bool = False  # functions of no known team are nobody's, and are left alone

    def covers(self, team: str | None) -> bool:
        return bool(self.days) and team is not None and (self.all_teams or team in self.teams)

    @property
    def time(self) -> timedelta:
        return timedelta(days=self.days)

    @property
    def rule(self) -> str:
        """What allows such a fix; kept with the decision."""
        whom = "all" if self.all_teams else ", ".join(self.teams)
        return f"lamplighter.toml [policy.grace] days = {self.days}, teams: {whom}"


OFF = Grace()

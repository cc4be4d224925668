"""[policy] and [production] of lamplighter.toml: who decides, for how long, and what is left to those who deploy."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from bot.values import HINT, NO_LIST, AccountIds, AccountTags, Approver, NamePatterns, TeamNames, says
from storage.models import team_name

if TYPE_CHECKING:
    from commands._types import FixPolicy

Managed = Annotated[Literal["fix", "patch"], Meta(extra={HINT: "should be 'fix' or 'patch'"})]
ByTwo = Annotated[
    Literal["never", "production", "always"], Meta(extra={HINT: "should be 'never', 'production' or 'always'"})
]
RequestHours = Annotated[float, Meta(ge=0.1, le=720)]
UndoHours = Annotated[float, Meta(ge=0, le=720)]
FixesPerSecond = Annotated[float, Meta(ge=0.1, le=10)]
Days = Annotated[int, Meta(ge=1, le=365)]
LargestBatch = Annotated[int, Meta(ge=1, le=1000)]
GraceDays = Annotated[int, Meta(ge=1, le=365)]
GraceTeams = (
    Annotated[Literal["all"], Meta(extra={HINT: 'should be "all", or a list of teams like ["payments"]'})] | TeamNames
)


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of lamplighter.toml; every key is optional."""


class TeamPolicy(Part, frozen=True):
    """For one team, beside what holds for all; who is denied in either place may not approve."""

    approvers: Annotated[list[Approver], says("may approve for this team, beside those above", ["U0987654321"])] = []
    deny: Annotated[list[Approver], says("may not approve for this team", ["U0111111111"])] = []


class GraceSection(Part, frozen=True):
    """Off unless days are given. It changes AWS and nobody clicks: the teams have to be named."""

    days: Annotated[GraceDays | None, says("so long a function has to have been untraced; absent: off", 30)] = None
    teams: Annotated[
        GraceTeams | None, says('whose functions; or "all". With days, it has to be said', ["payments"])
    ] = None


class PolicySection(Part, frozen=True):
    approvers: Annotated[
        list[Approver],
        says(
            "people, and user groups where the plan has them; none: nobody may approve", ["U0123456789", "S0123456789"]
        ),
    ] = []
    deny: Annotated[
        list[Approver], says("people and groups that may not, whatever else names them", ["U0111111111"])
    ] = []
    two_people: Annotated[ByTwo, says('where somebody else approves than who asked; or "always"', "production")] = (
        "never"
    )
    request_hours: Annotated[RequestHours, says("so long a request waits for an approver", 24)] = 24.0
    undo_hours: Annotated[UndoHours, says("so long a fix can be undone; 0: never", 24)] = 24.0
    managed: Annotated[
        Managed, says('functions that infrastructure as code deploys; "patch": they are changed there only', "fix")
    ] = "fix"
    managed_roles: Annotated[Managed, says("the same of execution roles", "fix")] = "fix"
    fixes_per_second: Annotated[
        FixesPerSecond, says("of many that are approved at once, in each account and region", 1)
    ] = 1.0
    largest_batch: Annotated[LargestBatch, says("so many may be approved at once", 300)] = 300
    exemption_days: Annotated[
        Days | None,
        says("the end date that the form begins with; absent: 90, or exemption_max_days if that is less", 90),
    ] = None
    exemption_max_days: Annotated[
        Days, says("the latest end of an exemption, counted from the day of choosing", 365)
    ] = 365
    exemption_two_people: Annotated[
        ByTwo,
        says('or "production" or "always": somebody else has to confirm an exemption, and a later end', "never"),
    ] = "never"
    grace: Annotated[
        GraceSection, says("fixes that nobody has to click for (see A grace period); absent: there are none")
    ] = GraceSection()
    teams: Annotated[
        dict[str, TeamPolicy],
        says("of one team; it takes `deny` too", {"payments": {"approvers": ["U0987654321"]}}),
    ] = {}

    @property
    def suggested_days(self) -> int:
        """How long an exemption lasts unless somebody chooses otherwise."""
        return self.exemption_days or min(90, self.exemption_max_days)


class ProductionSection(Part, frozen=True):
    """What counts as production: any line is enough, and where there is none, everything does."""

    accounts: Annotated[AccountIds, says("account ids", ["111122223333"])] = NO_LIST
    names: Annotated[NamePatterns, says("of functions; case counts", ["*-prod"])] = NO_LIST
    tags: Annotated[AccountTags, says("of functions: key=value, or a key; in any case", ["env=prod", "critical"])] = (
        NO_LIST
    )


def fix_policy(
    policy: PolicySection, production: ProductionSection, team_named: Callable[[str], str] = team_name
) -> "FixPolicy":
    """`team_named` says which team a name means."""
    from commands._grace import Grace  # an audit in a terminal asks for no policy
    from commands._production import Production, TwoPeople
    from commands._types import FixPolicy

    grace = policy.grace
    named = grace.teams if isinstance(grace.teams, list) else []

    return FixPolicy(
        request_hours=policy.request_hours,
        undo_hours=policy.undo_hours,
        patch_only_functions=policy.managed == "patch",
        patch_only_roles=policy.managed_roles == "patch",
        fixes_per_second=policy.fixes_per_second,
        largest_batch=policy.largest_batch,
        two_people=TwoPeople(policy.two_people),
        exemption_days=policy.suggested_days,
        exemption_max_days=policy.exemption_max_days,
        exemption_two_people=TwoPeople(policy.exemption_two_people),
        production=Production(tuple(production.accounts), tuple(production.names), tuple(production.tags)),
        grace=Grace(grace.days or 0, tuple(map(team_named, named)), all_teams=grace.teams == "all"),
    )


def grace_contradictions(grace: GraceSection) -> Iterator[str]:
    """What says too little to change anything by."""
    if grace.days is not None and grace.teams is None:
        yield (
            "[policy.grace] teams is missing: name the teams whose functions are fixed when the days are over, "
            'as in teams = ["payments"], or write teams = "all". Without days, nothing is ever fixed by itself.'
        )

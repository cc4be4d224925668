"""What a plan, a fix and an undo read of one function, patient with an AWS that is busy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from commands.aws import current, one_role
from commands.aws.asking import Patience
from commands.aws.clients import Clients
from commands.aws.current import AliasNow, Reading
from commands.aws.errors import Denied, NotAccepted
from commands.aws.roles import Role

_T = TypeVar("_T")
_QUOTA = "AttachedPoliciesPerRoleQuota"


@dataclass(frozen=True, slots=True)
class Reader:
    """Every method raises AwsProblem."""

    clients: Clients
    arn: str
    patience: Patience
    seconds: float  # so long it asks again

    @property
    def name(self) -> str:
        return self.arn.split(":")[6]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    def configuration(self, qualifier: str = "") -> Reading:
        """IAM: lambda:GetFunctionConfiguration."""
        return self.ask(lambda: current.read_configuration(self.clients.lambda_, self.arn, qualifier))

    def aliases(self) -> tuple[AliasNow, ...]:
        """IAM: lambda:ListAliases."""
        return self.ask(lambda: current.list_aliases(self.clients.lambda_, self.arn))

    def role(self, arn: str) -> Role | None:
        """None where AWS will not show it. IAM: as `one_role.read_role`."""
        try:
            return self.ask(lambda: one_role.read_role(self.clients.iam, arn))
        except NotAccepted:
            raise  # says nothing of the role
        except Denied:
            return None

    def policies_allowed(self) -> int | None:
        """How many managed policies a role may hold; None where AWS will not say. IAM: iam:GetAccountSummary."""
        try:
            summary = self.ask(lambda: self.clients.iam.get_account_summary()["SummaryMap"])
        except NotAccepted:
            raise
        except Denied:
            return None
        quota = summary.get(_QUOTA)  # type: ignore[call-overload]  # the stubs do not know this key
        return None if quota is None else int(quota)

    def ask(self, call: Callable[[], _T]) -> _T:
        return self.patience.ask(call, self.seconds)

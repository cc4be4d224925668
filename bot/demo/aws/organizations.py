"""AWS Organizations: who belongs to whom, in which unit, and who may ask. moto's own would make up the account ids."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.demo.aws.knobs import page
from bot.demo.aws.protocol import AwsError, Handler, Request

_ID = "o-l4mp1ighter"
_EMPTY = "nothing-yet."  # before a token: the empty page was shown already


@dataclass(slots=True)
class Member:
    """One account of an organization."""

    id: str
    name: str
    parent: str  # a unit's id, or the root's
    state: str = "ACTIVE"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Organization:
    management: str
    members: dict[str, Member]
    units: dict[str, str] = field(default_factory=dict)  # id -> its parent's
    delegated: set[str] = field(default_factory=set)

    def line(self, parent: str) -> list[str]:
        """From the root down to `parent`."""
        return [*(self.line(self.units[parent]) if parent in self.units else []), parent]


class Organizations:
    """Any number of them; an account is in one at most."""

    ROOT = "r-l4mp"

    def __init__(self) -> None:
        self._all: list[Organization] = []
        self.empty_pages = False  # before every page comes an empty one with a NextToken, as AWS may send them
        self.breaks_off = ""  # the code with which every page of accounts but the first is refused
        self.dated = False  # as before 2026-09-09: accounts have a Status, and neither State nor Paths

    def handlers(self) -> dict[str, Handler]:
        return {
            "ListAccounts": self._accounts,
            "ListRoots": self._roots,
            "ListOrganizationalUnitsForParent": self._units,
            "ListAccountsForParent": self._accounts_of,
            "ListTagsForResource": self._tags,
        }

    # ---- what a test or the demo sets up

    def found(self, management: str, accounts: Mapping[str, str], suspended: Iterable[str] = ()) -> None:
        """An organization of these accounts (id to name), `suspended` ones among them; all are at the root."""
        members = {identity: Member(identity, name, self.ROOT) for identity, name in accounts.items()}
        self._all.append(Organization(management, members))
        for identity in suspended:
            members[identity].state = "SUSPENDED"

    def unit(self, management: str, unit: str, accounts: Iterable[str] = (), *, parent: str = ROOT) -> str:
        """An organizational unit with these accounts; its id."""
        organization = self._of(management)
        organization.units[unit] = parent
        for identity in accounts:
            organization.members[identity].parent = unit
        return unit

    def member(self, account: str) -> Member:
        """To be changed: its state, its tags."""
        return self._of(account).members[account]

    def delegate(self, account: str) -> None:
        """Make a member a delegated administrator of some service, which may list accounts too."""
        self._of(account).delegated.add(account)

    def payer_of(self, account: str) -> frozenset[str]:
        """The accounts whose bills this one pays: those of the organization that it manages."""
        mine = (one for one in self._all if one.management == account)
        return frozenset(member for one in mine for member in one.members)

    # ---- what is asked

    def _accounts(self, request: Request) -> Mapping[str, Any]:
        organization = self._asked_of(request)
        if self.breaks_off and (request.params.get("NextToken") or "").removeprefix(_EMPTY):
            raise AwsError(self.breaks_off, "The list of accounts goes no further")
        return self._page(
            request, "Accounts", [self._shown(organization, one) for one in organization.members.values()]
        )

    def _accounts_of(self, request: Request) -> Mapping[str, Any]:
        organization, parent = self._parent(request)
        inside = [one for one in organization.members.values() if one.parent == parent]
        return self._page(request, "Accounts", [self._shown(organization, one) for one in inside])

    def _units(self, request: Request) -> Mapping[str, Any]:
        organization, parent = self._parent(request)
        inside = [unit for unit, above in organization.units.items() if above == parent]
        arn = f"arn:aws:organizations::{organization.management}:ou/{_ID}"
        shown = [{"Id": unit, "Arn": f"{arn}/{unit}", "Name": f"unit {unit[-8:]}"} for unit in inside]
        return self._page(request, "OrganizationalUnits", shown)

    def _roots(self, request: Request) -> Mapping[str, Any]:
        organization = self._asked_of(request)
        arn = f"arn:aws:organizations::{organization.management}:root/{_ID}/{self.ROOT}"
        return self._page(request, "Roots", [{"Id": self.ROOT, "Arn": arn, "Name": "Root", "PolicyTypes": []}])

    def _tags(self, request: Request) -> Mapping[str, Any]:
        member = self._asked_of(request).members.get(request.params["ResourceId"])
        if member is None:
            raise AwsError("TargetNotFoundException", "You specified a target that does not exist.")
        tags = [{"Key": key, "Value": value} for key, value in member.tags.items()]
        return self._page(request, "Tags", tags, size=50, key=lambda tag: str(tag["Key"]))

    def _page(
        self,
        request: Request,
        name: str,
        items: list[dict[str, Any]],
        size: int = 20,
        key: Callable[[dict[str, Any]], str] = lambda item: str(item["Id"]),
    ) -> Mapping[str, Any]:
        token = request.params.get("NextToken") or ""
        if self.empty_pages and not token.startswith(_EMPTY):
            return {name: [], "NextToken": _EMPTY + token}
        size = min(size, int(request.params.get("MaxResults") or size))
        refusal = AwsError("InvalidInputException", "You provided an invalid NextToken")
        shown, after = page(items, size, token.removeprefix(_EMPTY), key, refusal)
        return {name: shown, "NextToken": after}

    def _shown(self, organization: Organization, member: Member) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "Id": member.id,
            "Arn": f"arn:aws:organizations::{organization.management}:account/{_ID}/{member.id}",
            "Name": member.name,
            "Email": f"aws+{member.name}@example.com",
            "JoinedMethod": "CREATED",
        }
        if self.dated:
            return shown | {"Status": member.state}
        path = "/".join([_ID, *organization.line(member.parent), member.id])
        return shown | {"State": member.state, "Paths": [f"{path}/"]}

    # ---- who may ask

    def _parent(self, request: Request) -> tuple[Organization, str]:
        organization, parent = self._asked_of(request), request.params["ParentId"]
        if parent != self.ROOT and parent not in organization.units:
            raise AwsError("ParentNotFoundException", "You specified parent that doesn't exist.")
        return organization, parent

    def _asked_of(self, request: Request) -> Organization:
        organization = self._of(request.account)
        if request.account not in (organization.management, *organization.delegated):
            raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
        return organization

    def _of(self, account: str) -> Organization:
        for organization in self._all:
            if account == organization.management or account in organization.members:
                return organization
        raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")

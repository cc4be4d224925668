"""Whose credentials each call bears, and one boto3 client for each service and region.

Sessions and clients are slow to make, so there is one Session, and a client serves every account: whose credentials
sign a call is decided by the thread or task that makes it. Fixes are the exception: each gets clients and credentials
of its own, which can do that fix and nothing else.
"""

import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from commands.aws import errors, once
from commands.aws.asking import Patience, pause
from commands.aws.clients import Clients, quick_time
from commands.aws.credentials import CredentialsOfThisContext, acting, acting_account
from commands.aws.endpoints import Endpoints
from commands.aws.keys import Caller, Keys
from commands.aws.ordinary import Ordinary, OrdinaryEndpoints, ordinary
from commands.aws.pace import Paces
from commands.aws.scope import NO_RULES, Rules
from commands.aws.tags import OwnerTags

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import Credentials
    from botocore.loaders import Loader
    from botocore.session import Session

    from commands.aws.session_policy import Need

_PATIENT = Patience()
_AUDIT_SESSION = "lamplighter-audit"
LOCAL = "local"  # the audit runs in this process
_FIX_SECONDS = 900  # the shortest that STS gives


@dataclass(frozen=True, slots=True)
class Aggregator:
    """An aggregator of AWS Config in the account of the ambient credentials."""

    name: str
    region: str | None = None  # None: where STS is asked


@dataclass(frozen=True)
class AwsSettings:
    """What `[aws]` in lamplighter.toml says, `[scan] pool`, `[production] tags`, and what tags say of teams."""

    accounts: tuple[str, ...] | None = None  # None: the account of the ambient credentials
    regions: tuple[str, ...] | None = None  # None: those enabled in each account
    role: str | None = None  # a role's name, assumed in every account; None: ambient credentials
    fix_role: str | None = None  # assumed inside an approved fix only; None: ambient credentials
    external_id: str | None = field(
        default=None, repr=False
    )  # a cluster's worker logs the settings of what fails there
    calls_per_second: float = 10.0  # Lambda calls for each account and region; 0: no cap
    organization: bool = False  # the accounts are those of the organization, whatever `accounts` says
    include: Rules = NO_RULES  # without any line: all of them
    exclude: Rules = NO_RULES
    aggregator: Aggregator | None = None  # where AWS Config is asked for the functions; None: Lambda lists them
    pool: str = LOCAL  # or the address of a Dask scheduler, whose workers read the accounts
    production_tags: tuple[str, ...] = ()  # "key" or "key=value": each of them says that a function is in production
    team_aliases: tuple[tuple[str, str], ...] = ()  # another name of a team, and the team
    channel_tag: str = ""  # the tag of functions that names their team's channel

    @property
    def owner_tags(self) -> OwnerTags:
        return OwnerTags(dict(self.team_aliases), self.channel_tag)


@cache
def _models(data_path: str | None) -> "Loader":
    """What reads botocore's descriptions of services: megabytes of JSON, which it keeps. A cluster's worker makes a
    Cloud for each task, and all are to know what was read for one."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


class Cloud:
    """AWS as the settings describe it. Making one asks nobody anything; every method raises AwsProblem."""

    def __init__(self, settings: AwsSettings, patience: Patience = _PATIENT) -> None:
        self.settings = settings
        self.patience = patience  # of what asks again, in seconds and minutes, on a clock that tests move by hand
        self.paces = Paces(settings.calls_per_second)
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str, int], Any] = {}
        self._held: dict[str, Keys] = {}
        self._assuming: dict[str, threading.Lock] = {}
        self._caller: Caller | None = None

    @cached_property
    def session(self) -> "Session":
        """botocore's one session, its own credentials still ambient."""
        import botocore.session

        with errors.our_errors():
            made = botocore.session.Session()
            made.get_scoped_config()  # a profile that does not exist is said here, and once
            made.register_component("data_loader", _models(made.get_config_variable("data_path")))
            # Whatever AWS_STS_REGIONAL_ENDPOINTS says: what the global endpoint gives is not taken by regions that
            # have to be opted into, and an audit would find those dark. AWS_ENDPOINT_URL_STS still names another.
            made.set_config_variable("sts_regional_endpoints", "regional")
            made.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=quick_time)
            return made

    @cached_property
    def _ordinary(self) -> Ordinary | None:
        """What the environment says by itself; None: botocore is asked."""
        return ordinary(os.environ)

    @cached_property
    def endpoints(self) -> Endpoints:
        if self._ordinary:
            return OrdinaryEndpoints(lambda: self.session)
        return Endpoints(lambda: self.session)

    @cached_property
    def home_region(self) -> str:
        """Where STS is asked: the session's region, or the first that is configured."""
        known = self._ordinary
        region = known.region if known else self.session.get_config_variable("region")
        region = region or os.environ.get("AWS_REGION")
        return str(region or (self.settings.regions or ("us-east-1",))[0])

    @cached_property
    def _ambient(self) -> "Credentials":
        with errors.our_errors():
            found = self.session.get_component("credential_provider").load_credentials()
        if found is None:
            raise errors.NotAccepted("NoCredentials", errors.NO_CREDENTIALS, own_words=True)
        return found  # type: ignore[no-any-return]  # components have no types

    @cached_property
    def _boto(self) -> "boto3.Session":
        import boto3

        self.session.register_component("credential_provider", CredentialsOfThisContext(self._ambient))
        return boto3.Session(botocore_session=self.session, region_name=self.home_region)

    # ---- clients

    def client(self, service: str, region: str, *, attempts: int = 6) -> Any:
        """The boto3 client for all accounts; `acting_as` says for which account a call is meant."""
        with self._lock:  # clients are safe in many threads once they are made; sessions never are
            key = (service, region, attempts)
            if key not in self._clients:
                self._clients[key] = self._make(service, region, attempts=attempts)
                once.listen(self._clients[key])
            return self._clients[key]

    def clients(self, region: str) -> Clients:
        """The shared clients that read before and after a fix; use them inside `acting_as`."""
        return Clients(self.client("lambda", region), self.client("iam", region))

    def _make(
        self, service: str, region: str, *, attempts: int = 6, keys: Keys | None = None, account: str = ""
    ) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=32,
            user_agent_extra="lamplighter",
        )
        secret = (
            {
                "aws_access_key_id": keys.access_key,
                "aws_secret_access_key": keys.secret_key,
                "aws_session_token": keys.token,
            }
            if keys
            else {}
        )
        with self._lock, errors.our_errors(region=region, service=service):
            make: Any = self._boto.client  # the overloads want the service's name as a literal
            made = make(service, region_name=region, config=config, **secret)

        def take_turn(**_: object) -> None:
            """Before each attempt; the account is that of the fix, or of whoever uses the shared client."""
            if turn := self.paces.turn(account or acting_account(), region):
                pause(turn)

        if service == "lambda":
            made.meta.events.register("before-send.lambda", take_turn)
        return made

    # ---- whose credentials

    def ambient_keys(self) -> Keys:
        """The ambient credentials as they are now; botocore renews them where they are of a kind that ends."""
        if self._ordinary:
            return self._ordinary.keys
        with errors.our_errors():
            frozen = self._ambient.get_frozen_credentials()
        return Keys(frozen.access_key or "", frozen.secret_key or "", frozen.token)

    def home_account(self) -> str:
        """The account of the ambient credentials; asked once. IAM: none needed."""
        if self._caller is None:
            self._ambient  # noqa: B018 - says in one line that there are none
            with acting(None), errors.our_errors(region=self.home_region, service="sts"):
                told = self.client("sts", self.home_region).get_caller_identity()
            self.caller_is(Caller.of(told["Arn"]))
        return self._caller.account if self._caller else ""

    @property
    def caller(self) -> Caller | None:
        """Who the ambient credentials are, where that was asked already."""
        return self._caller

    def caller_is(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`, …"""
        if self._caller:
            return self._caller.partition
        return str(self.endpoints.partition(self.home_region)["id"])

    @contextmanager
    def acting_as(self, account: str) -> Iterator[None]:
        """Calls of shared clients inside the block bear this account's audit credentials.

        Enter it in the thread that makes the calls: a pool's threads do not inherit it.
        """
        with acting(self.audit_keys(account), account):
            yield

    def audit_keys(self, account: str) -> Keys | None:
        """The audit role's credentials in `account`, assumed once and renewed before they end; None: ambient ones."""
        if not self.settings.role:
            self.must_be_home(account)
            return None
        with self._lock:
            lock = self._assuming.setdefault(account, threading.Lock())
        with lock:
            held = self.held(account)
            if held is None:
                held = self._assume(account, self.audit_role(account))
                self.hold(account, held)
            return held

    def must_be_home(self, account: str) -> None:
        """Without a role there is one account to see; another's number must not be written on its functions."""
        home = self.home_account()
        if account != home:
            raise errors.Denied(
                "NoRole",
                f"the credentials belong to account {home}, and no role to assume in {account} is configured",
                account=account,
                own_words=True,
            )

    def held(self, account: str) -> Keys | None:
        keys = self._held.get(account)
        return keys if keys and keys.fresh(datetime.now(UTC)) else None

    def hold(self, account: str, keys: Keys) -> None:
        self._held[account] = keys

    def audit_role(self, account: str) -> dict[str, str]:
        """AssumeRole's arguments for the audit role."""
        return self._role_arguments(account, self.settings.role or "", _AUDIT_SESSION)

    def _role_arguments(self, account: str, role: str, session: str) -> dict[str, str]:
        arguments = {"RoleArn": f"arn:{self.partition}:iam::{account}:role/{role}", "RoleSessionName": session}
        if self.settings.external_id:
            arguments["ExternalId"] = self.settings.external_id
        return arguments

    def _assume(self, account: str, arguments: Mapping[str, Any]) -> Keys:
        where: errors.Where = {"account": account, "region": self.home_region, "service": "sts", "action": "AssumeRole"}
        self._ambient  # noqa: B018 - says in one line that there are none
        with acting(None), errors.our_errors(**where):
            given = self.client("sts", self.home_region).assume_role(**arguments)["Credentials"]
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"])

    # ---- fixes

    def fixer(
        self,
        account: str,
        region: str,
        function_arn: str,
        role_arn: str,
        approver: str,
        needs: "Collection[Need]",
    ) -> Clients:
        """Clients for one approved fix or undo, that can do what it `needs` and nothing else; CloudTrail names
        `approver`, a Slack user id, for what they do.

        They try each call once: what is tried again, and for how long, is decided in `remediation`.
        With `fix_role`: IAM sts:AssumeRole and sts:SetSourceIdentity on it, in its trust policy too.
        """
        from commands.aws.session_policy import session_policy  # no audit needs it

        policy = session_policy(account, region, function_arn, role_arn, needs) if self.settings.fix_role else ""
        keys = self._fix_keys(account, approver, policy)
        return Clients(
            self._make("lambda", region, attempts=1, keys=keys, account=account),
            self._make("iam", region, attempts=1, keys=keys),
        )

    def budgeter(self, account: str, region: str, budget: str, approver: str) -> Any:
        """A client of AWS Budgets for one approved change of one budget, under the same role and with the same care."""
        from commands.aws.session_policy import budget_policy  # the same

        keys = self._fix_keys(account, approver, budget_policy(self.partition, account, budget))
        return self._make("budgets", region, attempts=1, keys=keys)

    def _fix_keys(self, account: str, approver: str, policy: str) -> Keys:
        """`policy`: all that these credentials may do of what the fix role may."""
        from commands.aws.session_policy import session_name  # the same

        role = self.settings.fix_role
        if not role:
            self.must_be_home(account)
            return self.ambient_keys()
        arguments: dict[str, Any] = self.fix_role(account, session_name(approver), policy)
        return self._assume(account, arguments | {"DurationSeconds": _FIX_SECONDS})

    def fix_role(self, account: str, name: str, policy: str) -> dict[str, str]:
        """AssumeRole's arguments for the fix role, but for how long it is for. `name`: whom CloudTrail is to name."""
        arguments = self._role_arguments(account, self.settings.fix_role or "", name)
        return arguments | {"SourceIdentity": name, "Policy": policy}

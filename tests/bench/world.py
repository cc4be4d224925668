"""What the pretend organisation has, and what is true of it. Pure: the server and the checks compute alike.

All of it is as AWS would have it. What is awkward lies in each account's first region: an alias that serves older
versions, and a function in a network that Kafka feeds.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Self

HOME = "111111111111"
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "us-west-2", "ap-southeast-2", "ap-northeast-1", "sa-east-1")
TEAMS = ("payments", "search", "growth", "identity", "mobile")
PAGE = 50  # functions; Lambda lists no more at once
STREAM, QUEUE = "stream-reader", "queue-reader"  # the roles of what Kafka and SQS feed; both may write to X-Ray
_KINDS = 5  # of roles: three may write to X-Ray, two may not
_RARE = 250  # functions of the first region, of which one has an alias and another is fed by Kafka
_EXAMPLE = "write accounts x regions x functions in each region x roles in each account @ milliseconds a call"


class Truth(NamedTuple):
    """What an audit has to say of one function."""

    mode: str
    team: str | None
    verdict: str


class World(NamedTuple):
    """How much there is, and how long AWS takes to answer."""

    accounts: int
    regions: int  # of each account
    functions: int  # of each region
    roles: int  # of each account
    latency: float  # milliseconds for each call

    @classmethod
    def read(cls, text: str) -> Self:
        """`100x5x20x10@50`. Raises ValueError."""
        found = re.fullmatch(r"(\d{1,4})x(\d)x(\d{1,6})x(\d{1,5})@(\d{1,5}(?:\.\d+)?)", text)
        if found is None:
            raise ValueError(f"{text!r} is no world; {_EXAMPLE}, like 100x5x20x10@50")
        accounts, regions, functions, roles = (int(part) for part in found.groups()[:4])
        if not 1 <= regions <= len(REGIONS) or min(accounts, functions, roles) < 1:
            raise ValueError(f"{text!r}: a world has 1 to {len(REGIONS)} regions, and at least one of everything else")
        return cls(accounts, regions, functions, roles, float(found[5]))

    def __str__(self) -> str:
        return f"{self.accounts}x{self.regions}x{self.functions}x{self.roles}@{self.latency:g}"

    @property
    def total(self) -> int:
        return self.accounts * self.regions * self.functions

    @property
    def chain(self) -> int:
        """Pages of functions that have to be asked one after another: each names the next."""
        return -(-self.functions // PAGE)

    @property
    def floor(self) -> float:
        """Seconds that the longest chain of pages takes, whatever the client."""
        return self.chain * self.latency / 1000

    @property
    def pages(self) -> int:
        return self.accounts * self.regions * self.chain

    @property
    def account_ids(self) -> tuple[str, ...]:
        return (HOME,) if self.accounts == 1 else tuple(str(300000000000 + each) for each in range(self.accounts))

    @property
    def region_names(self) -> tuple[str, ...]:
        return REGIONS[: self.regions]

    def role(self, region: str, number: int) -> str:
        if fed_by_kafka(region, number):
            return STREAM
        return QUEUE if fed_by_queue(number) else f"worker-{number % self.roles}"

    def truth(self, region: str, number: int) -> Truth:
        return Truth(mode(number), team(number), self._verdict(region, number))

    def _verdict(self, region: str, number: int) -> str:
        if fed_by_kafka(region, number):
            return "not_applicable"
        served = versions(number).values() if has_alias(region, number) else ()
        writes = fed_by_queue(number) or may_write(number % self.roles)
        return "traced" if active(number) and writes and "PassThrough" not in served else "untraced"

    def truths(self) -> dict[str, Truth]:
        """By ARN, what is true of every function."""
        return {arn(account, *here): self.truth(*here) for account in self.account_ids for here in self._each()}

    def not_active_with_team(self) -> set[str]:
        """ARNs of the functions that are not Active and have a tag `team`."""
        wanted = [here for here in self._each() if not active(here[1]) and team(here[1])]
        return {arn(account, *here) for account in self.account_ids for here in wanted}

    def _each(self) -> Iterator[tuple[str, int]]:
        return ((region, number) for region in self.region_names for number in range(self.functions))


def name(number: int) -> str:
    return f"{TEAMS[number % len(TEAMS)]}-worker-{number:05}"


def arn(account: str, region: str, number: int) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{name(number)}"


def active(number: int) -> bool:
    return number % 3 == 0


def mode(number: int) -> str:
    return "Active" if active(number) else "PassThrough"


def team(number: int) -> str | None:
    """One function in twenty names no team."""
    return None if number % 20 == 19 else TEAMS[number % len(TEAMS)]


def tags(number: int) -> dict[str, str]:
    """Half of those without a team never had any tag."""
    if number % 40 == 39:
        return {}
    named = team(number)
    owned = {"team": named} if named else {}
    return {**owned, "stage": "prod", "aws:cloudformation:stack-name": "stack"}


def may_write(role: int) -> bool:
    """May this one of an account's roles write to X-Ray? How each comes by it is in `iam`."""
    return role % _KINDS < 3


def has_alias(region: str, number: int) -> bool:
    return region == REGIONS[0] and number % _RARE == 6


def versions(number: int) -> dict[str, str]:
    """The versions that a function's alias serves, with the tracing modes that they were published with."""
    older = "PassThrough" if number // _RARE % 2 == 0 else "Active"
    return {"2": "Active", "1": older}


def fed_by_kafka(region: str, number: int) -> bool:
    return region == REGIONS[0] and number % _RARE == 9


def fed_by_queue(number: int) -> bool:
    return number % 100 == 1

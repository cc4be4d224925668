"""Credentials that sign a call, whose they are and who renews them. Nothing here asks AWS anything."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

RENEW_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Keys:
    """One set of credentials; the names are botocore's."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires: datetime | None = None  # UTC; None: somebody else renews them

    def fresh(self, now: datetime) -> bool:
        return self.expires is None or now < self.expires - RENEW_BEFORE


class Caller(NamedTuple):
    """Whose the ambient credentials are."""

    account: str
    partition: str  # "aws", "aws-cn", …

    @classmethod
    def of(cls, arn: str) -> "Caller":
        """By any ARN of that account."""
        parts = arn.split(":")
        return cls(parts[4], parts[1])


class Identity(Protocol):
    """Whose credentials sign a call. `refused` are those that AWS has just called too old."""

    account: str

    async def keys(self, *, refused: Keys | None = None) -> Keys: ...

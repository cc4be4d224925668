"""Which fixes take two people."""

import pytest

from commands._production import Production, TwoPeople
from commands._types import FixPolicy
from storage.models import Function

ACCOUNT = "111122223333"


def function(name: str = "refund", *, account: str = ACCOUNT, production: bool | None = None) -> Function:
    return Function(arn=name, account=account, region="eu-central-1", name=name, mode=None, production=production)


@pytest.mark.parametrize(
    ("rules", "given", "counts"),
    [
        (Production(), function(), True),
        (Production(accounts=(ACCOUNT,)), function(), True),
        (Production(accounts=(ACCOUNT,)), function(account="444455556666"), False),
        (Production(names=("*-prod",)), function("refund-prod"), True),
        (Production(names=("*-prod",)), function("refund-test", production=True), False),
        (Production(tags=("env=prod",)), function(production=True), True),
        (Production(tags=("env=prod",)), function(production=False), False),
        (Production(tags=("env=prod",)), function(production=None), True),
        (Production(accounts=(ACCOUNT,), tags=("env=prod",)), function(production=False), True),
    ],
    ids=["no rule", "account", "other account", "name", "other name", "tag", "no tag", "unread tags", "any line"],
)
def test_what_counts_as_production(rules: Production, given: Function, counts: bool) -> None:
    assert rules.covers(given) is counts
    assert FixPolicy(two_people=TwoPeople.PRODUCTION, production=rules).needs_two_people(given) is counts
    assert FixPolicy(two_people=TwoPeople.ALWAYS, production=rules).needs_two_people(given)
    assert not FixPolicy(production=rules).needs_two_people(given)

"""Which functions are in production, in SQL: `commands._production.Production.covers` of many at once."""

import fnmatch
from collections.abc import Sequence
from typing import Protocol

from storage.connection import to_json

# Of a row with `arn`, which names the account and the function, and `production`, which is what its tags say.
IN_PRODUCTION = """
    (:everything or (:by_tags and production is not 0)
        or exists (select 1 from json_each(:accounts) where instr(arn, ':' || value || ':function:'))
        or (:names <> '' and arn regexp :names))
"""


class ProductionRule(Protocol):
    """A function is in production if any line names it; where there is none, all of them are."""

    @property
    def accounts(self) -> Sequence[str]: ...

    @property
    def names(self) -> Sequence[str]:
        """Patterns, as in file names."""

    @property
    def tags(self) -> Sequence[str]:
        """What they say of a function is kept with it."""


def parameters(rule: ProductionRule | None) -> dict[str, object]:
    """Those of IN_PRODUCTION; None: everything is."""
    accounts, names, tags = (rule.accounts, rule.names, rule.tags) if rule else ((), (), ())
    return {
        "everything": not (accounts or names or tags),
        "accounts": to_json(list(accounts)),
        "names": rf".*:function:(?:{'|'.join(map(fnmatch.translate, names))})" if names else "",
        "by_tags": bool(tags),
    }

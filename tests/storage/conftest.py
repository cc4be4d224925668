from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.models import Function, TracingMode, Verdict
from storage.store import Store
from tests.memory import new_store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path / "memory.db")
    yield opened
    opened.close()


@pytest.fixture
def make_function() -> Callable[..., Function]:
    def make(name: str = "refund-worker", **facts: object) -> Function:
        account = str(facts.pop("account", "111122223333"))
        region = str(facts.pop("region", "eu-central-1"))
        arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
        given = {"mode": TracingMode.PASS_THROUGH, "verdict": Verdict.UNTRACED, "team": "payments", **facts}
        return Function(arn=arn, account=account, region=region, name=name, **given)

    return make

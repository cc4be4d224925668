"""Slack is answered in time while the bot audits and fixes: the load that `make bench` sends, in small."""

import pytest

from tests.bench.load import measure_load
from tests.bench.world import World


@pytest.mark.parametrize("http", [False, True], ids=["Socket Mode", "HTTP"])
def test_commands_are_acknowledged_while_an_audit_and_a_batch_run(http: bool) -> None:
    loaded = measure_load(World.read("6x2x334x20@10"), rate=50, seconds=4, http=http)

    assert loaded.failures == ()
    assert loaded.sent == len(loaded.acks) == 200
    assert loaded.fixes == 12
    # Slack's own limit, of which a machine with four processes of tests on it is to keep half: `make bench` measures.
    assert loaded.waits["p99"] < 1.5

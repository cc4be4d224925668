from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.scene import Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A running bot that has posted its digests, shared by the tests of a module; each uses other functions."""
    with Scene(tmp_path_factory.mktemp("scene")) as made:
        made.start_bot()
        made.until_posted()
        yield made
        assert made.slack.faults == []


@pytest.fixture
def quiet_scene(tmp_path: Path) -> Iterator[Scene]:
    """An organisation and a workspace of this test's own; the bot is not started yet."""
    with Scene(tmp_path) as made:
        yield made

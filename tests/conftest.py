"""What every test may ask for: a browser, where there is one."""

import gc
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.yardstick import FAST_YARD_SECONDS, yard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How long one example takes says nothing where several processes share two cores; each test has a timeout of its own.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

# Chromium as root in a container, and without the calls home that a closed network refuses.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


# The files that take longest begin first, and what waits for processes and for AWS next, so that no worker is left with
# one of them alone at the end.
LONG = (
    "tests/e2e/test_throttled",  # a minute and a half, in which it waits
    "tests/e2e/test_start",
    "tests/e2e/test_restart",
    "tests/bot/test_outbox",
    "tests/commands/test_figures_at_scale",
    "tests/e2e/test_killed",
    "tests/storage/test_past_size",
    "tests/e2e/test_browser",
    "tests/commands/test_batch",
    "tests/commands/test_forecasts",
    "tests/bot/test_pictures",
    "tests/e2e/",
    "tests/commands/test_grace",
    "tests/commands/aws/test_sampling",
    "tests/commands/views/test_map_picture",
    "tests/commands/test_undo",
    "tests/commands/test_fix",
    "tests/commands/aws/test_cluster",
    "tests/commands/aws/test_second_opinion",
    "tests/commands/test_full",
    "tests/bot/",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Of `-n auto`, for two cores: most tests wait now and then. On a slow machine five keep each other from answering
    the stand-in of Slack within its three seconds; four do not."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return 5 if min(yard(), yard()) < FAST_YARD_SECONDS else 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests are skipped by name where there is no Chromium; CI makes that a failure."""
    items.sort(key=lambda item: next((at for at, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG)))
    if chromium() or os.environ.get("LAMPLIGHTER_BROWSER") == "required":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: install it to run the browser tests"))


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look through 8,000 tests again and again, nor
    after every 700 objects, of which a stand-in's policies alone are 3,000."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Ended with its module: Playwright keeps an event loop running, beside which no other can be started."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        pytest.fail("LAMPLIGHTER_BROWSER=required, and there is no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()

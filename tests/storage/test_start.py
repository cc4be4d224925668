"""What opening the file loads: an audit in a terminal does it each time."""

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import sys
from storage.store import Store
store = Store(sys.argv[1])
print(sorted({"numpy", "pandas", "storage.spend", "storage.forecasts"} & sys.modules.keys()))
store.forecasts.of([])
print("storage.forecasts" in sys.modules)
import numpy
print(numpy.add(1, 1))
"""


def test_the_file_is_opened_without_what_an_audit_does_not_need(tmp_path: Path) -> None:
    pytest.importorskip("numpy")  # without it there is nothing to keep out

    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path / "lamplighter.db")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert told.stdout.splitlines() == ["[]", "True", "2"]

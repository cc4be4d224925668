"""A large repository of which little deploys functions is read within seconds."""

import time
from pathlib import Path

from tests.commands.iac import cases
from tests.commands.iac.checking import laid, said

FILES, SECONDS_MOST = 2000, 10
POD = "kind: Pod\nspec:\n" + "".join(f"  - {{name: n{n}, value: 'v{n}'}}\n" for n in range(100))


def test_a_repository_of_thousands_of_files(tmp_path: Path) -> None:
    for number in range(FILES):
        (tmp_path / f"{number}.yaml").write_text(POD)
    laid(tmp_path, cases.cfn("TracingConfig: {Mode: Active}"))
    began = time.monotonic()

    assert said(tmp_path) == {"F": "pass"}
    assert time.monotonic() - began < SECONDS_MOST

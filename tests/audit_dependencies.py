"""`make audit-dependencies`: what we pin, held against known vulnerabilities by pip-audit.

Fails where one is known. Where nobody could be asked, or knows nothing of a package, that is said and is no pass, and
the build goes on: a network that is closed is no fault of the code.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "requirements-dev.txt"  # all the other files' pins are among its own: tests/test_house.py
SECONDS_EACH, SECONDS = 5, 90
FEW = 3
LONGEST = 200  # characters of somebody else's words


def main(arguments: Sequence[str] = (), pins: Path = PINS, seconds: float = SECONDS) -> int:
    """The exit code; `arguments` are pip-audit's, as in --ignore-vuln ID or --vulnerability-service osv."""
    every = _pins(pins.read_text(encoding="utf-8"))
    # A few at first: where none of them is known, nor are the others, and to ask about them all takes a while.
    report = _report(arguments, every[:FEW], seconds)
    if not isinstance(report, str) and any("skip_reason" not in one for one in report["dependencies"]):
        report = _report(arguments, every, seconds)
    lines, code = verdict(report, len(every))
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


def verdict(report: dict[str, Any] | str, pinned: int) -> tuple[list[str], int]:
    """What to say, and the exit code. `report`: pip-audit's, or why there is none; `pinned`: so many packages."""
    if isinstance(report, str):
        return [f"not audited: {report[:LONGEST]}"], 0
    packages = report["dependencies"]
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    lines = found = [
        f"{one['name']} {one['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'no version yet'}"
        for one in packages
        for each in one.get("vulns", ())
    ]
    if unknown:
        names = ", ".join(unknown[:FEW]) + (" …" if len(unknown) > FEW else "")
        others = f"; the other {pinned - len(packages)} were not asked about" if len(packages) < pinned else ""
        lines = [*found, f"not audited: the service knows nothing of {names} ({len(unknown)} packages{others})"]
    elif not found:
        lines = [f"no vulnerability is known of {len(packages)} packages"]
    return lines, 1 if found else 0


def _report(arguments: Sequence[str], pins: Sequence[str], seconds: float) -> dict[str, Any] | str:
    with tempfile.NamedTemporaryFile("w", prefix="requirements", suffix=".txt") as file:
        file.write("".join(pins))
        file.flush()
        return _answer(arguments, file.name, seconds)


def _answer(arguments: Sequence[str], pins: str, seconds: float) -> dict[str, Any] | str:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    command += ["--timeout", str(SECONDS_EACH), "--format", "json", "--requirement", pins, *arguments]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"the service took longer than {seconds:g} s"
    try:
        return json.loads(ended.stdout)
    except json.JSONDecodeError:
        return (ended.stderr.strip() or "pip-audit said nothing").splitlines()[-1]


def _pins(text: str) -> list[str]:
    """Each pin with its hashes."""
    lines = [line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#")]
    return [pin for pin in re.split(r"^(?=\w)", "".join(lines), flags=re.MULTILINE) if pin.strip()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

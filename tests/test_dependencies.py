"""What is pinned is held against known vulnerabilities; who cannot be asked is no pass and no failure."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import audit_dependencies
from tests.audit_dependencies import verdict

HASH = hashlib.sha256(b"").hexdigest()
ADVISORY = {
    "id": "GHSA-made-up-1",
    "summary": "made up",
    "affected": [
        {
            "package": {"name": "click", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    """A vulnerability database in OSV's form, in which click has one."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"vulns": [ADVISORY]} if asked["package"]["name"] == "click" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[list[str]]:
    """What tells pip-audit to ask it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ["--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query"]
        server.shutdown()


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    names = ["boto3==1.44.5", "click==8.5.1"]
    path = tmp_path / "pins.txt"
    path.write_text(
        "# made by hand\n" + "".join(f"{name} \\\n    --hash=sha256:{HASH}\n    # via us\n" for name in names)
    )
    return path


def test_a_known_vulnerability_fails_and_is_named(service, pins, capsys):
    assert audit_dependencies.main(service, pins) == 1
    assert capsys.readouterr().out == "click 8.5.1: GHSA-made-up-1, mended in 9.9\n"


def test_a_service_that_cannot_be_reached_is_said_and_is_no_pass(pins, capsys):
    away = ["--vulnerability-service", "osv", "--osv-url", "http://127.0.0.1:9/v1/query"]

    assert audit_dependencies.main(away, pins) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("not audited: ")
    assert "Connection" in line


def test_a_service_that_does_not_answer_in_time_is_given_up(service, pins, capsys):
    assert audit_dependencies.main(service, pins, seconds=0.05) == 0
    assert capsys.readouterr().out == "not audited: the service took longer than 0.05 s\n"


KNOWN = {"name": "click", "version": "8.5.1", "vulns": []}
STRANGE = {"name": "boto3", "skip_reason": "Dependency not found and could not be audited: boto3 (1.44.5)"}


def test_a_package_of_which_nothing_is_known_is_no_pass():
    # pip-audit itself calls this "No known vulnerabilities found", and exits with 0.
    asked_all, asked_few = verdict({"dependencies": [KNOWN, STRANGE]}, 2), verdict({"dependencies": [STRANGE]}, 145)

    assert asked_all == (["not audited: the service knows nothing of boto3 (1 packages)"], 0)
    assert asked_few == (
        ["not audited: the service knows nothing of boto3 (1 packages; the other 144 were not asked about)"],
        0,
    )
    assert verdict({"dependencies": [KNOWN]}, 1) == (["no vulnerability is known of 1 packages"], 0)


def test_every_pin_is_among_those_that_are_held_against_it():
    text = audit_dependencies.PINS.read_text(encoding="utf-8")

    pins = audit_dependencies._pins(text)

    assert len(pins) == len(re.findall(r"^\w\S*==", text, re.MULTILINE)) > 100
    assert all("--hash=sha256:" in pin for pin in pins)

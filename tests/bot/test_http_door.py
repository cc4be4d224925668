"""HTTP mode at the wire: what Slack signed, in time and for the first time, is let in, and nothing else."""

import hashlib
import hmac
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult

from bot import serving
from bot.config import Config, ConfigProblem, Environment, File, SlackSection
from bot.doors import HttpDoor
from bot.health import Finding, Health
from bot.serving import ARRIVAL_SECONDS
from tests.bot.conftest import SetClock

SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "a-token-of-32-characters-or-more"
Answer = tuple[int, dict[str, str], str]


class Wire:
    """The door at a port of its own, in front of a Bolt app that writes down what reaches it."""

    def __init__(self, arrival_seconds: float = ARRIVAL_SECONDS) -> None:
        environment = Environment(slack_signing_secret=SECRET, lamplighter_metrics_token=TOKEN)
        self.health = Health(SetClock())
        self.config = Config(environment, File(slack=SlackSection(listen="127.0.0.1:0")))
        self.door = HttpDoor(self.config, self.health, arrival_seconds=arrival_seconds)
        self.door.prepare()
        self.reached: list[str] = []
        known = AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_user_id="U0BOT")
        self.app = App(signing_secret=SECRET, authorize=lambda: known)

        @self.app.command("/trace-audit")
        def listen(ack: Ack, body: dict[str, str]) -> None:
            self.reached.append(body["text"])
            ack()

        self.door.open(self.app, lambda _: False)

    @property
    def port(self) -> int:
        return self.door._serving.port

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        said = answer.status, dict(answer.getheaders()), answer.read().decode()
        connection.close()
        return said

    def slack(self, text: str = "", *, body: bytes | None = None, ago: float = 0, **headers: str) -> Answer:
        """As Slack sends a command; the headers replace what it would send."""
        if body is None:
            body = urlencode({"command": "/trace-audit", "text": text, "user_id": "U1", "team_id": "T1"}).encode()
        stamp = str(int(time.time() - ago))
        usual = {
            "Content_Type": "application/x-www-form-urlencoded",
            "X_Slack_Request_Timestamp": stamp,
            "X_Slack_Signature": signature(stamp, body),
        }
        return self.ask("POST", "/slack/events", body, **(usual | headers))

    def raw(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            got = b""
            with suppress(OSError):  # where the other side does not want to hear the rest
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                while more := client.recv(65536):
                    got += more
            return got


def signature(stamp: str, body: bytes) -> str:
    return "v0=" + hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def shared() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.door.end()


@pytest.fixture
def wire(shared: Wire) -> Wire:
    shared.reached.clear()
    return shared


# ---- who is let in


def test_what_slack_signed_reaches_bolt_once_however_often_it_comes(wire: Wire) -> None:
    stamp, body = str(int(time.time())), urlencode({"command": "/trace-audit", "text": "once"}).encode()
    signed = {"X_Slack_Request_Timestamp": stamp, "X_Slack_Signature": signature(stamp, body)}

    assert [wire.slack(body=body, **signed)[0] for _ in range(3)] == [200, 200, 200]

    assert wire.reached == ["once"]


def test_names_in_any_script_are_signed_as_bytes(wire: Wire) -> None:
    assert wire.slack("Größe 漢字 🔥 \x00")[0] == 200

    assert wire.reached == ["Größe 漢字 🔥 \x00"]


@pytest.mark.parametrize(("ago", "status"), [(290, 200), (310, 401), (-290, 200), (-310, 401), (10**9, 401)])
def test_a_signature_is_good_for_five_minutes_around_its_time(wire: Wire, ago: float, status: int) -> None:
    assert wire.slack(f"{ago}", ago=ago)[0] == status

    assert wire.reached == ([f"{ago}"] if status == 200 else [])


NOW = str(int(time.time()))
GOOD = signature(NOW, b"text=other")


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Slack_Signature": GOOD, "X_Slack_Request_Timestamp": NOW},  # of another body
        {"X_Slack_Signature": ""},
        {"X_Slack_Signature": "v0="},
        {"X_Slack_Signature": "v1=" + GOOD[3:]},
        {"X_Slack_Signature": GOOD.upper()},
        {"X_Slack_Signature": "v0=\xe4\xf6\xfc" + GOOD[6:]},
        {"X_Slack_Request_Timestamp": ""},
        {"X_Slack_Request_Timestamp": "soon"},
        {"X_Slack_Request_Timestamp": "-1"},
        {"X_Slack_Request_Timestamp": "1e9"},
        {"X_Slack_Request_Timestamp": f"{NOW}\xb2"},
        {"X_Slack_Request_Timestamp": "9" * 400},
    ],
)
def test_what_slack_did_not_sign_is_refused_in_one_line(
    wire: Wire, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    status, _, said = wire.slack("forged", **headers)

    assert (status, said, wire.reached) == (401, "not signed by Slack, or too old\n", [])
    assert "Traceback" not in caplog.text


def test_missing_and_doubled_headers_are_refused(wire: Wire) -> None:
    body = b"command=%2Ftrace-audit&text=twice"
    start = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    stamp = f"X-Slack-Request-Timestamp: {NOW}\r\n".encode()
    signed = f"X-Slack-Signature: {signature(NOW, body)}\r\n".encode()

    for headers in (length, length + stamp, length + signed, length + stamp + signed * 2, length + stamp * 2 + signed):
        assert wire.raw(start + headers + b"\r\n" + body).startswith(b"HTTP/1.1 401")
    for odd in (length * 2, b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", b"Content-Length: -1\r\n"):
        assert b" 200 " not in wire.raw(start + odd + stamp + signed + b"\r\n" + body)
    assert wire.reached == []


def test_signed_nonsense_is_refused_and_nobody_sees_where_it_broke(wire: Wire) -> None:
    for body, kind in ((b"{", "application/json"), (b"\xff\xfe", "application/json"), (b"payload={", "")):
        status, _, said = wire.slack(body=body, Content_Type=kind or "application/x-www-form-urlencoded")
        assert status in (401, 500)
        assert "Traceback" not in said
        assert "File" not in said


# ---- what else is at the address


def test_slack_s_own_checks_are_answered(wire: Wire) -> None:
    asked = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}).encode()

    assert "3eZbrw1a" in wire.slack(body=asked, Content_Type="application/json")[2]
    assert wire.ask("GET", "/slack/events?ssl_check=1&token=x")[0] == 200
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert wire.ask("POST", "/slack/events", b"ssl_check=1&token=x", **form)[::2] == (200, "")
    both = b"command=%2Ftrace-audit&text=unsigned&ssl_check=1"
    assert wire.ask("POST", "/slack/events", both, **form)[::2] == (200, "")
    assert wire.reached == []


def test_other_methods_and_paths_are_refused_and_nobody_says_who_serves(wire: Wire) -> None:
    for method, path, status in [
        ("GET", "/slack/events", 405),
        ("PUT", "/slack/events", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("POST", "/slack/events/", 404),
        ("GET", "/slack/../healthz", 404),
        ("GET", "/.env", 404),
    ]:
        got, headers, said = wire.ask(method, path)
        assert got == status, path
        assert ("Allow" in headers) is (status == 405)
        assert not {"Server", "Via", "X-Powered-By"} & set(headers)
        assert "waitress" not in said + str(headers)
    assert b"waitress" not in wire.raw(b"nonsense\r\n\r\n")


def test_bodies_and_headers_are_bounded(wire: Wire) -> None:
    start = b"POST /slack/events HTTP/1.1\r\nHost: x\r\n"
    assert b" 413 " in wire.raw(start + b"Content-Length: %d\r\n\r\n" % (serving.MOST_BODY_BYTES + 1))
    said = wire.raw(start + b"X-Long: " + b"x" * (serving.MOST_HEADER_BYTES + 1) + b"\r\n\r\n")
    assert said == b"" or b" 431 " in said
    assert wire.slack("x" * 400_000)[0] == 200


def test_a_request_that_drips_in_is_cut_off_and_keeps_nobody_waiting() -> None:
    wire = Wire(arrival_seconds=0.2)
    drips = [socket.create_connection(("127.0.0.1", wire.port), timeout=10) for _ in range(30)]
    began, ended = time.monotonic(), False
    while not ended and time.monotonic() < began + 8:
        try:
            for each in drips:
                each.sendall(b"P")  # never idle, and never done
            assert wire.slack(f"{time.monotonic()}")[0] == 200
            drips[0].settimeout(0.3)
            ended = drips[0].recv(1) == b""
        except TimeoutError:
            continue
        except OSError:
            ended = True
    for each in drips:
        each.close()
    wire.door.end()

    assert ended


def test_no_proxy_s_word_is_taken_for_where_somebody_is(wire: Wire) -> None:
    spoofed = {"X_Forwarded_For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X_Forwarded_Host": "localhost"}

    assert wire.ask("GET", "/metrics", **spoofed)[0] == 404


def test_metrics_beside_slack_s_requests_take_the_token(wire: Wire) -> None:
    wire.door.probes.metrics = lambda _, start: serving.answer(start, "200 OK", "lamplighter_functions 3\n")

    assert wire.ask("GET", "/metrics", Authorization=f"Bearer {TOKEN}")[::2] == (200, "lamplighter_functions 3\n")
    for wrong in ("", TOKEN, f"Bearer {TOKEN}x", "Bearer ", "Bearer \xe4"):
        assert wire.ask("GET", "/metrics", Authorization=wrong)[0] == 404


def test_where_anybody_may_ask_health_is_one_word(wire: Wire) -> None:
    wire.health.found("bot", Finding(True, "running"))
    wire.health.found("slack", Finding(True, "connected to somebody's workspace"))
    assert [wire.ask("GET", path)[::2] for path in ("/healthz", "/readyz")] == [(200, "ok"), (200, "ok")]

    wire.health.found("slack", Finding(False, "token_revoked"))
    assert wire.ask("GET", "/readyz")[::2] == (503, "not ready")
    assert wire.ask("HEAD", "/readyz")[::2] == (503, "")
    assert wire.ask("GET", "/healthz")[::2] == (200, "ok")


# ---- before and after


def test_who_comes_before_or_after_the_bot_is_told_to_come_again(wire: Wire) -> None:
    wire.door.close()

    status, headers, _ = wire.slack("too late")
    assert (status, headers["Retry-After"], wire.reached) == (503, "30", [])
    assert not wire.door.connected()[0]

    wire.door.open(wire.app, lambda _: False)
    assert wire.slack("in time")[0] == 200
    assert wire.reached == ["in time"]


def test_a_request_that_failed_may_come_again(wire: Wire) -> None:
    stamp, body = str(int(time.time())), urlencode({"command": "/trace-audit", "text": "again"}).encode()
    signed = {"X_Slack_Request_Timestamp": stamp, "X_Slack_Signature": signature(stamp, body)}
    bolt = wire.door._signed.bolt

    wire.door._signed.bolt = lambda _, start: serving.answer(start, "500 Internal Server Error")
    assert wire.slack(body=body, **signed)[0] == 500
    wire.door._signed.bolt = bolt

    assert wire.slack(body=body, **signed)[0] == 200
    assert wire.reached == ["again"]


def test_what_is_being_answered_when_the_door_ends_is_answered() -> None:
    entered, go = threading.Event(), threading.Event()

    def slow(_environ: object, start: object) -> list[bytes]:
        entered.set()
        go.wait(10)
        return serving.answer(start, "200 OK", "done")

    server = serving.Serving("[slack] listen", "127.0.0.1:0", slow, 1)
    server.open()
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    client.request("GET", "/")
    assert entered.wait(10)
    ending = threading.Thread(target=server.close)
    ending.start()
    go.set()

    assert client.getresponse().read() == b"done"
    ending.join(10)
    assert not server.alive
    client.close()


def test_an_address_that_is_taken_is_said_in_one_line(wire: Wire) -> None:
    config = Config(wire.config.environment, File(slack=SlackSection(listen=f"127.0.0.1:{wire.port}")))

    with pytest.raises(ConfigProblem, match=r"\[slack\] listen: .* cannot be used \(.+\)\. Choose another port"):
        HttpDoor(config, wire.health)

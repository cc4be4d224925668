"""Which roles of an account AWS's simulator is asked about, where it refuses some of them or answers no more."""

import asyncio
import random
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import botocore.session
import pytest

from commands.aws.endpoints import Endpoints
from commands.aws.keys import Keys
from commands.aws.pace import Paces
from commands.aws.roles import Judgement, Role
from commands.aws.simulator import Simulator
from commands.aws.wire import Retries, Wire
from storage.models import MayWrite

ACCOUNT, REGION = "111122223333", "eu-central-1"
HASTY = Retries(first_wait=0.001, deadline=30, throttled=3, refused=2, unreachable=2)
OPEN = Judgement(MayWrite.CONDITIONAL, "it depends on `aws:CurrentTime`")
YES = (
    "<a xmlns='x'><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults><member>"
    "<EvalDecision>allowed</EvalDecision></member></EvaluationResults></SimulatePrincipalPolicyResult></a>"
)
REFUSED, FAILED, THROTTLED = (403, "AccessDenied"), (500, "ServiceFailure"), (400, "Throttling")


class Owner:
    account = ACCOUNT

    async def keys(self, *, refused: Keys | None = None) -> Keys:
        return Keys("ASIA", "secret")


class Iam(ThreadingHTTPServer):
    """Allows every role but those that are to be refused or not to be answered, and remembers who was asked for."""

    def __init__(self, troubles: Mapping[str, tuple[int, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.troubles = troubles
        self.asked: list[str] = []
        self.busy = self.most = 0
        self.lock = threading.Condition()


class Handler(BaseHTTPRequestHandler):
    server: Iam
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        name = form["PolicySourceArn"][0].rpartition("/")[2]
        with self.server.lock:
            self.server.asked.append(name)
            self.server.busy += 1
            self.server.most = max(self.server.most, self.server.busy)
            self.server.lock.notify_all()
            self.server.lock.wait_for(lambda: self.server.busy > 2, timeout=0.02)  # a third has its chance to come
        status, code = self.server.troubles.get(name, (200, ""))
        text = f"<E><Error><Code>{code}</Code><Message>No.</Message></Error></E>" if code else YES
        with self.server.lock:
            self.server.busy -= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """What becomes of these roles, given in any order, and the server that was asked."""
    servers: list[Iam] = []

    def settle(names: list[str], **troubles: tuple[int, str]) -> tuple[set[str], Iam]:
        server = Iam(troubles)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        return asyncio.run(_settled(names)), server

    yield settle
    for server in servers:
        server.shutdown()
        server.server_close()


async def _settled(names: list[str]) -> set[str]:
    arns = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in names]
    async with Wire(Endpoints(botocore.session.Session), paces=Paces(0), retries=HASTY) as wire:
        judged = {arn: (Role(arn, policies=()), OPEN) for arn in arns}
        found = await Simulator(wire, Owner(), REGION).settle(judged)
    assert found.keys() == set(arns)
    return {arn.rpartition("/")[2] for arn, judgement in found.items() if judgement.may_write is MayWrite.YES}


NAMES = ["a", "b", "c", "d", "e", "f", "g"]


def shuffled(seed: int) -> list[str]:
    return random.Random(seed).sample(NAMES, len(NAMES))


@pytest.mark.parametrize("seed", range(3))
def test_a_role_that_is_refused_stays_open_and_all_others_are_asked(settled, seed):
    found, server = settled(shuffled(seed), a=REFUSED, d=REFUSED)

    assert found == {"b", "c", "e", "f", "g"}
    assert sorted(server.asked) == NAMES  # once each
    assert server.most <= 2


@pytest.mark.parametrize("trouble", [FAILED, THROTTLED], ids=["failing", "throttling"])
@pytest.mark.parametrize("seed", range(3))
def test_no_answer_about_one_role_ends_no_questions_about_others(settled, seed, trouble):
    found, server = settled(shuffled(seed), a=trouble, b=trouble, f=trouble)

    assert found == {"c", "d", "e", "g"}
    assert server.asked.count("a") > 1  # asked again and again
    assert server.most <= 2


@pytest.mark.parametrize("seed", range(3))
def test_four_roles_in_a_row_without_an_answer_end_the_questions_at_the_same_role_in_every_audit(settled, seed):
    found, server = settled(shuffled(seed), c=FAILED, d=THROTTLED, e=FAILED, f=FAILED)

    assert found == {"a", "b"}
    assert set(server.asked) == {"a", "b", "c", "d", "e", "f"}


def test_who_is_not_there_is_asked_for_four_roles_alone(settled):
    found, server = settled(NAMES, **dict.fromkeys(NAMES, FAILED))

    assert (found, set(server.asked)) == (set(), {"a", "b", "c", "d"})

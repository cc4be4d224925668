"""An audit on a Dask cluster: the same answer as in one process, and one clear line or row for whatever fails there."""

import asyncio
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from time import monotonic

import distributed
import pytest
from distributed.security import Security

from bot.demo.aws import AwsStandIn
from commands.aws import chunks, cluster
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.dask_client import Patience
from commands.aws.doctor import cluster as doctor
from commands.aws.errors import AwsProblem
from commands.aws.inventory import take_inventory
from commands.aws.selection import Chosen
from storage.diagnosis import Outcome
from storage.models import Account, TeamFrom
from tests.bench.contestants import environment
from tests.bench.measuring import estate
from tests.bench.world import World
from tests.clusters import Cluster
from tests.commands.aws.stumbling import STONE, dying, stumbling, waiting
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
WORLD = World(accounts=8, regions=2, functions=3, roles=2, latency=0)
SETTINGS = AwsSettings(WORLD.account_ids, WORLD.region_names, role="audit", external_id="lamp-4f9a", calls_per_second=0)
HASTY = Patience(scheduler=2.0, workers=0.5, look=0.2)
LEFT_ALONE = Patience(workers=1.0, look=0.2)
MODIFIED = datetime(2026, 11, 1, 10, 11, 12, tzinfo=UTC)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
TAGS = ("team",)
ONE, TWO = "; its log may say why", " and 1 other; its log may say why"


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of everybody here: an AWS of 8 accounts."""
    with estate(WORLD) as url:
        yield environment(WORLD, url, tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def in_these_surroundings(surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def healthy(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with one worker, for tests that leave it as it is."""
    with Cluster(tmp_path_factory.mktemp("cluster"), surroundings) as made:
        made.add_worker()
        made.until_ready()
        yield made


@pytest.fixture
def fragile(surroundings: dict[str, str], tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler that gives a chunk up with the first worker that dies over it; no worker yet."""
    with Cluster(tmp_path, surroundings, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as made:
        yield made


def on(address: str, **changes: object) -> Cloud:
    return Cloud(replace(SETTINGS, pool=address, **changes))  # type: ignore[arg-type]  # settings by name


def alone():
    return take_inventory(Cloud(SETTINGS), tag_keys=TAGS)


def take(address: str, patience: Patience = HASTY, on_progress=None, read=chunks.read_chunk, **changes):
    cloud = on(address, **changes)
    return cluster.run(
        cloud, accounts=None, regions=None, tag_keys=TAGS, on_progress=on_progress, patience=patience, read=read
    )


def refused(address: str, patience: Patience = HASTY, **changes) -> str:
    """The one line; no thread is left behind, and nobody waits for longer than was allowed."""
    before, began = set(threading.enumerate()), monotonic()
    with pytest.raises(AwsProblem) as problem:
        take(address, patience, **changes)
    assert monotonic() - began < 15
    assert left_behind(before) == []
    line = str(problem.value)
    assert "\n" not in line
    assert line.startswith(f'[scan] pool = "{address}": ')
    assert line.endswith(', or set pool = "local".')
    return line


def left_behind(before: set[threading.Thread]) -> list[threading.Thread]:
    """The threads that do not end by themselves."""
    new = set(threading.enumerate()) - before
    for thread in new:
        thread.join(2)
    return [thread for thread in new if thread.is_alive()]


def test_a_cluster_finds_what_one_process_finds_also_outside_the_main_thread(healthy: Cluster) -> None:
    told = []
    before = set(threading.enumerate())

    with ThreadPoolExecutor(1) as pool:
        cloud = on(healthy.address)
        asked = pool.submit(take_inventory, cloud, tag_keys=TAGS, on_progress=lambda *so_far: told.append(so_far))
        found = asked.result()

    expected = alone()
    assert found.functions == expected.functions
    assert len(found.functions) == WORLD.total
    assert replace(found, aws_calls=0) == replace(expected, aws_calls=0)
    assert found.aws_calls >= expected.aws_calls
    assert [done for done, _, _ in told] == [2, 4, 6, 8]
    assert {total for _, total, _ in told} == {8}
    assert left_behind(before) == []


def test_one_account_and_region_are_read_where_only_these_are_wanted(healthy: Cluster) -> None:
    wanted = {"accounts": (STONE, "999999999999"), "regions": ("eu-west-1",)}

    found = take_inventory(on(healthy.address), tag_keys=TAGS, **wanted)

    assert replace(found, aws_calls=0) == replace(take_inventory(Cloud(SETTINGS), tag_keys=TAGS, **wanted), aws_calls=0)
    assert {(one.account, one.region) for one in found.functions} == {(STONE, "eu-west-1")}


def test_an_account_that_cannot_be_read_and_a_caller_in_another_one_are_as_in_one_process(
    tmp_path: Path, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calling, called, closed = (str(number) * 12 for number in (2, 3, 4))
    changes = {"accounts": (calling, called, closed), "regions": ("us-east-1",)}
    with AwsStandIn(calls_per_second=None) as stand_in:
        for account in (calling, called):
            stand_in.create_role(account, "audit", trusting(AWS="*"), attached=[ADMIN])
            stand_in.create_role(account, "own", trusting(Service="lambda.amazonaws.com"), attached=[XRAY])
        callee = seed(stand_in, called, "callee", "Active")
        caller = seed(stand_in, calling, "caller", "PassThrough", LEDGER=callee)
        monkeypatch.setenv("AWS_ENDPOINT_URL", stand_in.url)
        with Cluster(tmp_path, {**surroundings, "AWS_ENDPOINT_URL": stand_in.url}) as made:
            made.add_worker()
            found = take(made.address, Patience(), **changes)
        expected = take_inventory(Cloud(replace(SETTINGS, **changes)), tag_keys=TAGS)

    assert [(row.account, row.region) for row in found.not_scanned] == [(closed, "")]
    assert "AccessDenied" in found.not_scanned[0].reason
    assert [one.untraced_callers for one in found.functions if one.arn == callee] == [(caller,)]
    assert replace(found, aws_calls=0) == replace(expected, aws_calls=0)


def test_accounts_tags_are_read_by_the_bot_and_those_of_stacks_by_workers(
    surroundings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, member = "123456789012", "2" * 12
    changes = {"accounts": None, "organization": True, "regions": ("us-east-1",)}
    with AwsStandIn(calls_per_second=None) as stand_in:
        stand_in.organizations.found(home, {home: "management", member: "money"})
        stand_in.organizations.member(member).tags = {"team": "payments"}
        for account in (home, member):
            stand_in.create_role(account, "audit", trusting(AWS="*"), attached=[ADMIN])
            stand_in.create_role(account, "own", trusting(Service="lambda.amazonaws.com"), attached=[XRAY])
        marks = stand_in.seed_stack(member, "us-east-1", "search", {"team": "search"})
        seed(stand_in, member, "plain", "Active")
        seed(stand_in, member, "stacked", "Active", marks)
        monkeypatch.setenv("AWS_ENDPOINT_URL", stand_in.url)
        with Cluster(tmp_path, {**surroundings, "AWS_ENDPOINT_URL": stand_in.url}) as made:
            made.add_worker()
            found = take(made.address, Patience(), **changes)

    owners = {one.name: (one.team, one.team_from) for one in found.functions}
    assert owners == {"plain": ("payments", TeamFrom.ACCOUNT), "stacked": ("search", TeamFrom.STACK)}


def trusting(**principal: str) -> dict[str, object]:
    return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}


def seed(
    aws: AwsStandIn, account: str, name: str, mode: str, tags: dict[str, str] | None = None, **variables: str
) -> str:
    spec = {"FunctionName": name, "Role": f"arn:aws:iam::{account}:role/own", "Runtime": "python3.13"}
    more = {
        "Handler": "app.handler",
        "Code": {"ZipFile": b""},
        "Environment": {"Variables": variables},
        "Tags": tags or {},
    }
    arn = aws.seed_function(account, "us-east-1", spec | more, MODIFIED)
    aws.seed_tracing_mode(arn, mode, MODIFIED)
    return arn


def test_a_chunk_that_raises_costs_its_own_accounts_and_no_others(healthy: Cluster) -> None:

    found = take(healthy.address, Patience(), read=stumbling)

    chunk = ("300000000004", STONE)
    assert [(row.account, row.region) for row in found.not_scanned] == [(account, "") for account in chunk]
    assert {row.reason for row in found.not_scanned} == {
        "a worker of the cluster says: ZeroDivisionError: no such number"
    }
    assert found.functions == tuple(one for one in alone().functions if one.account not in chunk)
    assert found.accounts == WORLD.account_ids


def test_a_chunk_whose_worker_dies_for_good_costs_what_that_worker_held_and_no_more(fragile: Cluster) -> None:
    fragile.add_worker()
    fragile.add_worker()
    fragile.until_ready()

    found = take(fragile.address, Patience(), read=dying)

    lost = {row.account for row in found.not_scanned}
    assert STONE in lost
    assert lost < set(WORLD.account_ids)
    assert {row.reason for row in found.not_scanned} <= {
        f"1 worker died while reading this account{few}" for few in (ONE, TWO)
    }
    assert found.functions == tuple(one for one in alone().functions if one.account not in lost)


def test_what_was_read_before_the_last_worker_died_is_kept(fragile: Cluster) -> None:
    worker = fragile.add_worker()
    fragile.until_ready()
    read: list[str] = []

    def kill(_: int, __: int, account: str) -> None:
        read.append(account)
        worker.kill()

    found = take(fragile.address, LEFT_ALONE, on_progress=kill, read=waiting)

    # Dask chooses which chunks a worker has at hand: these died with it, and the others had nobody to read them.
    reasons = {row.account: row.reason for row in found.not_scanned}
    nobody = "the cluster has had no worker, or no answer, for 1 s"
    assert {*reasons.values()} == {f"1 worker died while reading this account{TWO}", nobody}
    assert {*reasons, *(one.account for one in found.functions)} == set(WORLD.account_ids)
    assert STONE in reasons
    assert read[0] not in reasons
    assert found.functions == tuple(one for one in alone().functions if one.account not in reasons)


def test_what_was_read_before_the_scheduler_died_is_kept(fragile: Cluster) -> None:
    fragile.add_worker()

    found = take(fragile.address, Patience(), on_progress=lambda *_: fragile.scheduler.kill(), read=waiting)

    assert {row.reason for row in found.not_scanned} == {"the connection to the Dask scheduler was lost"}
    lost = {row.account for row in found.not_scanned}
    assert {STONE, "300000000007"} <= lost
    assert WORLD.account_ids[0] not in lost
    assert found.functions == tuple(one for one in alone().functions if one.account not in lost)


def test_workers_without_credentials_are_named_where_nothing_could_be_read(fragile: Cluster) -> None:
    fragile.add_worker(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")

    with pytest.raises(AwsProblem, match="a worker of the cluster says: No AWS credentials"):
        take(fragile.address, Patience())


def test_workers_of_another_version_are_told_apart(fragile: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for package in ("commands", "storage"):
        shutil.copytree(ROOT / package, other / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "storage" / "models.py").open("a") as models:
        models.write("# as it was before\n")
    fragile.add_worker(other)

    with pytest.raises(AwsProblem, match="it runs another version of Lamplighter than the bot"):
        take(fragile.address, Patience())


class Server(ThreadingTCPServer):
    daemon_threads = True
    behind = ("127.0.0.1", 0)
    heard = b""


class Talker(BaseRequestHandler):
    """Speaks first, as an SSH server does."""

    def handle(self) -> None:
        self.request.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 4)


class Wiretap(BaseRequestHandler):
    """Passes on what comes, and keeps it."""

    server: Server

    def handle(self) -> None:
        with socket.create_connection(self.server.behind) as behind:
            back = threading.Thread(target=pass_on, args=(behind, self.request, lambda _: None))
            back.start()
            pass_on(self.request, behind, self.keep)
            back.join()

    def keep(self, data: bytes) -> None:
        self.server.heard += data


@contextmanager
def listening(handler: type[BaseRequestHandler]) -> Iterator[tuple[Server, str]]:
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server, f"tcp://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def pass_on(source: socket.socket, target: socket.socket, keep: Callable[[bytes], None]) -> None:
    with suppress(OSError):  # either end may be gone
        while data := source.recv(65536):
            keep(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_credentials_never_travel(healthy: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-bots-own-secret")
    with listening(Wiretap) as (tap, address):
        tap.behind = ("127.0.0.1", int(healthy.address.rpartition(":")[2]))
        cloud = on(address)
        assumed = cloud.audit_keys(WORLD.account_ids[0])  # at hand, as after a fix or a look at one function
        found = take_inventory(cloud, tag_keys=TAGS)

    assert len(found.functions) == WORLD.total
    assert assumed
    secrets = [value for keys in (cloud.ambient_keys(), assumed) for value in (keys.access_key, keys.secret_key)]
    assert [value for value in (*secrets, str(assumed.token)) if value.encode() in tap.heard] == []
    assert [goes for goes in (STONE, "lamp-4f9a", "audit") if goes.encode() not in tap.heard] == []


def test_a_scheduler_that_is_not_there_is_one_line() -> None:
    line = refused(f"tcp://127.0.0.1:{free_port()}")

    assert "no Dask scheduler answers there" in line
    assert "Start it, correct the address, or" in line


def test_the_doctor_says_whether_the_scheduler_answers_and_has_workers(healthy: Cluster) -> None:
    found, unseen = asyncio.run(doctor.look(healthy.address))
    assert (found.outcome, found.said) == (Outcome.OK, "the scheduler answers, with 1 worker")
    assert (unseen.outcome, unseen.asked) == (Outcome.UNKNOWN, False)

    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"tcp://127.0.0.1:{gone.getsockname()[1]}"
    (missing,) = asyncio.run(doctor.look(address))
    assert missing.outcome is Outcome.FAIL
    assert "no Dask scheduler answers there" in missing.said


def test_a_name_that_nobody_knows_is_one_line() -> None:
    assert "no Dask scheduler answers there" in refused("tcp://scheduler.invalid:8786")


def test_something_else_at_that_address_is_one_line(surroundings: dict[str, str]) -> None:
    silent = surroundings["AWS_ENDPOINT_URL"].replace("http", "tcp")

    assert "no Dask scheduler answers there" in refused(silent, replace(HASTY, scheduler=0.5))


def test_something_that_speaks_first_at_that_address_is_one_line() -> None:
    with listening(Talker) as (_, address):
        assert "no Dask scheduler answers there" in refused(address)


def test_a_scheduler_without_workers_is_one_line(fragile: Cluster) -> None:
    line = refused(fragile.address, replace(HASTY, scheduler=10))

    assert "the scheduler has had no worker for 0.5 s. Start workers, or" in line


def test_a_scheduler_of_another_version_is_one_line(surroundings: dict[str, str], tmp_path: Path) -> None:
    ours = version("distributed")
    installed = Path(distributed.__file__).parents[1] / f"distributed-{ours}.dist-info"
    theirs = shutil.copytree(installed, tmp_path / "code" / installed.name) / "METADATA"
    theirs.write_text(theirs.read_text().replace(f"\nVersion: {ours}\n", "\nVersion: 2020.1.0\n"))
    with Cluster(tmp_path, surroundings, code=tmp_path / "code") as aged:
        line = refused(aged.address, replace(HASTY, scheduler=10))

    assert f"the scheduler runs distributed 2020.1.0, and the bot {ours}. Start" in line
    assert "Start scheduler and workers from the bot's image, or" in line


def test_tls_without_certificates_is_one_line() -> None:
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in refused(f"tls://127.0.0.1:{free_port()}")


def test_a_cluster_is_reached_over_tls_with_what_readme_names(surroundings: dict[str, str], tmp_path: Path) -> None:
    made = Security.temporary()
    given = {
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(tmp_path / "ca.pem"),
    }
    (tmp_path / "ca.pem").write_text(made.tls_ca_file)
    for role in ("scheduler", "worker", "client"):
        for what in ("cert", "key"):
            file = tmp_path / f"{role}-{what}.pem"
            file.write_text(getattr(made, f"tls_{role}_{what}"))
            given[f"DASK_DISTRIBUTED__COMM__TLS__{role.upper()}__{what.upper()}"] = str(file)
    with Cluster(tmp_path, {**surroundings, **given}, protocol="tls") as secured:
        secured.add_worker()
        said = python(READ_AND_SAY.format(role="audit", pool=secured.address, before=""), {**surroundings, **given})
        plain = refused(secured.address.replace("tls", "tcp"))

    assert said.splitlines() == ["('300000000000',)", "True"]
    assert "no Dask scheduler answers there" in plain


def python(program: str, surroundings: dict[str, str]) -> str:
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=ROOT, env=surroundings, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


READ_AND_SAY = """
import sys
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.inventory import take_inventory
accounts = ("300000000000",) if {role!r} else None
settings = AwsSettings(accounts, ("us-east-1",), role={role!r}, pool={pool!r})
{before}
try:
    print(take_inventory(Cloud(settings), tag_keys=("team",)).accounts)
except Exception as problem:
    print(problem)
print("distributed" in sys.modules)
"""


def test_dask_is_not_loaded_where_the_pool_is_local(surroundings: dict[str, str]) -> None:
    said = python(READ_AND_SAY.format(role=None, pool="local", before=""), surroundings)

    assert said.splitlines() == ["('111111111111',)", "False"]


def test_without_a_role_the_one_account_is_read_here(surroundings: dict[str, str]) -> None:
    said = python(READ_AND_SAY.format(role=None, pool="tcp://127.0.0.1:9", before=""), surroundings)

    assert said.splitlines() == ["('111111111111',)", "False"]


def test_without_dask_the_line_names_what_to_install(surroundings: dict[str, str]) -> None:
    before = "sys.modules['distributed'] = None  # as where it is not installed"
    said = python(READ_AND_SAY.format(role="audit", pool="tcp://127.0.0.1:9", before=before), surroundings)

    line = '[scan] pool = "tcp://127.0.0.1:9": Dask is not installed. Install requirements-cluster.txt, '
    assert said.splitlines()[0] == line + 'or set pool = "local".'


def test_chunks_hold_every_account_once_and_only_what_is_needed() -> None:
    accounts = tuple(Account(str(100000000000 + number), f"name-{number}") for number in range(500))
    chosen = Chosen(accounts, ("999999999999",), names={one.id: one.name for one in accounts}, management="1" * 12)
    given = replace(SETTINGS, organization=True, fix_role="fix", pool="tcp://a:1")

    made = list(chunks.cut(given, chosen, None, TAGS, threads=4))

    assert [account for chunk in made for account in chunk.accounts] == [one.id for one in accounts]
    assert max(len(chunk.accounts) for chunk in made) == 20
    assert made[0].chosen.names == {one.id: one.name for one in accounts[:20]}
    assert made[0].chosen.unread == ()
    assert made[0].chosen.management == "1" * 12
    assert made[0].settings == replace(SETTINGS, accounts=None)

"""Who is measured: how each is started, cold, against the pretend AWS, and whether its answer is right."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from tests.bench.world import HOME, Truth, World

ROOT = Path(__file__).parents[2]
PEER = ROOT / ".venv-peer" / "bin"
_NOT_KEPT = ("AWS_", "SLACK_", "LAMPLIGHTER_", "C7N_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class Start:
    """A process to be measured."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path  # where it starts


class Contestant(Protocol):
    """Each run is given an empty folder of its own; `problem` looks at what the run printed and left there."""

    @property
    def name(self) -> str: ...

    def start(self, world: World, url: str, folder: Path) -> Start: ...

    def problem(self, world: World, printed: bytes, folder: Path) -> str:
        """What is wrong with the answer; nothing where all of it is right."""
        ...


class Lamplighter:
    """`python -m bot audit --json` of this checkout, with a new database."""

    name = "Lamplighter"

    def start(self, world: World, url: str, folder: Path) -> Start:
        many = world.accounts > 1
        lines = ["[aws]", "calls_per_second = 0", f"regions = {json.dumps(world.region_names)}"]
        lines += [f"accounts = {json.dumps(world.account_ids)}", 'role = "audit"'] if many else []
        settings = folder / "lamplighter.toml"
        settings.write_text("\n".join([*lines, "[teams]", 'tag_keys = ["team"]', ""]))
        own = {"LAMPLIGHTER_CONFIG": str(settings), "LAMPLIGHTER_DATABASE": str(folder / "lamplighter.db")}
        command = (sys.executable, "-m", "bot", "audit", "--json")
        return Start(command, environment(world, url, folder) | own, ROOT)

    def problem(self, world: World, printed: bytes, folder: Path) -> str:
        try:
            said = orjson.loads(printed)
        except orjson.JSONDecodeError:
            return "no answer"
        if said["not_scanned"]:
            return f"it could not see everything: {said['not_scanned'][0]}"
        found = {each["arn"]: Truth(each["mode"], each["team"], each["verdict"]) for each in said["functions"]}
        return difference(world.truths(), found)


class Custodian:
    """Cloud Custodian, by itself for one account and under c7n-org for more, with nothing cached."""

    name = "Cloud Custodian"

    def start(self, world: World, url: str, folder: Path) -> Start:
        untraced = {"type": "value", "key": "TracingConfig.Mode", "op": "ne", "value": "Active"}
        policy = {"name": "untraced", "resource": "aws.lambda", "filters": [untraced, {"tag:team": "present"}]}
        (folder / "policy.json").write_text(json.dumps({"policies": [policy]}))
        cold = ("-s", str(folder / "found"), "--cache-period", "0")
        regions = [word for region in world.region_names for word in ("-r", region)]
        if world.accounts == 1:
            command = (str(PEER / "custodian"), "run", *cold, *regions, "policy.json")
        else:
            (folder / "accounts.json").write_text(
                json.dumps({"accounts": [_account(each) for each in world.account_ids]})
            )
            command = (str(PEER / "c7n-org"), "run", "-c", "accounts.json", "-u", "policy.json", *cold, *regions)
        return Start(command, environment(world, url, folder), folder)

    def problem(self, world: World, printed: bytes, folder: Path) -> str:
        answers = [orjson.loads(path.read_bytes()) for path in (folder / "found").rglob("resources.json")]
        if not answers:
            return "no answer"
        found = {each["FunctionArn"]: "listed" for answer in answers for each in answer}
        return difference(dict.fromkeys(world.not_active_with_team(), "listed"), found)


def _account(account: str) -> dict[str, str]:
    return {"account_id": account, "name": account, "role": f"arn:aws:iam::{account}:role/audit"}


def difference(right: Mapping[str, object], found: Mapping[str, object]) -> str:
    """How many answers are missing, too many or wrong, and the first of them."""
    wrong = [arn for arn, truth in right.items() if found.get(arn) != truth]
    wrong += [arn for arn in found if arn not in right]
    if not wrong:
        return ""
    first = wrong[0]
    says = f"{first} is {found.get(first, 'missing')}, not {right.get(first, 'there')}"
    return f"{len(wrong):,} of {len(right):,} are wrong; {says}"


def environment(world: World, url: str, folder: Path) -> dict[str, str]:
    """This process's, without what is set for any AWS, proxy or Slack; the pretend AWS in its place."""
    plain = {
        key: value for key, value in os.environ.items() if not key.startswith(_NOT_KEPT) and key.lower() not in _PROXIES
    }
    return plain | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{HOME}0000",
        "AWS_SECRET_ACCESS_KEY": "pretend",
        "AWS_DEFAULT_REGION": world.region_names[0],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(folder),
    }

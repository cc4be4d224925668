"""`python -m bot audit` with AWS credentials and nothing else."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.fleet_access import AUDIT_ROLE
from storage.models import CheckName, Verdict
from tests.e2e.scene import Scene

PROD = "482915067331"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """No bot runs here."""
    with Scene(tmp_path_factory.mktemp("terminal")) as made:
        yield made


def test_json_is_the_object_of_the_contract_and_every_verdict_is_right(scene: Scene) -> None:
    ended = scene.run_cli("audit", "--json")
    assert ended.returncode == 1, ended.stderr
    told = json.loads(ended.stdout)

    assert set(told) == {"audit", "coverage", "functions", "not_scanned", "changes"}
    assert set(told["audit"]) == {"id", "started_at", "finished_at", "accounts", "regions", "functions", "aws_calls"}
    assert (told["audit"]["accounts"], told["audit"]["regions"]) == (3, 2)
    assert told["audit"]["functions"] == len(scene.fleet.functions) == len(told["functions"])
    assert told["not_scanned"] == []
    expected = {one.arn: one for one in scene.fleet.functions}
    for function in told["functions"]:
        one = expected[function["arn"]]
        assert (function["verdict"], function["team"]) == (one.verdict, one.team), function
        assert function["role_may_write"] == one.may_write, function
        assert one.because <= {finding["check"] for finding in function["findings"]}, function
        beside = {CheckName.STARVED, CheckName.SURFACE_ONLY, CheckName.TRACED_ELSEWHERE, CheckName.RUNTIME_BLOCKED}
        assert beside & {finding["check"] for finding in function["findings"]} == beside & one.because, function
    counts = Counter(one.verdict for one in scene.fleet.functions)
    assert {name: told["coverage"][name] for name in counts} == {str(key): value for key, value in counts.items()}
    whole = counts[Verdict.TRACED] + counts[Verdict.UNTRACED]
    assert told["coverage"]["percent"] == round(100 * counts[Verdict.TRACED] / whole, 1)


def test_changes_since_the_audit_before_are_told_and_what_is_not_seen_is_shown_with_its_age(
    scene: Scene, tmp_path: Path
) -> None:
    own = {"LAMPLIGHTER_DATABASE": str(tmp_path / "own.db"), "COLUMNS": "250"}
    first = json.loads(scene.run_cli("audit", "--json", **own).stdout)
    kinds = ("new", "fixed", "regressed", "gone", "returned")
    assert first["changes"] == {"since": None} | {kind: [] for kind in kinds}
    lit = next(one for one in scene.fleet.functions if one.verdict is Verdict.TRACED and f":{PROD}:" in one.arn)
    mode = scene.aws.function(lit.arn)["TracingConfig"]["Mode"]
    scene.aws.seed_tracing_mode(lit.arn, "PassThrough", scene.aws.now())

    table = scene.run_cli("audit", "--account", PROD, **own).stdout
    second = json.loads(scene.run_cli("audit", "--json", **own).stdout)
    scene.aws.deny(account=PROD, service="lambda")
    third = json.loads(scene.run_cli("audit", "--json", **own).stdout)
    aged = scene.run_cli("audit", **own).stdout
    scene.aws.forgive()
    scene.aws.seed_tracing_mode(lit.arn, mode, scene.aws.now())

    assert f"untraced again: {lit.arn}" in table
    assert "since audit 1: 0 new, 0 fixed, 1 regressed, 0 gone, 0 returned" in table
    assert (second["changes"]["since"], second["changes"]["regressed"]) == (1, [lit.arn])
    assert "last_known" not in second
    assert not {one["arn"] for one in third["functions"]} & {one["arn"] for one in third["last_known"]}
    kept = {one["arn"]: one for one in third["last_known"]}
    assert {one["account"] for one in kept.values()} == {PROD}
    assert (kept[lit.arn]["verdict"], kept[lit.arn]["seen_at"]) == ("untraced", second["audit"]["started_at"])
    assert third["changes"]["gone"] == []
    assert f"not counted: {len(kept)} functions last seen" in aged
    assert "not seen since: passthrough" in aged


def test_no_call_of_an_audit_changes_aws(scene: Scene) -> None:
    scene.run_cli("audit", "--json")

    reading = ("List", "Get", "Describe", "AssumeRole", "Simulate")
    assert [call for call in scene.aws.calls if not call.action.startswith(reading)] == []


def test_the_table_names_what_is_untraced_and_sums_up(scene: Scene) -> None:
    ended = scene.run_cli("audit", "--team", "payments", COLUMNS="200")

    assert ended.returncode == 1
    assert "refund-worker" in ended.stdout
    assert "ledger-writer" not in ended.stdout
    assert "catalog-indexer" not in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("coverage 7")


def test_one_account_and_region_are_asked_and_no_others(scene: Scene) -> None:
    before = len(scene.aws.calls)
    told = json.loads(scene.run_cli("audit", "--json", "--account", PROD, "--region", "us-east-1").stdout)

    assert {(one["account"], one["region"]) for one in told["functions"]} == {(PROD, "us-east-1")}
    assert {call.region for call in scene.aws.calls[before:] if call.service == "lambda"} == {"us-east-1"}


def test_without_a_configuration_the_account_of_the_credentials_is_audited(scene: Scene, tmp_path: Path) -> None:
    owner = {"AWS_ACCESS_KEY_ID": "AKIAOWNER", "AWS_SECRET_ACCESS_KEY": "x" * 40}
    scene.aws.create_role("123456789012", "lonely-role", {"Version": "2012-10-17", "Statement": []})

    ended = scene.run_cli(
        "audit", "--json", LAMPLIGHTER_CONFIG="", LAMPLIGHTER_DATABASE=str(tmp_path / "own.db"), **owner
    )

    told = json.loads(ended.stdout)
    assert (ended.returncode, told["audit"]["accounts"], told["functions"]) == (0, 1, [])
    assert told["coverage"]["percent"] is None


def test_an_organization_is_audited_less_what_is_excluded(scene: Scene, tmp_path: Path) -> None:
    config = tmp_path / "organization.toml"
    quoted = f'accounts = "organization"\nrole = "{AUDIT_ROLE}"\nexternal_id = "{scene.fleet.external_id}"'
    config.write_text(f'[aws]\n{quoted}\nregions = ["us-east-1"]\n[aws.exclude]\nnames = ["management"]\n')
    given = {"LAMPLIGHTER_CONFIG": str(config), "LAMPLIGHTER_DATABASE": str(tmp_path / "everybody.db")}

    told = json.loads(scene.run_cli("audit", "--json", **given).stdout)
    one = json.loads(scene.run_cli("audit", "--json", "--account", PROD, **given).stdout)
    nobody = json.loads(scene.run_cli("audit", "--json", "--account", "999999999999", **given).stdout)

    assert {function["account"] for function in told["functions"]} == set(scene.fleet.accounts)
    assert (told["audit"]["accounts"], told["not_scanned"]) == (3, [])
    assert {function["account"] for function in one["functions"]} == {PROD}
    assert nobody["not_scanned"] == [
        {"account": "999999999999", "region": "", "reason": "is no account of the organization"}
    ]
    config.write_text(f'[aws]\n{quoted}\n[aws.exclude]\naccounts = ["{PROD}"]\n')
    left_out = scene.run_cli("audit", "--account", PROD, **given)
    assert left_out.returncode == 2
    assert f"--account {PROD} is left out by [aws.include] or [aws.exclude]" in left_out.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[aws]\nacounts = []\n", "[aws] acounts is no setting of Lamplighter"),
        ('[schedule]\ndaily = "25:00"\n', "[schedule] daily: '25:00' is no time of day; write one like 09:00"),
        ('[schedule]\ntimezone = "Berlin"\n', "'Berlin' is no time zone"),
        ('[aws]\naccounts = ["123"]\n', "'123' should look like"),
        ("[aws\n", "this is not TOML"),
        ('[policy]\napprovers = ["@ana"]\n', "'@ana' should look like"),
        ("[aws]\ncalls_per_second = 99\n", "[aws] calls_per_second"),
    ],
    ids=["unknown key", "time", "zone", "account", "no TOML", "approver", "too fast"],
)
def test_a_bad_setting_is_one_line_and_exit_code_2(scene: Scene, tmp_path: Path, content: str, said: str) -> None:
    config = tmp_path / "lamplighter.toml"
    config.write_text(content)

    ended = scene.run_cli("audit", LAMPLIGHTER_CONFIG=str(config))

    assert ended.returncode == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["audit", "--team", "paymets"], {}, "no function belongs to team paymets. Teams: payments"),
        (["audit", "--account", "999999999999"], {}, "--account 999999999999 is not configured"),
        (["audit"], {"LAMPLIGHTER_CONFIG": "nowhere.toml"}, "LAMPLIGHTER_CONFIG: there is no file nowhere.toml"),
        (["audit"], {"LAMPLIGHTER_DATABASE": "/nowhere/x.db"}, "LAMPLIGHTER_DATABASE"),
        (
            ["audit"],
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""},
            "No AWS credentials",
        ),
        (["run"], {}, "SLACK_BOT_TOKEN is missing"),
        (["run"], {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN holds a bot token"),
    ],
    ids=["team", "account", "config", "database", "credentials", "no token", "wrong token"],
)
def test_bad_usage_says_what_and_how_to_mend_it(
    scene: Scene, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    ended = scene.run_cli(*arguments, **environment)

    assert ended.returncode == 2, ended.stdout[-500:]
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["run", "--help"], ["demo", "--help"]])
def test_help_tells(scene: Scene, arguments: list[str]) -> None:
    ended = scene.run_cli(*arguments)

    assert ended.returncode == 0
    assert "Usage: python -m bot" in ended.stdout

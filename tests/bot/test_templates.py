"""`python -m bot templates`: the files that it prints, as cfn-lint and CloudFormation take them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.config import load
from bot.demo.aws.stacks import Stack
from bot.templates import TEMPLATES
from storage.aws_budgets import OURS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "commands/aws/templates"
# A usual Region, the first, one that has to be opted into, and one of each other partition.
REGIONS = ["eu-central-1", "us-east-1", "af-south-1", "us-gov-west-1", "cn-north-1"]
ORGANIZATION, EXTERNAL_ID = "o-a1b2c3d4e5", "lamplighter-4f9a12c8"
BUS = "arn:aws:events:eu-central-1:999988887777:event-bus/lamplighter"
OF_MEMBERS = {"HubAccount": "999988887777", "ExternalId": EXTERNAL_ID}
REQUIRED = {
    "hub-role": {},
    "audit-role": OF_MEMBERS,
    "fix-role": OF_MEMBERS,
    "event-hub": {"OrganizationId": ORGANIZATION},
    "event-forwarding": {"HubBusArn": BUS},
    "config-rule": {},
    "xray-budget": {"MonthlyUsd": "200"},
}


def text(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def stack(name: str, account: str = "111122223333", region: str = "us-east-1", **parameters: str) -> Stack:
    return Stack(text(name), REQUIRED[name] | parameters, account, region, name)


def complaints(said: str, regions: list[str]) -> list[str]:
    from cfnlint.api import ManualArgs, lint  # 0.5 s of CPU for each process that collects this file

    found = lint(said, config=ManualArgs(regions=regions, include_checks=["I"]))
    return [f"{one.rule.id} {one.message}" for one in found]


# ---- what is printed


def test_there_is_a_line_for_each_file():
    assert sorted(TEMPLATES) == sorted(path.stem for path in FOLDER.iterdir())

    printed = CliRunner().invoke(main, ["templates"])
    assert (printed.exit_code, printed.stdout.splitlines()) == (
        0,
        [f"{name:<18}{says}" for name, says in TEMPLATES.items()],
    )
    assert all(len(line) <= 100 for line in printed.stdout.splitlines())


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_printed_byte_for_byte(name):
    printed = CliRunner().invoke(main, ["templates", name])

    assert printed.exit_code == 0
    assert printed.stdout_bytes == (FOLDER / f"{name}.yaml").read_bytes()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("audit-rol", "did you mean audit-role?"),
        ("x" * 300, "there are hub-role, audit-role,"),
        ("../../README", "there"),
    ],
)
def test_a_name_that_is_none_is_one_line_that_says_which_there_are(name, says):
    printed = CliRunner().invoke(main, ["templates", name])

    assert (printed.exit_code, printed.stdout) == (2, "")
    (line,) = printed.stderr.splitlines()
    assert line.startswith("lamplighter: there is no template ")
    assert says in line


def test_it_needs_no_settings_no_aws_and_no_slack_and_loads_neither(tmp_path):
    """Also where its settings are broken: it does not look at them."""
    (tmp_path / "lamplighter.toml").write_text("this is no setting")
    code = (
        "import sys; from bot.cli import main\n"
        "try: main(['templates', 'audit-role'])\n"
        "finally: print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (0, (FOLDER / "audit-role.yaml").read_bytes())
    loaded = set(ended.stderr.decode().split())
    assert not loaded & {"boto3", "botocore", "slack_sdk", "slack_bolt", "yaml", "commands", "storage", "sqlite3"}


def test_the_image_has_them():
    assert "COPY commands ./commands" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "!commands" in kept
    assert not [line for line in kept if "yaml" in line or "templates" in line]


# ---- cfn-lint


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_has_nothing_to_say(name):
    without_budgets = ["af-south-1", "us-gov-west-1"] if name == "xray-budget" else []

    missing = [f"E3006 Resource type 'AWS::Budgets::Budget' does not exist in '{region}'" for region in without_budgets]
    assert sorted(complaints(text(name), REGIONS)) == missing


BROKEN = {
    "hub-role": ("AWS::IAM::InstanceProfile", "AWS::IAM::InstanceProfil"),
    "audit-role": ("!Ref RoleName", "!Ref RolName"),
    "fix-role": ("Effect: Deny", "Effect: Forbid"),
    "event-hub": ("VisibilityTimeout: 120", "VisibilityTimeout: soon"),
    "event-forwarding": ("Condition: HasEventsOfIam", "Condition: HasEvents"),
    "config-rule": ("SourceIdentifier: LAMBDA", "SourceIdentifer: LAMBDA"),
    "xray-budget": ("Metrics: [UnblendedCost]", "Metrics: UnblendedCost"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_a_slip_in_each(name):
    before, after = BROKEN[name]
    assert before in text(name)

    assert complaints(text(name).replace(before, after), ["us-east-1"])


# ---- how they are to be used


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_is_short_enough_for_a_command_line(name):
    assert len(text(name).encode()) <= 51_200  # --template-body
    assert len(re.search(r"Description: >-\n((?:  .*\n)+)", text(name))[1]) <= 1024


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_parameter_says_what_it_is_and_takes_nothing_else(name):
    parameters = stack(name).template["Parameters"]

    for key, rules in parameters.items():
        assert len(rules["Description"]) > 20, key
        bounded = {"AllowedPattern", "AllowedValues", "MinValue"} & rules.keys()
        assert bounded or rules["Type"] == "CommaDelimitedList", key
        if "AllowedPattern" in rules:
            assert rules["ConstraintDescription"], key
            with pytest.raises(ValueError, match=key):
                stack(name, **{key: "$(reboot)"})


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_output_says_where_it_goes(name):
    outputs = stack(name, RunsOn="ec2.amazonaws.com") if name == "hub-role" else stack(name)

    assert outputs.outputs
    for one in outputs.template["Outputs"].values():
        assert re.search(r"lamplighter\.toml|the template|task role|Subscribe|look into it", one["Description"])


def test_outputs_are_lines_of_the_settings():
    said = {name: stack(name).outputs for name in TEMPLATES}

    assert said["audit-role"]["Role"] == 'role = "lamplighter-audit"'
    assert said["audit-role"]["ExternalId"] == f'external_id = "{EXTERNAL_ID}"'
    assert said["fix-role"]["Role"] == 'fix_role = "lamplighter-fix"'
    assert said["hub-role"]["Roles"] == 'role = "lamplighter-audit"\nfix_role = "lamplighter-fix"'
    assert said["xray-budget"]["MonthlyUsd"] == "monthly_usd = 200"


def test_outputs_that_are_pasted_are_settings(tmp_path, monkeypatch):
    """All of them under the sections that they name, but for the roles, which hub-role says once more."""
    sections = {"aws": ['accounts = "organization"'], "events": [], "budget": []}
    for name in TEMPLATES:
        made = stack(name)
        for key, one in made.template["Outputs"].items():
            under = re.search(r"under \[(\w+)\]", one["Description"])
            if under and "to be pasted once" not in one["Description"]:
                sections[under[1]].append(made.outputs[key])
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AWS_", "LAMPLIGHTER_"))]:
        monkeypatch.delenv(name)
    lines = [f"[{name}]\n" + "\n".join(said) for name, said in sections.items()]
    (tmp_path / "lamplighter.toml").write_text("\n".join(lines), encoding="utf-8")

    config = load()
    assert (config.aws.role, config.aws.fix_role) == ("lamplighter-audit", "lamplighter-fix")
    assert config.aws.external_id == EXTERNAL_ID
    assert config.events.queue_url.endswith("/111122223333/lamplighter-events")
    assert config.budget.monthly_usd == 200


def test_an_account_without_an_organization_has_a_bus_of_its_own():
    assert stack("event-hub", OrganizationId="").of_type("AWS::Events::EventBusPolicy") == []
    assert len(stack("event-hub").of_type("AWS::Events::EventBusPolicy")) == 1


def test_a_value_that_is_wanting_is_said():
    with pytest.raises(ValueError, match=r"Parameters: \[ExternalId\] must have values"):
        Stack(text("audit-role"), {"HubAccount": "999988887777"}, "111122223333", "us-east-1")


def test_the_budget_is_not_the_one_that_is_set_from_slack():
    (budget,) = stack("xray-budget").of_type("AWS::Budgets::Budget")
    assert budget["Budget"]["FilterExpression"] == {"Dimensions": {"Key": "SERVICE", "Values": ["AWS X-Ray"]}}
    assert budget["Budget"]["Metrics"] == ["UnblendedCost"]  # and no CostFilters beside: AWS takes one of the two

    with pytest.raises(ValueError, match="Name"):
        stack("xray-budget", Name=OURS)


def test_the_config_rule_is_of_an_account_or_of_the_organization():
    assert [one["Type"] for one in stack("config-rule").resources.values()] == ["AWS::Config::ConfigRule"]

    (rule,) = stack("config-rule", Scope="organization").resources.values()
    assert rule["Type"] == "AWS::Config::OrganizationConfigRule"
    assert rule["Properties"]["OrganizationManagedRuleMetadata"]["RuleIdentifier"] == "LAMBDA_FUNCTION_XRAY_ENABLED"
    assert "ExcludedAccounts" not in rule["Properties"]

    (rule,) = stack(
        "config-rule", Scope="organization", ExcludedAccounts="111122223333,444455556666"
    ).resources.values()
    assert rule["Properties"]["ExcludedAccounts"] == ["111122223333", "444455556666"]

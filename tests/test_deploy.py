"""docs/deploy: what Kubernetes and CloudFormation would take, and what the image and the bot need to find there."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from cfnlint import lint
from cfnlint.config import ManualArgs

from bot.config import load
from bot.demo.aws.stacks import Stack
from bot.environment import FILE, SECRETS, Environment

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "docs" / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# Kubernetes 1.34's own OpenAPI definitions of these kinds without their descriptions, where no key may be unknown;
# from the package kubernetes-validate 1.37.0 (v1.34-local-strict), whose `validate` took the file for 1.29 to 1.37.
SCHEMA = json.loads((ROOT / "tests" / "kubernetes.schema.json").read_text(encoding="utf-8"))
USER = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
VARIABLES = {name.upper() for name in Environment.__dataclass_fields__} | {name.upper() + FILE for name in SECRETS}
LITESTREAM = "LITESTREAM_REPLICA_URL"


# ---- Kubernetes


def kubernetes() -> dict[str, Any]:
    """Each object by its kind; of each there is one."""
    text = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


@cache
def validator(kind: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/$defs/{SCHEMA['kinds'][kind]}", "$defs": SCHEMA["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def complaints(one: dict[str, Any]) -> list[str]:
    return [f"{error.json_path} {error.message}" for error in validator(one["kind"]).iter_errors(one)]


@pytest.mark.parametrize("kind", SCHEMA["kinds"])
def test_kubernetes_would_take_each_object(kind):
    assert complaints(kubernetes()[kind]) == []


def test_there_is_no_object_that_nobody_looked_at():
    assert kubernetes().keys() == SCHEMA["kinds"].keys()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("readOnlyRootFilesystem: true", "readOnlyRootFilesytem: true", "'readOnlyRootFilesytem' was unexpected"),
        ("replicas: 1", "replicas: one", "'one' is not of type 'integer'"),
        ("{drop: [ALL]}", "{drop: ALL}", "'ALL' is not of type 'array'"),
        ("serviceName: lamplighter", "serviceNames: lamplighter", "'serviceNames' was unexpected"),
    ],
)
def test_a_slip_would_be_found(old, new, says):
    text = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    assert old in text

    found = [one for part in yaml.safe_load_all(text.replace(old, new)) for one in complaints(part)]

    assert any(says in one for one in found), found


def pod() -> dict[str, Any]:
    return kubernetes()["StatefulSet"]["spec"]["template"]["spec"]


def container() -> dict[str, Any]:
    (one,) = pod()["containers"]
    return one


def test_a_pod_may_do_no_more_than_it_has_to():
    """What the Pod Security Standard "restricted" asks for, a read-only image, and no token of Kubernetes."""
    assert kubernetes()["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert USER is not None
    assert pod()["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": int(USER[1]),
        "runAsGroup": int(USER[2]),
        "fsGroup": int(USER[2]),
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["automountServiceAccountToken"] is False
    assert kubernetes()["ServiceAccount"]["automountServiceAccountToken"] is False


def test_two_pods_never_run_at_once():
    spec = kubernetes()["StatefulSet"]["spec"]
    (claim,) = spec["volumeClaimTemplates"]

    assert spec["replicas"] == 1
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_what_is_mounted_is_there_and_only_the_volume_can_be_written_to():
    claims = {one["metadata"]["name"] for one in kubernetes()["StatefulSet"]["spec"]["volumeClaimTemplates"]}
    volumes = {one["name"]: one for one in pod()["volumes"]}
    mounts = {one["name"]: one for one in container()["volumeMounts"]}

    assert mounts.keys() == claims | volumes.keys()
    assert {name for name, one in mounts.items() if not one.get("readOnly")} == claims
    assert mounts["data"]["mountPath"] in re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)
    assert volumes["settings"]["configMap"]["name"] == kubernetes()["ConfigMap"]["metadata"]["name"]
    assert mounts["settings"]["subPath"] in kubernetes()["ConfigMap"]["data"]


def test_labels_and_ports_meet():
    every, labels = kubernetes(), kubernetes()["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    (port,) = container()["ports"]

    assert every["StatefulSet"]["spec"]["selector"]["matchLabels"] == labels
    assert every["Service"]["spec"]["selector"] == labels
    assert every["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert every["StatefulSet"]["spec"]["serviceName"] == every["Service"]["metadata"]["name"]
    assert pod()["serviceAccountName"] == every["ServiceAccount"]["metadata"]["name"]
    probes = [container()[kind]["httpGet"]["port"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert set(probes) == {port["name"]} == {one["targetPort"] for one in every["Service"]["spec"]["ports"]}
    assert {one["metadata"].get("namespace") for kind, one in every.items() if kind != "Namespace"} == {"lamplighter"}
    (let_in,) = every["NetworkPolicy"]["spec"]["ingress"]
    assert [one["port"] for one in let_in["ports"]] == [port["containerPort"]]


def test_the_bot_takes_its_settings_and_its_variables(tmp_path, monkeypatch):
    written = kubernetes()["ConfigMap"]["data"]["lamplighter.toml"]
    (port,) = container()["ports"]
    assert f'[health]\nlisten = "0.0.0.0:{port["containerPort"]}"' in written
    (tmp_path / "lamplighter.toml").write_text(written, encoding="utf-8")
    monkeypatch.setenv("LAMPLIGHTER_CONFIG", str(tmp_path / "lamplighter.toml"))

    assert load().aws.role == "lamplighter-audit"
    assert {one["name"] for one in container()["env"]} <= VARIABLES
    (slack,) = [one for one in pod()["volumes"] if one["name"] == "slack"]
    files = [one["value"] for one in container()["env"] if one["name"].endswith(FILE)]
    assert all(path.startswith("/run/secrets/slack/") for path in files)
    asked = re.search(rf"create secret generic {slack['secret']['secretName']} (.+)", README)
    assert asked is not None
    assert {Path(path).name for path in files} == set(re.findall(r"--from-file=(\S+)", asked[1]))


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_bots_role_can_be_that_of_pods():
    text = (ROOT / "commands" / "aws" / "templates" / "hub-role.yaml").read_text(encoding="utf-8")

    def let_in(service: str) -> dict[str, Any]:
        (role,) = Stack(text, {"RunsOn": service}, "111122223333", "eu-central-1").of_type("AWS::IAM::Role")
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": service}
        return statement

    assert let_in("pods.eks.amazonaws.com")["Action"] == ["sts:AssumeRole", "sts:TagSession"]  # as EKS asks for
    assert "Condition" not in let_in("pods.eks.amazonaws.com")
    assert let_in("ecs-tasks.amazonaws.com")["Action"] == ["sts:AssumeRole"]
    assert "aws:SourceAccount" in let_in("ecs-tasks.amazonaws.com")["Condition"]["StringEquals"]
    assert "--disable-session-tags" in README  # which the audit and fix roles would not let in


# ---- ECS


def ecs(**parameters: str) -> Stack:
    given = {
        "Image": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/lamplighter:0.1.0",
        "Subnets": "subnet-1,subnet-2",
        "Vpc": "vpc-1",
        "TaskRoleArn": "arn:aws:iam::111122223333:role/lamplighter",
        "Tokens": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:lamplighter-AbCdEf",
    }
    text = (DEPLOY / "ecs.yaml").read_text(encoding="utf-8")
    return Stack(text, given | parameters, "111122223333", "eu-central-1")


def test_cfn_lint_has_nothing_to_say():
    text = (DEPLOY / "ecs.yaml").read_text(encoding="utf-8")
    config = ManualArgs(regions=["eu-central-1"], include_checks=["I"])

    assert [f"{one.rule.id} {one.message}" for one in lint(text, config=config)] == []
    slip = lint(text.replace("ReadonlyRootFilesystem: true", "ReadOnlyRootFilesystem: true"), config=config)
    assert [one.rule.id for one in slip] == ["E3002"]


def test_a_task_may_do_no_more_than_it_has_to():
    (task,) = ecs().of_type("AWS::ECS::TaskDefinition")
    (one,) = task["ContainerDefinitions"]
    (group,) = ecs().of_type("AWS::EC2::SecurityGroup")

    assert USER is not None
    assert one["User"] == f"{USER[1]}:{USER[2]}"
    assert one["ReadonlyRootFilesystem"] is True
    assert one["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert [mount["ContainerPath"] for mount in one["MountPoints"]] == re.findall(
        r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE
    )
    assert "SecurityGroupIngress" not in group
    assert one["HealthCheck"]["Command"][0] == "CMD"  # and not CMD-SHELL
    assert {secret["Name"] for secret in one["Secrets"]} <= VARIABLES
    assert {variable["Name"] for variable in one["Environment"]} <= VARIABLES | {LITESTREAM}
    assert not {variable["Name"].lower() for variable in one["Environment"]} & (set(SECRETS) - {LITESTREAM.lower()})


def test_there_is_one_task_or_none():
    (service,) = ecs().of_type("AWS::ECS::Service")

    assert service["DesiredCount"] == "1"
    assert service["DeploymentConfiguration"]["MaximumPercent"] == 100
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 0
    assert ecs(Bots="0").of_type("AWS::ECS::Service")[0]["DesiredCount"] == "0"
    with pytest.raises(ValueError, match="Bots"):
        ecs(Bots="2")


def test_the_memory_outlives_the_task_where_the_bot_alone_reads_it():
    stack = ecs()
    (task,) = stack.of_type("AWS::ECS::TaskDefinition")
    (policy,) = stack.of_type("AWS::S3::BucketPolicy")
    (variable,) = task["ContainerDefinitions"][0]["Environment"]
    statements = {one["Sid"]: one for one in policy["PolicyDocument"]["Statement"]}

    assert variable == {"Name": LITESTREAM, "Value": "s3://stack-Memory/lamplighter"}
    assert statements["Replica"]["Resource"] == "arn:aws:s3:::stack-Memory/lamplighter/*"
    allowed = [one["Principal"] for one in statements.values() if one["Effect"] == "Allow"]
    assert allowed == [{"AWS": task["TaskRoleArn"]}] * 2
    assert stack.template["Resources"]["Memory"]["DeletionPolicy"] == "Retain"

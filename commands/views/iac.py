"""The lines that turn tracing on in the language of each tool. Every name is escaped for the language that it is in."""

import json
import re

from storage.models import XRAY_WRITE_POLICY

# Where a name is not known, whoever reads the patch knows which resource is meant.
PLACEHOLDER = "YourFunction"
POLICY_NAME = "send-traces-to-x-ray"
_NAME_MOST = 255
_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_PLAIN_YAML = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def one_line(text: str) -> str:
    """What can stand in a comment of any language: no line breaks, no control or direction marks."""
    return "".join(char if char.isprintable() else " " for char in text)[:_NAME_MOST]


def yaml_name(text: str) -> str:
    """As a key or a value."""
    shown = one_line(text)
    if _PLAIN_YAML.fullmatch(shown) and shown.lower() not in _YAML_WORDS:
        return shown
    return json.dumps(shown, ensure_ascii=False)


def hcl_text(text: str) -> str:
    """A quoted template, in which `${` and `%{` mean nothing."""
    quoted = json.dumps(one_line(text), ensure_ascii=False)
    return quoted.replace("${", "$${").replace("%{", "%%{")


def hcl_label(text: str) -> str:
    """An identifier that is made from a function's name."""
    label = re.sub(r"[^A-Za-z0-9]+", "_", one_line(text)).strip("_").lower()
    return label if label[:1].isalpha() else f"function_{label}".rstrip("_")


def cloudformation(logical_id: str | None, *, role: str = "", publish: bool = False) -> str:
    """`role` is the name of one that needs the permission; `publish`: a version with the new mode, for an alias."""
    name = logical_id or PLACEHOLDER
    lines = [
        "Resources:",
        f"  {yaml_name(name)}:",
        "    Type: AWS::Lambda::Function",
        *_depends(name, role),
        "    Properties:",
        "      TracingConfig:",
        "        Mode: Active",
        *_policy_resource(name, role),
    ]
    if publish:
        lines += [
            f"  {_derived(name, 'TracedVersion')}:",
            "    Type: AWS::Lambda::Version",
            "    Properties:",
            f"      FunctionName: !Ref {yaml_name(name)}",
        ]
    return "\n".join(lines)


def sam(logical_id: str | None, *, role: str = "", alias: str = "") -> str:
    """`role` as for CloudFormation; `alias` is one that serves a version which has to be published anew."""
    name = logical_id or PLACEHOLDER
    lines = [
        "Resources:",
        f"  {yaml_name(name)}:",
        "    Type: AWS::Serverless::Function",
        *_depends(name, role),
        "    Properties:",
        "      Tracing: Active",
    ]
    if alias:
        lines += [f"      AutoPublishAlias: {yaml_name(alias)}", "      AutoPublishAliasAllProperties: true"]
    return "\n".join([*lines, *_policy_resource(name, role)])


def cdk_typescript(logical_id: str | None) -> str:
    return f"// {_construct(logical_id)}\ntracing: lambda.Tracing.ACTIVE,"


def cdk_python(logical_id: str | None) -> str:
    return f"# {_construct(logical_id)}\ntracing=lambda_.Tracing.ACTIVE,"


def serverless_service() -> str:
    return "provider:\n  tracing:\n    lambda: true"


def serverless_function(key: str) -> str:
    return f"functions:\n  {yaml_name(key)}:\n    tracing: Active"


def terraform(name: str, *, partition: str, role: str = "", inline: bool = False, publish: bool = False) -> str:
    """`inline`: the role has no room for another managed policy."""
    label = hcl_label(name)
    kind = "aws_iam_role_policy" if inline else "aws_iam_role_policy_attachment"
    lines = [
        f'resource "aws_lambda_function" "{label}" {{',
        f"  # add to {one_line(name)}:",
        *(["  publish = true"] if publish else []),
        "  tracing_config {",
        '    mode = "Active"',
        "  }",
        *([f"  depends_on = [{kind}.{label}_tracing]"] if role else []),
        "}",
    ]
    if role:
        lines += ["", f'resource "{kind}" "{label}_tracing" {{', *_terraform_role(role, partition, inline), "}"]
    return "\n".join(lines)


def _policy_arn(partition: str) -> str:
    return f"arn:{partition}:iam::aws:policy/{XRAY_WRITE_POLICY}"


def _terraform_role(role: str, partition: str, inline: bool) -> list[str]:
    if not inline:
        return [f"  role       = {hcl_text(role)}", f"  policy_arn = {hcl_text(_policy_arn(partition))}"]
    actions = ", ".join(f'"{action}"' for action in _ACTIONS)
    return [
        f"  role = {hcl_text(role)}",
        f'  name = "{POLICY_NAME}"',
        "  policy = jsonencode({",
        '    Version   = "2012-10-17"',
        f'    Statement = [{{ Effect = "Allow", Action = [{actions}], Resource = "*" }}]',
        "  })",
    ]


def _construct(logical_id: str | None) -> str:
    which = f"whose logical id is {one_line(logical_id)}" if logical_id else "of the function"
    return f"in the construct {which}"


def _derived(name: str, ending: str) -> str:
    """A logical id of its own beside the function's: letters and digits only."""
    return (re.sub(r"[^A-Za-z0-9]", "", name)[: _NAME_MOST - len(ending)] or PLACEHOLDER) + ending


def _depends(name: str, role: str) -> list[str]:
    # Lambda refuses Active as long as the role may not send traces, so that the policy comes first.
    return [f"    DependsOn: {_derived(name, 'Tracing')}"] if role else []


def _policy_resource(name: str, role: str) -> list[str]:
    """By the role's name, for the role's own logical id is not known."""
    if not role:
        return []
    return [
        f"  {_derived(name, 'Tracing')}:",
        "    Type: AWS::IAM::Policy",
        "    Properties:",
        f"      PolicyName: {POLICY_NAME}",
        "      Roles:",
        f"        - {yaml_name(role)}",
        "      PolicyDocument:",
        '        Version: "2012-10-17"',
        "        Statement:",
        "          - Effect: Allow",
        "            Action:",
        *(f"              - {action}" for action in _ACTIONS),
        '            Resource: "*"',
    ]

"""Shapes that public templates have and that are easily taken for something else, composed as small as they go."""

from tests.commands.iac.cases import PROVIDER, cfn, sls
from tests.commands.iac.terraform_cases import TRACING, dynamic, tf

GLOBALS = "Globals: {Function: {Tracing: Active}}"
INCLUDE = "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://a/b}}}"
LANE = 'variable "lane" {\n  default = "prod"\n}\n'
ON = 'variable "on" {\n  default = true\n}\n'
KEPT = TRACING % '"Active"' + "\n  lifecycle {\n    ignore_changes = %s\n  }"
MODULE = 'module "m" {\n  source       = "terraform-aws-modules/lambda/aws"\n  tracing_mode = "Active"\n}\n'
XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"


def function(attribute: str, head: str = "", properties: str = "{Handler: a.b}") -> dict[str, str]:
    """A function of SAM with an attribute beside its properties."""
    text = f"Transform: AWS::Serverless-2016-10-31\n{head}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
    return {"t.yaml": f"{text}    {attribute}\n    Properties: {properties}\n"}


def called(mode: str, many: str) -> dict[str, str]:
    """A module that is called for each of many."""
    inside = 'variable "mode" {\n  default = "PassThrough"\n}\n' + tf(TRACING % "var.mode")["main.tf"]
    return {
        "main.tf": f'module "m" {{\n  source   = "./m"\n  for_each = {many}\n  mode     = {mode}\n}}\n',
        "m/main.tf": inside,
    }


WILD = {
    "SAM: a function that takes nothing from Globals": (function("IgnoreGlobals: '*'", GLOBALS), "fail"),
    "SAM: a function that does not take tracing from Globals": (function("IgnoreGlobals: [Tracing]", GLOBALS), "fail"),
    "SAM: a function that takes only another word not": (function("IgnoreGlobals: [Timeout]", GLOBALS), "pass"),
    "SAM: what it takes from Globals is computed": (function("IgnoreGlobals: !Ref X", GLOBALS), "unknown"),
    "SAM: own tracing beside that": (function("IgnoreGlobals: '*'", GLOBALS, "{Tracing: Active}"), "pass"),
    "SAM: Globals from elsewhere": (function("Condition: C", f"Globals: {INCLUDE}"), "unknown"),
    "SAM: the functions' Globals from elsewhere": (
        function("Condition: C", f"Globals: {{Function: {INCLUDE}}}"),
        "unknown",
    ),
    "SAM: Globals from elsewhere, and own tracing": (
        function("Condition: C", f"Globals: {INCLUDE}", "{Tracing: Active}"),
        "pass",
    ),
    "CloudFormation: no mode behind the key": (cfn("TracingConfig:\n  Mode:"), "fail"),
    "CloudFormation: a line's end within a text of JSON": (
        {
            "t.template": '{"Description": "long\n\twords",\n"Resources": {"F": {"Type": "AWS::Lambda::Function",\n'
            '"Properties": {"TracingConfig": {"Mode": "Active"}}}}}\n'
        },
        "pass",
    ),
    "CloudFormation: resources that are merged": (
        {
            "t.yaml": "x: &x\n  F: {Type: AWS::Lambda::Function, Properties: {}}\n"
            "Resources:\n  <<: *x\n  B: {Type: AWS::S3::Bucket}\n"
        },
        "fail",
    ),
    "Serverless: functions that are merged": (
        {"serverless.yml": f"service: a\n{PROVIDER}x: &x\n  f: {{handler: a.b}}\nfunctions:\n  <<: *x\n"},
        "fail",
    ),
    "Serverless: a stage that has no entry takes the fallback": (
        sls(
            "custom: {on: {prod: true}}\n"
            + PROVIDER
            + "  tracing: {lambda: \"${self:custom.on.${opt:stage, 'prod'}, false}\"}"
        ),
        "unknown",
    ),
    "Serverless: a fallback that is on too": (
        sls(
            "custom: {on: {prod: true}}\n"
            + PROVIDER
            + "  tracing: {lambda: \"${self:custom.on.${opt:stage, 'prod'}, true}\"}"
        ),
        "pass",
    ),
    "Serverless: the stage by way of a name of one's own": (
        sls(
            "custom:\n  stage: ${opt:stage, self:provider.stage}\n  on: {dev: false, prod: true}\n"
            + PROVIDER
            + "  stage: dev\n  tracing: {lambda: '${self:custom.on.${self:custom.stage}}'}"
        ),
        "fail",
    ),
    "Serverless: the same, on by default": (
        sls(
            "custom:\n  stage: ${opt:stage, self:provider.stage}\n  on: {dev: false, prod: true}\n"
            + PROVIDER
            + "  stage: prod\n  tracing: {lambda: '${self:custom.on.${self:custom.stage}}'}"
        ),
        "unknown",
    ),
    "Serverless: an option, else a value of one's own": (
        sls("custom: {on: true, off: false}\n" + PROVIDER + "  tracing: {lambda: '${opt:tracing, self:custom.on}'}"),
        "pass",
    ),
    "Serverless: a default stage without an entry takes the fallback": (
        sls(
            "custom: {on: {prod: true, other: false}}\n"
            + PROVIDER
            + "  tracing: {lambda: \"${self:custom.on.${opt:stage, 'dev'}, self:custom.on.other}\"}"
        ),
        "fail",
    ),
    "Serverless: a value of another file": (
        {**sls(PROVIDER + "  tracing: {lambda: '${file(on.yml):on}'}"), "on.yml": "on: true\n"},
        "pass",
    ),
    "Serverless: a macro that resources name": (
        sls("resources: {Transform: Ours, Resources: {}}\n" + PROVIDER + "  tracing: {lambda: true}"),
        "unknown",
    ),
    "Serverless: a plugin that leaves tracing out by stage": (
        sls(
            "plugins: [serverless-plugin-ifelse]\ncustom:\n  serverlessIfElse:\n"
            '    - If: \'"${opt:stage}" == "dev"\'\n      Exclude: [provider.tracing]\n'
            + PROVIDER
            + "  tracing: {lambda: true}"
        ),
        "unknown",
    ),
    "Serverless: the same plugin about something else": (
        sls(
            "plugins: [serverless-plugin-ifelse]\ncustom:\n  serverlessIfElse:\n"
            '    - If: \'"${opt:stage}" == "dev"\'\n      Exclude: [provider.vpc]\n'
            + PROVIDER
            + "  tracing: {lambda: true}"
        ),
        "pass",
    ),
    "Serverless: a function with nothing in it": (
        {"serverless.yml": f"service: a\n{PROVIDER}  tracing: {{lambda: true}}\nfunctions:\n  f:\n"},
        "pass",
    ),
    "Serverless: a plugin that sets tracing": (
        sls("plugins: [serverless-plugin-datadog]\ncustom: {datadog: {enableXrayTracing: true}}\n" + PROVIDER),
        "unknown",
    ),
    "Serverless: the same without that setting": (sls("plugins: [serverless-plugin-datadog]\n" + PROVIDER), "fail"),
    "Serverless: a service that a component makes": (
        {"serverless.yml": "service: a\napp:\n  extension: serverless/cdk@latest\n"},
        "unknown",
    ),
    "Serverless: functions without a provider": (
        {"serverless.yaml": "functions:\n  f: {handler: a.b, tracing: Active}\n"},
        "unknown",
    ),
    "Serverless: a service that is one component": (
        {"serverless.yml": "component: express\nname: a\ninputs: {src: ./}\n"},
        "unknown",
    ),
    "Terraform: kept, in quotes": (tf(KEPT % '["tracing_config"]'), "unknown"),
    "Terraform: all kept, in quotes": (tf(KEPT % '["*"]'), "unknown"),
    "Terraform: something else kept, in quotes": (tf(KEPT % '["tags"]'), "pass"),
    "Terraform: looked up by a default": (
        tf(TRACING % 'lookup({ dev = "PassThrough", prod = "Active" }, var.lane, "Active")', LANE),
        "unknown",
    ),
    "Terraform: looked up by a default, with another fallback": (
        tf(TRACING % 'lookup({ prod = "Active" }, var.lane, "PassThrough")', LANE),
        "unknown",
    ),
    "Terraform: looked up by a default, all the same": (
        tf(TRACING % 'lookup({ dev = "Active", prod = "Active" }, var.lane, "Active")', LANE),
        "pass",
    ),
    "Terraform: looked up by a default that is off": (
        tf(TRACING % 'lookup({ dev = "Active", prod = "PassThrough" }, var.lane, "Active")', LANE),
        "fail",
    ),
    "Terraform: an entry by a default": (
        tf(TRACING % "local.modes[var.lane]", LANE + 'locals {\n  modes = { dev = "PassThrough", prod = "Active" }\n}'),
        "unknown",
    ),
    "Terraform: an entry by a default that is off": (
        tf(TRACING % "local.modes[var.lane]", LANE + 'locals {\n  modes = { dev = "Active", prod = "PassThrough" }\n}'),
        "fail",
    ),
    "Terraform: an entry, all of them on": (
        tf(
            TRACING % "local.modes[var.lane]",
            'variable "lane" {}\nlocals {\n  modes = { a = "Active", b = "Active" }\n}',
        ),
        "pass",
    ),
    "Terraform: an entry of a map that may be another": (
        tf(TRACING % "var.modes[var.lane]", LANE + 'variable "modes" {\n  default = { prod = "Active" }\n}'),
        "pass",
    ),
    "Terraform: an entry within a lookup": (
        tf(TRACING % 'coalesce(lookup({ dev = "PassThrough", prod = "Active" }, var.lane, null), "Active")', LANE),
        "unknown",
    ),
    "Terraform: there by a default": (tf(dynamic('var.on ? ["Active"] : []', "tracing_config.value"), ON), "unknown"),
    "Terraform: a mode that is its own switch": (
        tf(
            dynamic("var.mode != null ? [var.mode] : []", "tracing_config.value"),
            'variable "mode" {\n  default = "Active"\n}',
        ),
        "pass",
    ),
    "Terraform: a heredoc with blanks behind its end": (
        tf(TRACING % '"Active"', 'locals {\n  text = <<EOT\n{ "a": 1 }\nEOT  \n}'),
        "pass",
    ),
    "Terraform: the role in quotes": (
        tf(
            '  role = "${aws_iam_role.r.arn}"\n' + TRACING % '"Active"',
            'resource "aws_iam_role" "r" {\n  assume_role_policy = "{}"\n}',
        ),
        "fail",
    ),
    "Terraform: a module's role that gets no policy": ({"main.tf": MODULE}, "fail"),
    "Terraform: a module's role that gets a policy beside it": (
        {
            "main.tf": MODULE + 'resource "aws_iam_role_policy_attachment" "x" {\n'
            f'  role       = module.m.lambda_role_name\n  policy_arn = "{XRAY}"\n}}\n'
        },
        "pass",
    ),
    "Terraform: a module's role that something else of it uses": (
        {"main.tf": MODULE + 'output "arn" {\n  value = module.m.lambda_function_arn\n}\n'},
        "fail",
    ),
    "Terraform: a module of which one instance is off": (
        called("each.value", '{ a = "Active", b = "PassThrough" }'),
        "fail",
    ),
    "Terraform: a module of which one instance says nothing": (
        called('lookup(each.value, "mode", null)', '{ a = { mode = "Active" }, b = {} }'),
        "fail",
    ),
    "Terraform: a module of which all instances are on": (
        called("each.value", '{ a = "Active", b = "Active" }'),
        "pass",
    ),
    "Terraform: a module of which one instance is not known": (
        called("each.value", '{ a = "Active", b = var.x }'),
        "unknown",
    ),
    "Terraform: an argument where a block belongs": (tf('  tracing_config = { mode = "Active" }'), "unknown"),
    "Terraform: a module that cannot be read": (
        {
            "main.tf": 'module "m" {\n  source = "./m"\n}\n',
            "m/main.tf": 'resource "aws_lambda_function" "f" {\n  a = = 1\n}\n',
        },
        "unknown",
    ),
    "Terraform: a module whose folder has no code": (
        {"main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/README.md": "Moved.\n"},
        "unknown",
    ),
}

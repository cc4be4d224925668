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
    "Serverless: a service that is one component": (
        {"serverless.yml": "component: express\nname: a\ninputs: {src: ./}\n"},
        "unknown",
    ),
}

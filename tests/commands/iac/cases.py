"""Files shaped like those of real repositories, and what has to be said of each function in them."""

ROLE = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
"""


def cfn(properties: str, head: str = "", more: str = "") -> dict[str, str]:
    """A template with one function F, whose properties are given; `more` are further resources."""
    body = "\n".join(f"      {line}" for line in properties.strip("\n").splitlines())
    text = f"AWSTemplateFormatVersion: '2010-09-09'\n{head}\nResources:\n  F:\n    Type: AWS::Lambda::Function\n"
    return {"template.yaml": f"{text}    Properties:\n      Handler: a.b\n{body}\n{more}"}


def sam(properties: str, head: str = "", kind: str = "Serverless") -> dict[str, str]:
    body = "\n".join(f"      {line}" for line in properties.strip("\n").splitlines())
    return {
        "template.yml": f"Transform: AWS::Serverless-2016-10-31\n{head}\nResources:\n  F:\n"
        f"    Type: AWS::{kind}::Function\n    Properties:\n      Handler: a.b\n{body}\n"
    }


def sls(text: str, function: str = "", name: str = "serverless.yml") -> dict[str, str]:
    return {name: f"service: shop\n{text}\nfunctions:\n  f:\n    handler: a.b\n{function}\n"}


PROVIDER = "provider:\n  name: aws\n  runtime: python3.12\n"
MODE = "TracingConfig: {Mode: %s}"
STAGE = "Parameters: {Stage: {Type: String, Default: %s}}\nConditions: {Live: !Equals [!Ref Stage, prod]}"

CLOUDFORMATION = {
    "active": (cfn(MODE % "Active"), "pass"),
    "quoted": (cfn("TracingConfig:\n  Mode: 'Active'"), "pass"),
    "pass-through": (cfn(MODE % "PassThrough"), "fail"),
    "other case": (cfn(MODE % "active"), "fail"),
    "absent": (cfn(""), "fail"),
    "config without mode": (cfn("TracingConfig: {}"), "fail"),
    "no value": (cfn("TracingConfig: !Ref AWS::NoValue"), "fail"),
    "image": (cfn("PackageType: Image\nCode: {ImageUri: x}"), "fail"),
    "parameter with default": (cfn(MODE % "!Ref M", "Parameters: {M: {Type: String, Default: Active}}"), "pass"),
    "parameter that is off": (cfn(MODE % "!Ref M", "Parameters: {M: {Type: String, Default: PassThrough}}"), "fail"),
    "parameter without default": (cfn(MODE % "!Ref M", "Parameters: {M: {Type: String}}"), "unknown"),
    "parameter with one value": (
        cfn(MODE % "!Ref M", "Parameters: {M: {Type: String, AllowedValues: [Active]}}"),
        "pass",
    ),
    "parameter store": (
        cfn(MODE % "!Ref M", "Parameters: {M: {Type: 'AWS::SSM::Parameter::Value<String>', Default: Active}}"),
        "unknown",
    ),
    "sub of a parameter": (cfn(MODE % "!Sub '${M}'", "Parameters: {M: {Type: String, Default: Active}}"), "pass"),
    "either is active": (cfn(MODE % "!If [Live, Active, Active]", STAGE % "dev"), "pass"),
    "off by default": (cfn(MODE % "!If [Live, Active, PassThrough]", STAGE % "dev"), "fail"),
    "on by default only": (cfn(MODE % "!If [Live, Active, PassThrough]", STAGE % "prod"), "unknown"),
    "neither": (cfn(MODE % "!If [Live, PassThrough, !Ref AWS::NoValue]", STAGE % "prod"), "fail"),
    "config under a condition": (
        cfn("TracingConfig: !If [Live, {Mode: Active}, !Ref AWS::NoValue]", STAGE % "dev"),
        "fail",
    ),
    "region decides": (
        cfn(MODE % "!If [Us, Active, PassThrough]", "Conditions: {Us: !Equals [!Ref AWS::Region, us-east-1]}"),
        "unknown",
    ),
    "always true": (cfn(MODE % "!If [C, Active, PassThrough]", "Conditions: {C: !Equals [a, a]}"), "pass"),
    "not and or": (
        cfn(MODE % "!If [C, PassThrough, Active]", "Conditions: {C: !Not [!Or [!Equals [a, a], !Equals [b, c]]]}"),
        "pass",
    ),
    "mapping": (
        cfn(MODE % "!FindInMap [M, prod, T]", "Mappings: {M: {prod: {T: Active}, dev: {T: PassThrough}}}"),
        "pass",
    ),
    "mapping by region": (
        cfn(MODE % "!FindInMap [M, !Ref AWS::Region, T]", "Mappings: {M: {a: {T: Active}, b: {T: PassThrough}}}"),
        "unknown",
    ),
    "mapping by region, all active": (
        cfn(MODE % "!FindInMap [M, !Ref AWS::Region, T]", "Mappings: {M: {a: {T: Active}, b: {T: Active}}}"),
        "pass",
    ),
    "mapping by stage": (
        cfn(
            MODE % "!FindInMap [M, !Ref Stage, T]",
            STAGE % "dev" + "\nMappings: {M: {dev: {T: PassThrough}, prod: {T: Active}}}",
        ),
        "fail",
    ),
    "dynamic reference": (cfn(MODE % "'{{resolve:ssm:/mode}}'"), "unknown"),
    "import": (cfn(MODE % "!ImportValue mode"), "unknown"),
    "include": (
        cfn("Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://a/b}}\n" + MODE % "Active"),
        "unknown",
    ),
    "macro": (cfn(MODE % "Active", "Transform: [Ours]"), "unknown"),
    "language extensions": (cfn(MODE % "Active", "Transform: AWS::LanguageExtensions"), "pass"),
    "an anchor": (cfn("TracingConfig: &on {Mode: Active}"), "pass"),
    "role that may": (
        cfn(
            "Role: !GetAtt Role.Arn\n" + MODE % "Active",
            more=ROLE
            + "      ManagedPolicyArns: [!Sub 'arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess']\n",
        ),
        "pass",
    ),
    "role that may not": (cfn("Role: !GetAtt Role.Arn\n" + MODE % "Active", more=ROLE), "fail"),
    "role with a policy beside it": (
        cfn(
            "Role: !GetAtt [Role, Arn]\n" + MODE % "Active",
            more=ROLE + "  P:\n    Type: AWS::IAM::Policy\n    Properties:\n      Roles: [!Ref Role]\n"
            "      PolicyDocument: {Statement: [{Effect: Allow, Action: 'xray:*', Resource: '*'}]}\n",
        ),
        "pass",
    ),
    "policy on a resource": (
        cfn(
            "Role: !GetAtt Role.Arn\n" + MODE % "Active",
            more=ROLE + "      Policies:\n        - PolicyName: p\n          PolicyDocument:\n            Statement:\n"
            "              - {Effect: Allow, Action: 'xray:PutTraceSegments', Resource: 'arn:aws:xray:::x'}\n",
        ),
        "fail",
    ),
    "role with a managed policy that is not known": (
        cfn(
            "Role: !GetAtt Role.Arn\n" + MODE % "Active",
            more=ROLE + "      ManagedPolicyArns: ['arn:aws:iam::111122223333:policy/AWSXRayDaemonWriteAccess']\n",
        ),
        "pass",
    ),
    "role at the edge": (
        cfn(
            "Role: !GetAtt Role.Arn",
            more=ROLE.replace("Service: lambda.", "Service: [lambda.amazonaws.com, edgelambda.").replace(
                "edgelambda.amazonaws.com", "edgelambda.amazonaws.com]"
            ),
        ),
        "not_applicable",
    ),
    "distribution": (
        cfn(
            "",
            more="  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref F}}\n"
            "  D:\n    Type: AWS::CloudFront::Distribution\n    Properties:\n      DistributionConfig:\n"
            "        DefaultCacheBehavior:\n          LambdaFunctionAssociations:\n"
            "            - {EventType: viewer-request, LambdaFunctionARN: !Ref V}\n",
        ),
        "not_applicable",
    ),
}

SAM = {
    "active": (sam("Tracing: Active"), "pass"),
    "absent": (sam(""), "fail"),
    "disabled": (sam("Tracing: Disabled"), "fail"),
    "pass-through": (sam("Tracing: PassThrough"), "fail"),
    "globals": (sam("", "Globals: {Function: {Tracing: Active}}"), "pass"),
    "globals off": (sam("", "Globals: {Function: {Tracing: PassThrough}}"), "fail"),
    "own beats globals": (sam("Tracing: PassThrough", "Globals: {Function: {Tracing: Active}}"), "fail"),
    "own beats globals, on": (sam("Tracing: Active", "Globals: {Function: {Tracing: Disabled}}"), "pass"),
    "globals of the API": (sam("", "Globals: {Api: {TracingEnabled: true}}"), "fail"),
    "globals are not for plain functions": (sam("", "Globals: {Function: {Tracing: Active}}", "Lambda"), "fail"),
    "plain words of the other": (sam("TracingConfig: {Mode: Active}"), "fail"),
    "taken away": (sam("Tracing: !Ref AWS::NoValue", "Globals: {Function: {Tracing: Active}}"), "unknown"),
    "parameter": (
        sam(
            "Tracing: !Ref T", "Parameters: {T: {Type: String, Default: Active, AllowedValues: [Active, PassThrough]}}"
        ),
        "pass",
    ),
    "globals by condition": (
        sam("", STAGE % "prod" + "\nGlobals: {Function: {Tracing: !If [Live, Active, PassThrough]}}"),
        "unknown",
    ),
}

SERVERLESS = {
    "true": (sls(PROVIDER + "  tracing:\n    lambda: true"), "pass"),
    "Active": (sls(PROVIDER + "  tracing: {lambda: Active}"), "pass"),
    "PassThrough": (sls(PROVIDER + "  tracing: {lambda: PassThrough}"), "fail"),
    "false": (sls(PROVIDER + "  tracing: {lambda: false}"), "fail"),
    "absent": (sls(PROVIDER), "fail"),
    "API alone": (sls(PROVIDER + "  tracing: {apiGateway: true}"), "fail"),
    "true for all": (sls(PROVIDER + "  tracing: true"), "fail"),
    "own": (sls(PROVIDER, "    tracing: Active"), "pass"),
    "own off": (sls(PROVIDER + "  tracing: {lambda: true}", "    tracing: PassThrough"), "fail"),
    "own false": (sls(PROVIDER + "  tracing: {lambda: true}", "    tracing: false"), "unknown"),
    "self": (sls("custom: {on: true}\n" + PROVIDER + "  tracing: {lambda: '${self:custom.on}'}"), "pass"),
    "option with default": (sls(PROVIDER + "  tracing: {lambda: \"${opt:tracing, 'Active'}\"}"), "pass"),
    "option without": (sls(PROVIDER + "  tracing: {lambda: '${opt:tracing}'}"), "unknown"),
    "environment off": (sls(PROVIDER + "  tracing: {lambda: '${env:T, false}'}"), "fail"),
    "file": (sls(PROVIDER + "  tracing: '${file(tracing.yml)}'"), "unknown"),
    "parameter store": (sls(PROVIDER + "  tracing: {lambda: '${ssm:/tracing}'}"), "unknown"),
    "by stage, on by default": (
        sls(
            "custom: {on: {dev: true, prod: false}}\n"
            + PROVIDER
            + "  tracing: {lambda: \"${self:custom.on.${opt:stage, 'dev'}}\"}"
        ),
        "unknown",
    ),
    "by stage, all on": (
        sls(
            "custom: {on: {dev: true, prod: true}}\n"
            + PROVIDER
            + "  tracing: {lambda: \"${self:custom.on.${opt:stage, 'dev'}}\"}"
        ),
        "pass",
    ),
    "by stage, off by default": (
        sls(
            "custom: {on: {dev: false, prod: true}}\n"
            + PROVIDER
            + "  tracing: {lambda: '${self:custom.on.${sls:stage}}'}"
        ),
        "fail",
    ),
    "resources override": (
        sls(
            PROVIDER,
            "resources:\n  extensions:\n    FLambdaFunction:\n      Properties:\n        TracingConfig: {Mode: Active}",
        ),
        "pass",
    ),
    "edge": (sls(PROVIDER, "    events:\n      - cloudFront: {eventType: viewer-request}"), "not_applicable"),
}

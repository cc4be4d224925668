"""Terraform shaped like that of real repositories, and what has to be said of the function in it."""

F_TF = "aws_lambda_function.f"


def tf(body: str, more: str = "") -> dict[str, str]:
    return {"main.tf": f'resource "aws_lambda_function" "f" {{\n  function_name = "f"\n{body}\n}}\n{more}\n'}


def dynamic(many: str, mode: str) -> str:
    return f'  dynamic "tracing_config" {{\n    for_each = {many}\n    content {{\n      mode = {mode}\n    }}\n  }}'


TRACING = "  tracing_config {\n    mode = %s\n  }"
BY_DEFAULT = 'variable "mode" {\n  default = "Active"\n}'
FOR_EACH = "  for_each = var.many\n"
TERRAFORM = {
    "active": (tf(TRACING % '"Active"'), "pass"),
    "pass-through": (tf(TRACING % '"PassThrough"'), "fail"),
    "absent": (tf('  package_type = "Image"'), "fail"),
    "variable": (tf(TRACING % "var.mode", 'variable "mode" {\n  default = "Active"\n}'), "pass"),
    "variable off": (tf(TRACING % "var.mode", 'variable "mode" {\n  default = "PassThrough"\n}'), "fail"),
    "variable that is not known": (tf(TRACING % "var.mode", 'variable "mode" {}'), "unknown"),
    "values beside it": (
        {**tf(TRACING % "var.mode", 'variable "mode" {}'), "terraform.tfvars": 'mode = "Active"\n'},
        "pass",
    ),
    "values beside it beat defaults": (
        {
            **tf(TRACING % "var.mode", 'variable "mode" {\n  default = "Active"\n}'),
            "x.auto.tfvars": 'mode = "PassThrough"\n',
        },
        "fail",
    ),
    "values that may be given": (
        {
            **tf(TRACING % "var.mode", 'variable "mode" {\n  default = "Active"\n}'),
            "envs/dev.tfvars": 'mode = "PassThrough"\n',
        },
        "unknown",
    ),
    "local": (tf(TRACING % "local.mode", 'locals {\n  mode = "Active"\n}'), "pass"),
    "either by default": (
        tf(TRACING % 'var.on ? "Active" : "PassThrough"', 'variable "on" {\n  default = true\n}'),
        "unknown",
    ),
    "either, off by default": (
        tf(TRACING % 'var.on ? "Active" : "PassThrough"', 'variable "on" {\n  default = false\n}'),
        "fail",
    ),
    "either way": (tf(TRACING % 'var.on ? "Active" : "Active"', 'variable "on" {}'), "pass"),
    "lookup": (
        tf(TRACING % 'lookup(local.modes, "prod", "PassThrough")', 'locals {\n  modes = { prod = "Active" }\n}'),
        "pass",
    ),
    "data": (tf(TRACING % "data.aws_ssm_parameter.m.value"), "unknown"),
    "dynamic": (
        tf('  dynamic "tracing_config" {\n    for_each = [1]\n    content {\n      mode = "Active"\n    }\n  }'),
        "pass",
    ),
    "dynamic without any": (
        tf('  dynamic "tracing_config" {\n    for_each = []\n    content {\n      mode = "Active"\n    }\n  }'),
        "fail",
    ),
    "dynamic of a variable": (
        tf(
            '  dynamic "tracing_config" {\n    for_each = var.mode == null ? [] : [var.mode]\n'
            "    content {\n      mode = tracing_config.value\n    }\n  }",
            'variable "mode" {\n  default = null\n}',
        ),
        "fail",
    ),
    "dynamic of what is not known": (
        tf(
            '  dynamic "tracing_config" {\n    for_each = var.x\n    content {\n      mode = "Active"\n    }\n  }',
            'variable "x" {}',
        ),
        "unknown",
    ),
    "each": (
        tf('  for_each = { a = "Active", b = "PassThrough" }\n' + TRACING % "each.value"),
        "fail",
    ),
    "each is active": (tf('  for_each = toset(["a", "b"])\n' + TRACING % '"Active"'), "pass"),
    "old mode is kept": (
        tf(TRACING % '"Active"' + "\n  lifecycle {\n    ignore_changes = [tracing_config]\n  }"),
        "unknown",
    ),
    "role that may not": (
        tf("  role = aws_iam_role.r.arn\n" + TRACING % '"Active"', 'resource "aws_iam_role" "r" {\n  name = "r"\n}'),
        "fail",
    ),
    "role with an attachment": (
        tf(
            "  role = aws_iam_role.r.arn\n" + TRACING % '"Active"',
            'resource "aws_iam_role" "r" {\n  name = "r"\n}\nresource "aws_iam_role_policy_attachment" "x" {\n'
            '  role = aws_iam_role.r.name\n  policy_arn = "arn:${data.aws_partition.p.partition}:iam::aws:policy/'
            'AWSXRayDaemonWriteAccess"\n}\ndata "aws_partition" "p" {}',
        ),
        "pass",
    ),
    "role with a document": (
        tf(
            "  role = aws_iam_role.r.arn\n" + TRACING % '"Active"',
            'resource "aws_iam_role" "r" {\n  name = "r"\n}\nresource "aws_iam_role_policy" "x" {\n'
            "  role = aws_iam_role.r.id\n  policy = data.aws_iam_policy_document.d.json\n}\n"
            'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["xray:Put*"]\n'
            '    resources = ["*"]\n  }\n}',
        ),
        "pass",
    ),
    "role with logs alone": (
        tf(
            "  role = aws_iam_role.r.arn\n" + TRACING % '"Active"',
            'resource "aws_iam_role" "r" {\n  name = "r"\n}\nresource "aws_iam_role_policy" "x" {\n'
            "  role = aws_iam_role.r.id\n"
            '  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = ["logs:*"], Resource = "*" }] })\n}',
        ),
        "fail",
    ),
    "distribution": (
        tf(
            "  publish = true",
            'resource "aws_cloudfront_distribution" "d" {\n  default_cache_behavior {\n'
            '    lambda_function_association {\n      event_type = "viewer-request"\n'
            "      lambda_arn = aws_lambda_function.f.qualified_arn\n    }\n  }\n}",
        ),
        "not_applicable",
    ),
    "dynamic of an object": (
        tf(
            dynamic("var.tracing == null ? [] : [var.tracing]", 'tracing_config.value["mode"]'),
            'variable "tracing" {\n  default = { mode = "Active" }\n}',
        ),
        "pass",
    ),
    "dynamic of an object that is not there": (
        tf(
            dynamic("var.tracing != null ? [1] : []", "var.tracing.mode"),
            'variable "tracing" {\n  default = null\n}',
        ),
        "fail",
    ),
    "dynamic of a text": (
        tf(
            dynamic('var.mode == "" || var.mode == null ? [] : [1]', "var.mode"),
            'variable "mode" {\n  default = "PassThrough"\n}',
        ),
        "fail",
    ),
    "dynamic behind a switch": (
        tf(dynamic("var.on ? [1] : []", '"Active"'), 'variable "on" {\n  default = true\n}'),
        "unknown",
    ),
    "values in JSON": (
        {**tf(TRACING % "var.mode", BY_DEFAULT), "terraform.tfvars.json": '{"mode": "PassThrough"}'},
        "fail",
    ),
    "values in JSON that cannot be read": (
        {**tf(TRACING % "var.mode", BY_DEFAULT), "terraform.tfvars.json": "{"},
        "unknown",
    ),
    "values that are loaded later win": (
        {
            **tf(TRACING % "var.mode", BY_DEFAULT),
            "terraform.tfvars": 'mode = "Active"\n',
            "common.auto.tfvars": 'mode = "PassThrough"\n',
        },
        "fail",
    ),
    "values of a folder beside it": (
        {
            "code/main.tf": tf(TRACING % "var.mode", BY_DEFAULT)["main.tf"],
            "environments/dev.tfvars": 'mode = "PassThrough"\n',
        },
        "unknown",
    ),
    "values of Terragrunt": (
        {
            "modules/f/main.tf": tf(TRACING % "var.mode", BY_DEFAULT)["main.tf"],
            "live/terragrunt.hcl": 'terraform {\n  source = "${get_repo_root()}//modules/f"\n}\n'
            'inputs = {\n  mode = "PassThrough"\n}\n',
        },
        "unknown",
    ),
    "an attribute that the type makes null": (
        {
            **tf(
                FOR_EACH + TRACING % 'try(each.value.mode, "Active")',
                'variable "many" {\n  type = map(object({ mode = optional(string) }))\n}',
            ),
            "terraform.tfvars": "many = { a = {} }\n",
        },
        "fail",
    ),
    "an attribute that the type drops": (
        {
            **tf(
                FOR_EACH + TRACING % 'lookup(each.value, "mode", "PassThrough")',
                'variable "many" {\n  type = map(object({ name = string }))\n}',
            ),
            "terraform.tfvars": 'many = { a = { name = "x", mode = "Active" } }\n',
        },
        "fail",
    ),
    "an attribute that the type fills in": (
        {
            **tf(
                FOR_EACH + TRACING % "each.value.mode",
                'variable "many" {\n  type = map(object({ mode = optional(string, "Active") }))\n}',
            ),
            "terraform.tfvars": "many = { a = {} }\n",
        },
        "pass",
    ),
    "a mode within settings that are left out": (
        tf(
            dynamic("var.tracing.mode != null ? [true] : []", "var.tracing.mode"),
            'variable "tracing" {\n  type = object({ mode = optional(string, null) })\n  default = {}\n}',
        ),
        "fail",
    ),
    "dynamic behind a switch that is off": (
        tf(dynamic("var.on ? [1] : []", '"Active"'), 'variable "on" {\n  default = false\n}'),
        "fail",
    ),
}

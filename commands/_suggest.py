"""Which functions are likely to be exempt, and why: a sentence for people to decide on. Nothing is granted by it. Pure.

AWS and its tools give the functions that they make names, handlers and logical ids of their own. A function of
somebody's may bear such a name too, which is why this is a suggestion.
"""

import re
from fnmatch import fnmatchcase

from storage.models import CheckName, Function, Manager

# The one that Control Tower puts in every account is aws-controltower-NotificationForwarder.
# https://docs.aws.amazon.com/controltower/latest/userguide/shared-account-resources.html
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Canaries_deletion.html
_NAMES = (
    ("aws-controltower-*", "AWS Control Tower made it and looks after it."),
    ("StackSet-AWSControlTower*", "AWS Control Tower seems to have made it."),  # UNCONFIRMED for functions
    ("cwsyn-*", "It runs a CloudWatch Synthetics canary, which has a tracing setting of its own."),
    ("amplify-login-*", "AWS Amplify seems to have made it."),  # UNCONFIRMED
    ("AWS-QuickSetup-*", "AWS Systems Manager Quick Setup seems to have made it."),  # UNCONFIRMED
    ("awsconfigconforms-*", "A conformance pack of AWS Config seems to have made it."),  # UNCONFIRMED
)

# What the CDK puts beside an application to deploy it: the provider framework's handlers, the entry point of its own
# providers, and ids that stay the same in every stack. Those of `aws-cdk-lib`, as in its snapshots of 2026.
_CDK_HANDLERS = ("framework.onEvent", "framework.isComplete", "framework.onTimeout", "__entrypoint__.handler")
_CDK_IDS = re.compile(
    r"AWS679f53fac002430cb0da5b7982bd2287.*"  # AwsCustomResource
    r"|LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a.*"
    r"|BucketNotificationsHandler050a0587b7544547bf325f094a3db834.*"
    r"|CustomCDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C.*"
    r"|Custom\w+CustomResourceProviderHandler[0-9A-F]{8}"
)
_CDK = "The AWS CDK made it for a deployment: a custom resource, which runs when a stack changes."

_AMPLIFY_IDS = ("UpdateRolesWithIDPFunction", "UserPoolClientLambda", "HostedUICustomResource")
_AMPLIFY = "AWS Amplify made it for a deployment: it runs when a stack changes."

# What Service Catalog calls the stacks of its products. UNCONFIRMED
_SERVICE_CATALOG = re.compile(r"SC-\d{12}-pp-[a-z0-9]+")


def suggestion(function: Function) -> str:
    """Why this function may well be exempt, as one sentence; "" where nothing says so."""
    for finding in function.findings:
        if finding.check is CheckName.TRACED_ELSEWHERE:
            return finding.text
    return _made_by_aws(function)


def _made_by_aws(function: Function) -> str:
    for pattern, why in _NAMES:
        if fnmatchcase(function.name, pattern):
            return why
    if function.handler in _CDK_HANDLERS or (_is_cdk(function) and _CDK_IDS.fullmatch(function.logical_id or "")):
        return _CDK
    if function.logical_id in _AMPLIFY_IDS and (function.stack or "").startswith("amplify-"):
        return _AMPLIFY
    if _SERVICE_CATALOG.fullmatch(function.stack or ""):
        return "A product of AWS Service Catalog seems to have brought it along."
    return ""


def _is_cdk(function: Function) -> bool:
    # Its ids are of CloudFormation resources; the tags do not always tell the CDK from other tools.
    return function.managed_by in (Manager.CDK, Manager.CLOUDFORMATION)

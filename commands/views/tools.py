"""The tools that deploy functions: what they are called, and what each does to a change that was made beside it."""

from storage.models import Manager

NAMES = {
    Manager.CLOUDFORMATION: "CloudFormation",
    Manager.SAM: "AWS SAM",
    Manager.CDK: "AWS CDK",
    Manager.SERVERLESS: "Serverless Framework",
}


def next_deployment(manager: Manager | None) -> str:
    """What becomes of a tracing mode that was set beside the tool, as a sentence.

    That a stack update resets what its template omits is unconfirmed, and is not promised either way. Drift:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html; `tracing_config` is
    optional and computed in Terraform's AWS provider.
    """
    if manager is None:
        return (
            "No tag names what deploys it. If it is Terraform, its next apply takes a fix from here back where the "
            "code says `PassThrough`, and keeps it where the code says nothing."
        )
    return (
        "A deployment that touches the function may take a fix from here back; that is not confirmed. "
        "The stack shows as drifted if its template says `PassThrough`, and not if it says nothing."
    )


def role_beside(manager: Manager) -> str:
    """What a policy that was attached beside the tool does to the role's own deployment.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
    """
    return f"{NAMES[manager]}, which may fail to delete the role while it has a policy from elsewhere"

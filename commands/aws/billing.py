"""Where a partition's bills are asked for, and by whom: the ambient credentials, in their own account.

That account is the payer's, or another one; Cost Explorer shows a payer its whole organization, and any other itself.
"""

from typing import TYPE_CHECKING

from commands.aws.errors import AwsProblem

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}


def region(cloud: "Cloud") -> str:
    """Of Cost Explorer and Budgets. Raises AwsProblem where a partition has neither: GovCloud's bills are kept in the
    account of the `aws` partition that it belongs to."""
    found = _REGIONS.get(cloud.partition)
    if found is None:
        words = (
            f"the partition {cloud.partition} has no Cost Explorer and no Budgets: bills are kept in another account"
        )
        raise AwsProblem("NoBilling", words, own_words=True)
    return found

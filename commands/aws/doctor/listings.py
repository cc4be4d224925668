"""What the bot's own credentials list for all accounts: their tags in the organization, functions in AWS Config."""

from typing import TYPE_CHECKING

from commands.aws import config_reads, identity
from commands.aws.doctor.words import AWS, TEMPLATES, is_refusal, outcome, reason
from commands.aws.errors import AwsProblem, Gone
from commands.aws.identity import Ambient
from commands.aws.organization import Organization
from storage.diagnosis import Diagnosis, Outcome

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.aws.wire import Wire

_QUERY = "SELECT accountId WHERE resourceType = 'AWS::Lambda::Function'"


async def organization_tags(cloud: "Cloud", wire: "Wire") -> list[Diagnosis]:
    """Of our own account: tags of accounts may name a team. IAM: organizations:ListTagsForResource."""
    what = "organizations:ListTagsForResource"
    account = await identity.home(cloud, wire)
    try:
        await Organization(wire, Ambient(cloud), cloud.home_region).tags(account)
    except Gone:
        return [Diagnosis(AWS, Outcome.OK, what, "answered")]
    except AwsProblem as problem:
        if problem.code == "AWSOrganizationsNotInUseException":
            return []
        how = f"deploy `{TEMPLATES} hub-role` anew with Organization=yes"
        lost = "; teams that tags of accounts name are not known then" if is_refusal(problem) else ""
        found = outcome(problem, Outcome.WARN)
        return [Diagnosis(AWS, found, what, f"{reason(problem)}{lost}", how, detail=str(problem))]
    return [Diagnosis(AWS, Outcome.OK, what, "answered")]


async def aggregator(cloud: "Cloud", wire: "Wire") -> list[Diagnosis]:
    """With source = "config" alone: one page of each of the audit's two questions.

    IAM: config:SelectAggregateResourceConfig, config:DescribeConfigurationAggregatorSourcesStatus.
    """
    source = cloud.settings.aggregator
    if source is None:
        return []
    region = source.region or cloud.home_region
    who = Ambient(cloud)
    pages = (
        ("config:SelectAggregateResourceConfig", config_reads.rows(wire, who, region, source.name, _QUERY)),
        ("config:DescribeConfigurationAggregatorSourcesStatus", config_reads.sources(wire, who, region, source.name)),
    )
    found: list[Diagnosis] = []
    for what, page in pages:
        try:
            await anext(page)
        except AwsProblem as problem:
            how = f"deploy `{TEMPLATES} hub-role` anew with ConfigAggregator=yes"
            if not is_refusal(problem):
                how = "correct aggregator and aggregator_region in [aws]"
            found.append(Diagnosis(AWS, outcome(problem), what, reason(problem), how, detail=str(problem)))
        else:
            found.append(Diagnosis(AWS, Outcome.OK, what, "answered"))
    return found

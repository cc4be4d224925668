"""Which accounts and regions are looked after, asked of one at a time: an audit chooses among all of them at once."""

from commands._types import Context
from commands.aws.scope import Member, selected


def is_in_sight(context: Context, account: str, region: str) -> bool:
    """Whether audits look at this place. `region`: "" for any.

    What the organization says of its accounts is not asked for each event: there, what counts is whether the latest
    audit looked at the account, also where it could not see it. IAM: none needed; raises AwsProblem where AWS will not
    say whose the credentials are.
    """
    settings = context.cloud.settings
    if region and settings.regions is not None and region not in settings.regions:
        return False
    if region and settings.regions is None and not _is_a_region(context, region):
        return False
    if settings.organization or (settings.aggregator and settings.accounts is None):
        named = account not in settings.exclude.accounts and _was_looked_at(context, account)
    elif settings.accounts is None or not settings.role:
        home = context.cloud.home_account()
        named = account == home and (settings.accounts is None or home in settings.accounts)
    else:
        named = account in settings.accounts
    if not named:
        return False
    return settings.organization or selected(Member(account), settings.include, settings.exclude) is True


def _is_a_region(context: Context, region: str) -> bool:
    """Of the partition that the bot is in; newer ones than botocore knows are known from audits. Who may send to the
    queue may make up any number of others, and each would take a client of its own and an hour of attempts."""
    endpoints = context.cloud.endpoints
    if region in endpoints.partition(context.cloud.home_region)["regions"]:
        return True
    return context.store.places.in_any_account(region)


def _was_looked_at(context: Context, account: str) -> bool:
    audit = context.store.audits.latest()
    if audit is None:
        return False  # the first audit tells of all that is there
    return context.store.places.seen_since(account, audit.started_at) or any(
        one.account == account for one in audit.not_scanned
    )

"""What a fix can do for each alias that serves a version without tracing, and why not for the others. Changes nothing.

A published version cannot be changed. It can be replaced by one that is its equal in all but tracing, and only if
$LATEST is: publishing anything else would ship what nobody has deployed.
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
"""

from commands.aws.current import AliasNow, Reading
from commands.aws.errors import AwsProblem, Gone, NotAccepted
from commands.aws.published import PUBLISHED
from commands.aws.reader import Reader
from commands.aws.settings import differences
from commands.aws.shapes import LATEST
from storage.fixes import AliasPlan, AliasStep
from storage.models import TracingMode


def plan_aliases(reader: Reader, latest: Reading) -> tuple[AliasPlan, ...] | None:
    """None where AWS will not list them. On Managed Instances $LATEST.PUBLISHED comes first, which calls run."""
    first = (plan_published(reader, latest),) if latest.managed_instances else ()
    try:
        found = reader.aliases()
    except AwsProblem as problem:
        if _says_nothing(problem):
            raise
        return first or None
    served = sorted({version for alias in found for version in alias.weights} - {LATEST})
    versions = {version: _read(reader, version) for version in served}
    return (*first, *(plan_alias(alias, versions, latest) for alias in found))


def plan_alias(alias: AliasNow, versions: dict[str, Reading | str], latest: Reading) -> AliasPlan:
    """`versions`: every version that it serves but $LATEST, or why that could not be read."""
    dark = [version for version in alias.weights if _dark(versions.get(version))]
    if not dark:
        return AliasPlan(alias.name, alias.version, AliasStep.NOTHING)
    if alias.shifting:
        shares = ", ".join(f"version {version} {share:.0%}" for version, share in alias.weights.items())
        why = f"its traffic is being shifted ({shares}); wait until that deployment is over"
        return AliasPlan(alias.name, alias.version, AliasStep.DEPLOY, why)
    why = unlike(versions[alias.version], latest)
    return AliasPlan(alias.name, alias.version, AliasStep.DEPLOY if why else AliasStep.PUBLISH, why)


def plan_published(reader: Reader, latest: Reading) -> AliasPlan:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-version-publishing.html"""
    served = _read(reader, PUBLISHED)
    if not _dark(served):
        return AliasPlan(PUBLISHED, "", AliasStep.NOTHING)
    why = unlike(served, latest)
    return AliasPlan(PUBLISHED, "", AliasStep.DEPLOY if why else AliasStep.PUBLISH, why)


def unlike(served: Reading | str, latest: Reading) -> str:
    """Why $LATEST cannot be published in place of what is served; "" where it can."""
    if isinstance(served, str):
        return served
    names = differences(served.settings, latest.settings)
    if not names:
        return ""
    listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"$LATEST differs from what it serves in {listed}, and publishing would deploy that"


def _read(reader: Reader, version: str) -> Reading | str:
    """Or why it could not be read."""
    try:
        return reader.configuration(version)
    except Gone:
        return f"version {version} does not exist"
    except AwsProblem as problem:
        if _says_nothing(problem):
            raise
        return f"version {version} could not be read ({problem.code})"


def _says_nothing(problem: AwsProblem) -> bool:
    """Of the function, that is: the same question may be answered in a moment, or with other credentials."""
    return problem.transient or isinstance(problem, NotAccepted)


def _dark(served: Reading | str | None) -> bool:
    """What could not be read is not known to be traced; None is $LATEST."""
    if served is None:
        return False
    return isinstance(served, str) or served.mode is not TracingMode.ACTIVE

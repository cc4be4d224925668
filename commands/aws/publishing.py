"""What a fix changes on AWS beside $LATEST: it publishes a version with tracing, and moves the aliases of its equal.

Only where the served version and $LATEST are the same but for tracing, compared again just before each write. What no
longer fits is left as it is and noted; what AWS refuses is the fix's failure.
"""

from collections.abc import Sequence
from dataclasses import replace

from commands.aws import alias_plan
from commands.aws.asking import another, ask
from commands.aws.current import AliasNow, Reading
from commands.aws.fixing import Fix, StepName, Steps
from commands.aws.published import PUBLISHED
from storage.fixes import AliasMove, AliasPlan, AliasStep, FixPlan
from storage.models import TracingMode

_PENDING = "Pending"
_READY = ("", "Active", "Inactive")  # no alias is moved to what is Failed, Deactivated or cannot be invoked


def publish(fix: Fix, plan: FixPlan, latest: Reading, deadline: float) -> Steps[tuple[str, ...]]:
    """Notes on what is still served without tracing. `latest` is $LATEST as read back; `deadline`: seconds until a
    version has to be ready.

    IAM: lambda:PublishVersion, lambda:UpdateAlias; to read, lambda:ListAliases and lambda:GetFunctionConfiguration.
    """
    notes: list[str] = []
    if any(alias.name == PUBLISHED for alias in plan.publishes):
        notes += yield from _publish_latest(fix, deadline)
    wanted = [alias for alias in plan.publishes if alias.name != PUBLISHED]
    if wanted:
        notes += yield from _replace(fix, wanted, latest, deadline)
    return (*notes, *_left(plan))


def _left(plan: FixPlan) -> tuple[str, ...]:
    if plan.aliases is None:
        return ("which versions its aliases serve could not be read",)
    return tuple(
        f"{_called(alias)} needs a deployment: {alias.why}" for alias in plan.aliases if alias.step is AliasStep.DEPLOY
    )


def _called(alias: AliasPlan) -> str:
    if not alias.version:
        return f"`{alias.name}`"
    return f"alias `{alias.name}` serves version {alias.version}, which is not traced, and"


# Versions and aliases


def _replace(fix: Fix, wanted: Sequence[AliasPlan], latest: Reading, deadline: float) -> Steps[list[str]]:
    """Publishes once for all of them."""
    yield fix.begin(StepName.PUBLISH, f"Publishing a version of `{fix.name}` with tracing")
    now = {alias.name: alias for alias in fix.read_aliases()}
    served = {each.version: fix.read_function(each.version) for each in wanted if _serves(now.get(each.name), each)}
    fitting = [
        each for each in wanted if each.version in served and not alias_plan.unlike(served[each.version], latest)
    ]
    notes = [_unfit(each) for each in wanted if each not in fitting]
    if not fitting:
        return notes
    version = _version(fix, served[fitting[0].version])
    if not version:
        return [*notes, *map(_unfit, fitting)]
    made = _wait_until_ready(fix, version, deadline)
    for each in fitting:
        if made.mode is not TracingMode.ACTIVE or alias_plan.unlike(served[each.version], made):
            notes.append(_unfit(each))
            continue
        yield fix.begin(StepName.ALIAS, f"Moving alias `{each.name}` from version {each.version} to {version}")
        notes += [] if _move(fix, each, version) else [_unfit(each)]
    return notes


def _version(fix: Fix, served: Reading) -> str:
    """The published equal of $LATEST; "" where $LATEST is no longer the equal of what is served.

    AWS makes no second version of what it has published last, so that this may be repeated.
    """
    return fix.insist(lambda: _publish_once(fix, served), f"lambda:PublishVersion on `{fix.name}`")


def _publish_once(fix: Fix, served: Reading) -> str:
    latest = fix.read_function()
    if latest.mode is not TracingMode.ACTIVE or alias_plan.unlike(served, latest):
        return ""
    if _is_still_its_equal(fix, served):
        return fix.receipt.published
    client = fix.writes.lambda_
    answer = ask(
        lambda: client.publish_version(
            FunctionName=fix.arn,
            CodeSha256=latest.code_sha256,
            RevisionId=latest.revision,
            Description=served.description,
        )
    )
    version = answer["Version"]
    published = PUBLISHED if fix.receipt.published == PUBLISHED else version
    fix.wrote(
        f"published version {version} of {fix.arn}",
        answer["ResponseMetadata"]["RequestId"],
        replace(fix.receipt, published=published),
    )
    return version


def _is_still_its_equal(fix: Fix, served: Reading) -> bool:
    """Whether an earlier run has published it already."""
    if fix.receipt.published in ("", PUBLISHED):
        return False
    made = fix.find(fix.receipt.published)
    return made is not None and made.mode is TracingMode.ACTIVE and not alias_plan.unlike(served, made)


def _wait_until_ready(fix: Fix, version: str, deadline: float) -> Reading:
    """SnapStart takes minutes."""
    pauses = fix.patience.pauses(deadline)
    while (made := fix.read_function(version)).state == _PENDING:
        if not another(pauses):
            reason = f"Version {version} was published, but is not ready after {deadline:.0f} seconds."
            raise fix.failed(f"{reason} {fix.again.capitalize()} again in a few minutes.")
    if made.state not in _READY:
        reason = f"is {made.state}: {made.state_reason or 'Lambda gives no reason.'}"
        raise fix.failed(f"Version {version} was published, but {reason} Mend that, then {fix.again} again.")
    return made


def _move(fix: Fix, wanted: AliasPlan, version: str) -> bool:
    """False where the alias no longer serves what it served, or does not keep what it was given."""
    others = tuple(one for one in fix.receipt.moves if one.name != wanted.name)
    ours = AliasMove(wanted.name, wanted.version, version)
    fix.keep(replace(fix.receipt, moves=(*others, ours)))
    if move(fix, ours):
        return any(alias.name == wanted.name and alias.version == version for alias in fix.read_aliases())
    fix.keep(replace(fix.receipt, moves=others))
    return False


def move(fix: Fix, wanted: AliasMove) -> bool:
    """Have an alias serve `after` if it serves `before`; False where it serves something else.

    Its routing is not touched, and one whose traffic is being shifted is left alone.
    IAM: lambda:UpdateAlias, lambda:ListAliases.
    """
    return fix.insist(lambda: _move_once(fix, wanted), f"lambda:UpdateAlias on alias `{wanted.name}`")


def _move_once(fix: Fix, wanted: AliasMove) -> bool:
    alias = next((one for one in fix.read_aliases() if one.name == wanted.name), None)
    if alias is None or alias.shifting or alias.version not in (wanted.before, wanted.after):
        return False
    if alias.version == wanted.after:
        return True
    client = fix.writes.lambda_
    answer = ask(
        lambda: client.update_alias(
            FunctionName=fix.arn, Name=wanted.name, FunctionVersion=wanted.after, RevisionId=alias.revision
        )
    )
    text = f"moved alias {wanted.name} of {fix.arn} from version {wanted.before} to {wanted.after}"
    fix.wrote(text, answer["ResponseMetadata"]["RequestId"])
    return True


def _serves(alias: AliasNow | None, wanted: AliasPlan) -> bool:
    return alias is not None and not alias.shifting and alias.version == wanted.version


def _unfit(alias: AliasPlan) -> str:
    return (
        f"alias `{alias.name}` was not moved from version {alias.version}, for it or the function was changed "
        "meanwhile: look at it again"
    )


# Managed Instances


def _publish_latest(fix: Fix, deadline: float) -> Steps[list[str]]:
    yield fix.begin(StepName.PUBLISH, f"Publishing `{fix.name}` for calls on Managed Instances")
    done = fix.insist(lambda: publish_latest(fix), f"lambda:PublishVersion on `{fix.name}`")
    if not done:
        return [f"`{PUBLISHED}` was not published anew, for the function was changed meanwhile: look at it again"]
    made = _wait_until_ready(fix, PUBLISHED, deadline)
    if made.mode is not TracingMode.ACTIVE:
        raise fix.failed(f"`{PUBLISHED}` was published, but is {made.mode}. Look at it again, then approve again.")
    return []


def publish_latest(fix: Fix, wanted: TracingMode = TracingMode.ACTIVE) -> bool:
    """Publish $LATEST to where calls without a qualifier run, if the two are alike; False where they are not.

    IAM: lambda:PublishVersion.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-version-publishing.html
    """
    latest, served = fix.read_function(), fix.find(PUBLISHED)
    if served is None or latest.mode is not wanted or alias_plan.unlike(served, latest):
        return False
    if served.mode is wanted:
        return True
    client = fix.writes.lambda_
    answer = ask(
        lambda: client.publish_version(
            FunctionName=fix.arn,
            CodeSha256=latest.code_sha256,
            RevisionId=latest.revision,
            PublishTo="LATEST_PUBLISHED",
        )
    )
    fix.wrote(
        f"published {fix.arn} to {PUBLISHED}",
        answer["ResponseMetadata"]["RequestId"],
        replace(fix.receipt, published=PUBLISHED),
    )
    return True

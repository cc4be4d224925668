"""`/trace-fix` and the *Approve fix* button: from an approval to a function that is read back as Active."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace

from commands import _find
from commands._shown import item
from commands._types import Answer, Context, Progress, Replace, Reply, Request, Say
from commands.audit import judge, look_again
from commands.aws import inventory, remediation
from commands.aws.errors import AwsProblem, Gone
from commands.aws.remediation import Clients, FunctionGone, Outcome, RemediationFailed
from commands.views.functions import card_blocks
from commands.views.text import clock_time, code, escape, mention, prose
from storage.models import (
    Decision,
    DecisionKind,
    FixRequest,
    Function,
    MayWrite,
    RequestState,
    TracingMode,
    Verdict,
)


def fix(request: Request, context: Context) -> Answer:
    """Answer `/trace-fix <function>`: ask the team's approvers for it, in the team's channel."""
    wanted = _find.Wanted.read(request.text)
    if not wanted.name:
        yield Say("Say which function: `/trace-fix refund-worker`")
        return
    found = _find.functions(context.store, wanted)
    if not found:
        yield Say(_find.unknown(context.store, wanted, "/trace-fix"))
    elif len(found) > 1:
        yield Say(_find.choices(found, "/trace-fix"))
    else:
        yield Progress(f"Looking at {escape(found[0].name)}…")
        yield _ask(request, context, found[0])


def approve(request: Request, context: Context) -> Answer:
    """Answer *Approve fix*: the first approver's click counts, every other one is told who was first."""
    store = context.store
    try:
        asked = store.requests.get(request.value)
    except KeyError:
        yield Say("This button is of another installation. Use `/trace-fix <function>`.")
        return
    if asked.state not in (RequestState.OPEN, RequestState.FAILED):
        yield Say(_too_late(context, asked))
        return
    function = store.functions.get(asked.function_arn)
    permission = context.people.may_approve(request.user, request.workspace, function.team if function else asked.team)
    if not permission.allowed:
        yield Say(f"Nothing was changed: {permission.why}")
        return
    now = context.clock()
    with store.transaction():
        first = store.requests.claim(asked.id, request.user, now)
        if first:
            store.decisions.record(
                replace(
                    _decision(DecisionKind.APPROVED, request.user, asked, context),
                    source=request.source,
                    workspace=request.workspace,
                    channel=request.channel,
                    message=request.message,
                    detail={"allowed_by": permission.why},
                )
            )
            store.posts.touch(asked.id)
    if not first:
        yield Say(_too_late(context, store.requests.get(asked.id)))
        return
    if request.private:
        yield _redrawn(context, asked.id)
    yield from carry_out(context, asked.id)
    if request.private:
        yield _redrawn(context, asked.id)


def resume(context: Context) -> Iterator[Reply]:
    """Take up the fixes that were approved and cut short; every step of one is safe to repeat."""
    for asked in context.store.requests.running():
        yield from carry_out(context, asked.id, again=True)


def carry_out(context: Context, request_id: str, *, again: bool = False) -> Iterator[Reply]:
    """Do what was approved and record what came of it. Yields what is being done; never raises for AWS's refusals."""
    asked = context.store.requests.get(request_id)
    try:
        outcome = yield from _change(context, asked, again)
    except (FunctionGone, Gone) as gone:
        attached = getattr(gone, "attached_policy", None)
        context.store.functions.gone(asked.function_arn, context.clock())
        _end(
            context,
            asked,
            RequestState.RESOLVED,
            DecisionKind.RESOLVED,
            error="The function no longer exists.",
            detail=_attached(attached),
        )
    except RemediationFailed as failure:
        detail = {"step": str(failure.step), "code": failure.code, "aws_request": failure.request_id}
        detail |= _attached(failure.attached_policy)
        _end(context, asked, RequestState.FAILED, DecisionKind.FAILED, error=failure.reason, detail=detail)
    except AwsProblem as problem:
        detail = {"step": "access", "code": problem.code, "aws_request": problem.request_id}
        reason = f"AWS did not let Lamplighter in to make the change: {problem}"
        _end(context, asked, RequestState.FAILED, DecisionKind.FAILED, error=reason, detail=detail)
    except Exception:  # a fault of our own must not leave the request running for ever; the caller answers for it
        reason = "Lamplighter itself failed; its log says more. It is safe to approve again."
        _end(context, asked, RequestState.FAILED, DecisionKind.FAILED, error=reason)
        raise
    else:
        _applied(context, asked, outcome)


def _change(context: Context, asked: FixRequest, again: bool) -> Generator[Reply, None, Outcome]:
    function = context.store.functions.get(asked.function_arn)
    if function is None:
        raise FunctionGone(asked.function_arn, None)
    # Two fixes at once on one role: the second would find the policy attached, and IAM not yet aware of it.
    with context.roles.hold(function.role or function.arn):
        return (yield from _change_alone(context, asked, function, again))


def _change_alone(
    context: Context, asked: FixRequest, function: Function, again: bool
) -> Generator[Reply, None, Outcome]:
    fixer = context.cloud.fixer(function.account, function.region, function.arn, function.role or "", asked.approved_by)
    with context.cloud.acting_as(function.account):
        reads = Clients(
            lambda_=context.cloud.client("lambda", function.region), iam=context.cloud.client("iam", function.region)
        )
        steps = remediation.enable_tracing(
            reads=reads,
            writes=Clients(lambda_=fixer.lambda_, iam=fixer.iam),
            function_arn=function.arn,
            attached_before=again or _attached_by_an_earlier_try(context, asked),
        )
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            context.store.requests.at_step(asked.id, step.text)
            context.store.posts.touch(asked.id)
            yield Progress(step.text)


def _applied(context: Context, asked: FixRequest, outcome: Outcome) -> None:
    """Look at the function once more, so that what is remembered is what AWS says now."""
    asked_at = context.clock()
    remembered = context.store.functions.get(asked.function_arn)
    if remembered:
        try:
            seen = inventory.read_function(
                context.cloud, remembered.account, remembered.region, remembered.name, context.teams.tag_keys
            )
        except AwsProblem:
            # The fix itself read the mode back; only the rest of the picture is older.
            seen = replace(remembered, mode=outcome.after, role_may_write=MayWrite.YES)
        context.store.functions.save(judge(context, [seen]), asked_at)
    detail = {
        "changed": outcome.changed,
        "attached_policy": outcome.attached_policy,
        "aws_requests": list(outcome.request_ids),
    }
    _end(
        context,
        asked,
        RequestState.APPLIED,
        DecisionKind.APPLIED,
        note=outcome.note,
        before=str(outcome.before),
        after=str(outcome.after),
        detail=detail,
    )


def _end(
    context: Context,
    asked: FixRequest,
    state: RequestState,
    kind: DecisionKind,
    *,
    error: str = "",
    note: str = "",
    before: str = "",
    after: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    store, now = context.store, context.clock()
    with store.transaction():
        if store.requests.finish(asked.id, state, now, error=error, note=note):
            row = _decision(kind, asked.approved_by, asked, context)
            row = replace(row, before=before or row.before, after=after, reason=error or note, detail=detail or {})
            store.decisions.record(row)
        store.posts.touch(asked.id)


def _attached_by_an_earlier_try(context: Context, asked: FixRequest) -> bool:
    return any(row.detail.get("attached_policy") for row in context.store.decisions.of_request(asked.id))


def _attached(policy: str | None) -> dict[str, str]:
    """What stays with the role though the fix did not end well."""
    return {"attached_policy": policy} if policy else {}


def _decision(kind: DecisionKind, actor: str, asked: FixRequest, context: Context) -> Decision:
    function = context.store.functions.get(asked.function_arn)
    before = str(function.mode or "") if function else ""
    return Decision(kind, context.clock(), actor, asked.function_arn, request_id=asked.id, before=before)


def _ask(request: Request, context: Context, function: Function) -> Say:
    name, store = code(function.name), context.store
    try:
        current = look_again(context, function)
    except Gone:
        return Say(f"{name} no longer exists in {function.account} {function.region}.")
    except AwsProblem as problem:
        return Say(f"AWS did not say how {name} stands: {escape(str(problem))}")
    if current.verdict is not Verdict.UNTRACED:
        return Say(_needless(context, current))
    if not current.fixable:
        findings = " ".join(prose(finding.text) for finding in current.findings)
        return Say(f"{name} needs a deployment, not a fix of its configuration. {findings}")
    now = context.clock()
    with store.transaction():
        asked = store.requests.open_for(current, request.user, now)
        channel = context.teams.channel_of(current.team)
        post = store.posts.create(
            f"request:{asked.id}",
            "request",
            channel,
            now,
            team=current.team,
            requests=[asked.id],
            text=f"{mention(request.user)} asks to turn on active tracing for {name}",
        )
        if post:
            store.decisions.record(
                replace(
                    _decision(DecisionKind.REQUESTED, request.user, asked, context),
                    source=request.source,
                    workspace=request.workspace,
                    channel=request.channel,
                )
            )
    where = f"<#{channel}>" if channel[:1] in "CG" else escape(channel)
    if post is None:
        return Say(f"A fix of {name} was asked for already and waits for an approver in {where}.")
    return Say(f"Asked in {where} to turn on tracing for {name}. It happens when an approver clicks there.")


def _needless(context: Context, function: Function) -> str:
    name = code(function.name)
    exemption = context.store.exemptions.covering(function.arn, context.clock())
    match function.verdict:
        case Verdict.TRACED:
            return f"{name} is traced already: {TracingMode.ACTIVE}, and its role may write to X-Ray."
        case Verdict.EXEMPT if exemption:
            return f"{name} is exempt: {escape(exemption.reason)}"
        case Verdict.NOT_APPLICABLE:
            findings = " ".join(prose(finding.text) for finding in function.findings)
            return f"X-Ray does not apply to {name}. {findings}"
        case _:
            findings = " ".join(prose(finding.text) for finding in function.findings)
            return f"It is unknown whether {name} is traced. {findings}"


def _too_late(context: Context, asked: FixRequest) -> str:
    """A polite word for a click that changes nothing: who was first, and what came of it."""
    name = code(asked.function_arn.rsplit(":", 1)[-1])
    since = clock_time(asked.approved_at) if asked.approved_at else ""
    match asked.state:
        case RequestState.RUNNING:
            return f"{name} is being fixed already, approved by {mention(asked.approved_by)} at {since}."
        case RequestState.APPLIED:
            at = clock_time(asked.finished_at) if asked.finished_at else ""
            return f"{name} was fixed already, approved by {mention(asked.approved_by)}; Active since {at}."
        case RequestState.RESOLVED:
            exemption = context.store.exemptions.covering(asked.function_arn, context.clock())
            why = f"exempt: {escape(exemption.reason)}" if exemption else prose(asked.error)
            return f"Nothing is left to do for {name}: {why}"
        case _:
            first = mention(asked.approved_by)
            return f"{first} approved {name} just before you, and that failed: {prose(asked.error)}"


def _redrawn(context: Context, request_id: str) -> Replace:
    shown = item(context, context.store.requests.get(request_id))
    return Replace(shown.name, tuple(card_blocks(shown)))

"""What a fix that did not come to its end has left on AWS, and how to take it back by hand."""

from commands.views.text import code, prose
from storage.fixes import FixRequest, Receipt, RequestState

# It runs, it stands, or it was taken back: its own words say what is so.
_ELSEWHERE = {RequestState.RUNNING, RequestState.APPLIED, RequestState.UNDOING, RequestState.UNDONE}


def left_line(request: FixRequest | None) -> str:
    """Sentences with the commands that take it back; empty where nothing was left."""
    receipt = _left_by(request)
    if request is None or receipt is None:
        return ""
    region = request.function_arn.split(":")[3]
    back = [_policy_back(receipt)]
    if receipt.mode_before:
        back.append(
            f"aws lambda update-function-configuration --region {region} --function-name {request.function_name} "
            f"--tracing-config Mode={receipt.mode_before}"
        )
    for move in receipt.moves:
        back.append(
            f"aws lambda update-alias --region {region} --function-name {request.function_name} --name {move.name} "
            f"--function-version {move.before}"
        )
    commands = ", ".join(code(one) for one in back if one)
    return f"{left_words(request)} {_or_again(request)}: {commands}"


def left_words(request: FixRequest) -> str:
    """The same without the commands."""
    receipt = _left_by(request)
    if receipt is None:
        return ""
    words = [_policy(receipt)]
    if receipt.mode_before:
        words.append(f"TracingConfig was being set from {receipt.mode_before} to Active.")
    words += [
        f"Alias `{move.name}` was being moved from version {move.before} to {move.after}." for move in receipt.moves
    ]
    return prose(" ".join(filter(None, words)))


def _or_again(request: FixRequest) -> str:
    if request.state is RequestState.RESOLVED:
        return "To take it back"
    again = "Approve again" if request.waiting else f"Ask anew with {code(f'/trace-fix {request.function_name}')}"
    return f"{again}, or take it back"


def _left_by(request: FixRequest | None) -> Receipt | None:
    if request is None or request.state in _ELSEWHERE:
        return None
    if request.state is RequestState.RESOLVED and request.ended_by:
        return None  # an undo found its function deleted, and has said what it left
    receipt = request.receipt
    given = receipt.policy or receipt.policy_intended
    return receipt if given or receipt.mode_before or receipt.moves else None


def _policy(receipt: Receipt) -> str:
    given = (receipt.policy or receipt.policy_intended).rpartition("/")[2]
    if not given:
        return ""
    role = receipt.role.rpartition("/")[2]
    if not receipt.policy:
        return f"Role `{role}` may have been given `{given}`: AWS's answer was lost."
    return f"Role `{role}` keeps `{given}`, which this fix gave it."


def _policy_back(receipt: Receipt) -> str:
    given, role = receipt.policy or receipt.policy_intended, receipt.role.rpartition("/")[2]
    if not given:
        return ""
    if given.startswith("arn:"):
        return f"aws iam detach-role-policy --role-name {role} --policy-arn {given}"
    return f"aws iam delete-role-policy --role-name {role} --policy-name {given}"

"""What a person can do about AWS's refusal of a fix or an undo: one sentence, and the next step. Pure."""

from commands.aws.errors import AwsProblem, Denied, NotAccepted

_NO_LONGER_SUPPORTED = "is no longer supported for creating or updating"
# By AWS's code: what is the matter, and what to do before "then … again". `{0}` is AWS's own message.
_SENTENCES = {
    "ResourceNotFoundException": ("A version or an alias of it no longer exists.", "Look at it again"),
    "ResourceConflictException": (
        "Another change of it is under way, or it is not ready yet, and that did not end while this waited: {0}",
        "Wait until that is over",
    ),
    "ConcurrentModification": ("Somebody else changes the role at the same time.", "Wait until that is over"),
    "InvalidParameterValueException": (
        "AWS does not take the change for this function: {0}",
        "Mend what AWS names",
    ),
    "InvalidInput": ("AWS does not take the change for this role: {0}", "Mend what AWS names"),
    "NoSuchEntity": ("IAM does not have it: {0}", "Give the function a role that exists"),
    "LimitExceeded": ("One of IAM's quotas is used up: {0}", "Take a policy away from the role, or ask AWS for more"),
    "UnmodifiableEntity": (
        "AWS lets nobody change that role, for it belongs to a service.",
        "Give the function a role of its own",
    ),
    "PolicyNotAttachable": ("AWS does not let that policy be attached to a role.", "Give the role its permission"),
    "MalformedPolicyDocument": ("AWS does not take the policy: {0}", "Report this to whoever runs Lamplighter"),
    "PackedPolicyTooLarge": (
        "The names of the function and its role make the session policy too long for STS.",
        "Give the role a shorter path",
    ),
    "RegionDisabledException": (
        "STS gives no credentials in this region, for the account has not enabled it.",
        "Let an administrator enable it",
    ),
    "CodeStorageExceededException": (
        "The region has no room left for another version's code.",
        "Delete versions that nobody needs",
    ),
    "FunctionVersionsPerCapacityProviderLimitExceededException": (
        "The capacity provider holds as many function versions as AWS allows.",
        "Delete versions that nobody needs",
    ),
    "CodeSigningConfigNotFoundException": (
        "The function's code signing configuration no longer exists.",
        "Give it one that does, or none",
    ),
    "InvalidCodeSignatureException": (
        "The function's code does not carry the signature that its configuration demands.",
        "Deploy code that is signed",
    ),
    "CodeVerificationFailedException": (
        "The signature of the function's code could not be verified.",
        "Deploy code that is signed by an allowed profile",
    ),
    "PreconditionFailedException": (
        "It was changed by somebody else again and again while this was tried.",
        "Wait until its deployment is over",
    ),
}


def advice(problem: AwsProblem, permission: str, whose: str, again: str = "approve") -> str:
    """`permission` is what the call needed, `whose` credentials it was made with ("audits", "fixes"), and `again` what
    a person does to have it tried once more."""
    if problem.code.startswith("ExpiredToken"):
        return f"The credentials for {whose} ran out ({problem.code}). {again.capitalize()} again."
    if isinstance(problem, NotAccepted) and problem.code not in _SENTENCES:
        said = _ended(f"AWS does not accept the credentials for {whose} ({problem.code}): {problem.message}")
        return f"{said} Mend the credentials that Lamplighter runs with, then {again} again."
    if isinstance(problem, Denied) and problem.code not in _SENTENCES:
        return f"The credentials for {whose} lack {permission} ({problem.code}). Allow it, then {again} again."
    if _NO_LONGER_SUPPORTED in problem.message:
        return f"AWS no longer allows changes of functions on its runtime. Move it to a newer one, then {again} again."
    if problem.code in _SENTENCES:
        return _sentence(problem, again)
    if problem.transient:
        return f"AWS is too busy or does not answer ({problem.code}). {again.capitalize()} again in a few minutes."
    return f"{_ended(f'AWS refused {permission} ({problem.code}): {problem.message}')} Mend that, then {again} again."


def entry_advice(problem: AwsProblem, again: str = "approve") -> str:
    """Of a refusal before anything was begun: what AWS said, and the next step."""
    said = _ended(f"AWS did not let Lamplighter in to make the change: {problem}")
    if problem.transient:
        return f"{said} {again.capitalize()} again in a few minutes."
    if problem.code == "NoRole":
        return f"{said} Name a role and a fix_role in the settings, then {again} again."
    if problem.code in _SENTENCES:
        return f"{said} {_SENTENCES[problem.code][1]}, then {again} again."
    if isinstance(problem, Denied) and problem.action == "AssumeRole":
        step = "Let the bot's own role assume that role (its trust policy and external id say who may)"
        return f"{said} {step}, then {again} again."
    if isinstance(problem, Denied) and not isinstance(problem, NotAccepted):
        return f"{said} Allow that to the audit role, then {again} again."
    return f"{said} Mend that, then {again} again."


def _sentence(problem: AwsProblem, again: str) -> str:
    what, step = _SENTENCES[problem.code]
    return f"{_ended(what.format(problem.message))} {step}, then {again} again."


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."

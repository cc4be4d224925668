"""Whether the conditions of a policy statement hold, as far as the request is known: three answers. Pure; asks nobody.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache

# The values that each condition key may have, by its name in lower case; None among them: it may be absent.
Context = Mapping[str, tuple[str | None, ...]]
Test = tuple[str, str, list[str]]  # operator, key, and what the key is compared with


class Match(IntEnum):
    """Whether something holds. Ordered, so that `max` is "or" and `min` is "and"."""

    NEVER = 0
    MAYBE = 1
    ALWAYS = 2

    def negated(self) -> "Match":
        return Match(Match.ALWAYS - self)


def weigh(tests: Sequence[Test], context: Context, variables: bool) -> tuple[Match, tuple[str, ...]]:
    """All tests of a statement together, and the keys of those that decided it (none when it always holds).

    Without `variables`, as in older policies, `${…}` is taken literally.
    """
    weighed = [(_weigh(operator, key.lower(), wanted, context, variables), key) for operator, key, wanted in tests]
    match = min((found for found, _ in weighed), default=Match.ALWAYS)
    if match is Match.ALWAYS:
        return match, ()
    return match, tuple(dict.fromkeys(key for found, key in weighed if found is match))


@lru_cache(maxsize=20_000)  # thousands of roles name the same few patterns
def same_action(pattern: str, action: str) -> bool:
    """Whether an Action element names `action`; case makes no difference."""
    before = pattern.partition("*")[0].partition("?")[0]
    if not action.lower().startswith(before.lower()):
        return False  # nearly always: most statements are about another service
    glob = _regex(pattern, wild=True, resolve=None, flags=re.IGNORECASE)
    return glob is not None and glob.fullmatch(action) is not None


def _weigh(operator: str, key: str, wanted: list[str], context: Context, variables: bool) -> Match:
    """One test, over every value that the key may have."""
    possible = context.get(key)
    quantifier, _, plain = operator.rpartition(":")
    name = plain.removesuffix("IfExists")
    known = name in _COMPARISONS and quantifier in ("", "ForAllValues", "ForAnyValue")
    if possible is None or not (known or operator == "Null"):
        return Match.MAYBE
    if operator == "Null":
        found = {_test_null(value, wanted) for value in possible}
    else:
        resolve = (lambda variable: _resolve(variable, context)) if variables else None
        found = {
            _test_absent(quantifier, plain) if value is None else _test_value(value, name, wanted, resolve)
            for value in possible
        }
    return found.pop() if len(found) == 1 else Match.MAYBE


def _test_null(value: str | None, wanted: list[str]) -> Match:
    said = set(wanted)  # AWS documents these two words in lower case, and no other
    if said - _BOOLEANS:
        return Match.MAYBE
    return Match.ALWAYS if ("true" if value is None else "false") in said else Match.NEVER


def _test_absent(quantifier: str, operator: str) -> Match:
    """A key that is not in the request: `IfExists`, `ForAllValues` and negated operators hold, others do not.

    `ForAnyValue` never does, not even with `IfExists`: it asks for a value that matches, and there is none.
    https://repost.aws/questions/QU9HFmDzP0QGuU-fd7rS6B7w/foranyvalue-stringequalsifexists-behaving-unexpectedly
    """
    if quantifier == "ForAnyValue":
        return Match.NEVER
    holds = operator.endswith("IfExists") or quantifier == "ForAllValues" or "Not" in operator
    return Match.ALWAYS if holds else Match.NEVER


def _test_value(value: str, operator: str, wanted: list[str], resolve: "_Resolve | None") -> Match:
    compare = _COMPARISONS[operator]
    if compare is None:
        return Match.MAYBE
    found = max(compare(value, text, resolve) for text in wanted)
    return found.negated() if "Not" in operator else found


def _equals(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    return _matches(value, _regex(wanted, wild=False, resolve=resolve))


def _equals_any_case(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    return _matches(value, _regex(wanted, wild=False, resolve=resolve, flags=re.IGNORECASE))


def _like(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    return _matches(value, _regex(wanted, wild=True, resolve=resolve))


def _arn_like(value: str, wanted: str, resolve: "_Resolve | None") -> Match:
    """ARNs are compared part by part, so a `*` stays within its part; where all colons line up a glob says the same."""
    colons = re.sub(r"\$\{[^}]*\}", "", wanted).count(":")
    if min(value.count(":"), colons) < 5:
        return Match.MAYBE  # not an ARN, or one whose parts a variable brings along
    found = _like(value, wanted, resolve)
    return found if value.count(":") == colons == 5 or found is Match.NEVER else Match.MAYBE


def _same_bool(value: str, wanted: str, _: "_Resolve | None") -> Match:
    """Variables stand in texts and ARNs only; what is neither true nor false may be anything."""
    if {value.lower(), wanted.lower()} - _BOOLEANS:
        return Match.MAYBE
    return Match.ALWAYS if value.lower() == wanted.lower() else Match.NEVER


_Resolve = Callable[[str], str | None]
_BOOLEANS = frozenset({"true", "false"})
_COMPARISONS: Mapping[str, Callable[[str, str, _Resolve | None], Match] | None] = {
    "StringEquals": _equals,
    "StringNotEquals": _equals,
    "StringEqualsIgnoreCase": _equals_any_case,
    "StringNotEqualsIgnoreCase": _equals_any_case,
    "StringLike": _like,
    "StringNotLike": _like,
    "ArnEquals": _arn_like,  # IAM treats it as ArnLike
    "ArnNotEquals": _arn_like,
    "ArnLike": _arn_like,
    "ArnNotLike": _arn_like,
    "Bool": _same_bool,
    # No key whose value is certain is of these kinds; whether one is there at all is weighed for them too.
    **{f"{kind}{test}": None for kind in ("Numeric", "Date") for test in ("Equals", "NotEquals")},
    **{
        f"{kind}{way}Than{end}": None
        for kind in ("Numeric", "Date")
        for way in ("Less", "Greater")
        for end in ("", "Equals")
    },
    **dict.fromkeys(("IpAddress", "NotIpAddress", "BinaryEquals")),
}


def _matches(value: str, pattern: re.Pattern[str] | None) -> Match:
    if pattern is None:
        return Match.MAYBE
    return Match.ALWAYS if pattern.fullmatch(value) else Match.NEVER


# Text with wildcards and policy variables

_TOKEN = re.compile(r"\$\{(?P<variable>[^}]*)\}|[*?]|[^$*?]+|\$", re.DOTALL)


def _regex(text: str, *, wild: bool, resolve: _Resolve | None, flags: int = 0) -> re.Pattern[str] | None:
    """`text` as a pattern, or None when it holds a variable whose value is not known. Takes linear time to match."""
    chunks = [""]  # what stands between the stars
    for token in _TOKEN.finditer(text):
        if resolve is not None and token["variable"] is not None:
            value = resolve(token["variable"])
            if value is None:
                return None
            chunks[-1] += re.escape(value)
        elif wild and token[0] == "*":
            chunks.append("")
        else:
            chunks[-1] += "".join(_literals(token[0], wild))
    first, *rest = chunks
    if not rest:
        return re.compile(first, flags | re.DOTALL | re.ASCII)
    # An atomic group takes the earliest place for each chunk, which is always good enough, and never goes back.
    middle = "".join(f"(?>.*?{chunk})" for chunk in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", flags | re.DOTALL | re.ASCII)


def _literals(token: str, wild: bool) -> Iterator[str]:
    """A token that is not a star; `${…}` stays literal here, except for wildcards inside it."""
    if token[0] not in "?$":
        yield re.escape(token)
        return
    for character in token:
        if wild and character == "*":
            yield ".*"
        elif wild and character == "?":
            yield "."
        else:
            yield re.escape(character)


def _resolve(variable: str, context: Context) -> str | None:
    """What IAM puts for `${variable}`, or None when that cannot be told; `${*}`, `${?}` and `${$}` are those signs."""
    if variable in ("*", "?", "$"):
        return variable
    key, _, default = variable.partition(",")
    possible = context.get(key.strip().lower(), ())
    if len(possible) != 1:
        return None
    return possible[0] if possible[0] is not None else default.strip().strip("'") or None

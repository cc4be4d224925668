"""A second opinion on IAM: every context that a function's own call may have, each judged as AWS documents it.

Shares nothing with `commands.aws.policies`: no third value, no patterns of its own, one whole context at a time. Where
the documentation leaves open what happens (a variable without a value, an ARN pattern that is no ARN, a number that is
none), `doubt` is what comes of it, and both ways are tried.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import itertools
import re
from base64 import b64decode
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

ACTION = "xray:PutTraceSegments"
STRANGER = "zz-nobody-wrote-this"


class Doubt(Exception):
    """The documentation does not say what IAM makes of this test."""


def outcomes(policies, boundary, certain):
    """Whether the action is allowed, over all contexts: {True}, {False} or both.

    `certain` gives the values that a key may have, None for absent; every other key may have any value or none.
    """
    layers = [relevant(policies)] + ([relevant([boundary])] if boundary is not None else [])
    known = {key.lower(): values for key, values in certain.items()}
    tests = [test for layer in layers for statement in layer for test in conditions(statement)]
    named = {key for _, key, _, _ in tests} | {key for *_, wanted, _ in tests for key in variables(wanted)}
    possible = [known.get(key) or candidates(key, tests, known) for key in sorted(named)]
    found = set()
    for values in itertools.product(*possible, (False, True)):
        context = {key: value for key, value in zip(sorted(named), values, strict=False) if value is not None}
        found.add(all(allows(layer, context, doubt=values[-1]) for layer in layers))
        if len(found) == 2:
            break
    return found


def allows(layer, context, *, doubt):
    effects = {
        statement["Effect"]
        for statement in layer
        if all(holds(*test, context, doubt=doubt) for test in conditions(statement))
    }
    return effects == {"Allow"}


def relevant(documents):
    """The statements that name the action, each with its document's Version."""
    return [
        {**statement, "Version": document.get("Version")}
        for document in documents
        for statement in listed(document["Statement"])
        if names_action(statement) and covers_all(statement)
    ]


def names_action(statement):
    patterns = listed(statement.get("Action", statement.get("NotAction")))
    found = any(glob(pattern.lower(), ACTION.lower()) for pattern in patterns)
    return found if "Action" in statement else not found


def covers_all(statement):
    """X-Ray's write actions have no resource types: only `*` names what they act on."""
    found = any(set(resource) == {"*"} for resource in listed(statement.get("Resource", statement.get("NotResource"))))
    return found if "Resource" in statement else not found


def conditions(statement):
    with_variables = statement["Version"] == "2012-10-17"
    return [
        (operator, key.lower(), [spelled(value) for value in listed(wanted)], with_variables)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    ]


def listed(value):
    return value if isinstance(value, list) else [value]


def spelled(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def variables(wanted):
    return {found.split(",")[0].lower() for text in wanted for found in re.findall(r"\$\{([^}*?$]+)\}", text)}


# One test in one context


def holds(operator, key, wanted, with_variables, context, *, doubt):
    try:
        return test(operator, key, wanted, with_variables, context)
    except Doubt:
        return doubt


def test(operator, key, wanted, with_variables, context):
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        if quantifier or set(wanted) - {"true", "false"}:
            raise Doubt
        return ("false" if key in context else "true") in wanted
    if_exists = name.endswith("IfExists")
    name = name[: -len("IfExists")] if if_exists else name
    positive = POSITIVE.get(name, name)
    if positive not in COMPARE:
        raise Doubt
    negated = positive != name
    values = [value for value in listed_values(context.get(key, ())) if value is not None]
    if not values:  # absent, or an empty set, which is the same
        if quantifier == "ForAnyValue":
            return False  # also with IfExists: it asks for one that matches, and there is none
        return if_exists or quantifier == "ForAllValues" or negated
    one_by_one = [matches(positive, value, wanted, with_variables, context) != negated for value in values]
    return all(one_by_one) if quantifier == "ForAllValues" else any(one_by_one)


def listed_values(value):
    return value if isinstance(value, tuple) else (value,)


def matches(positive, value, wanted, with_variables, context):
    """Whether one value of the context is, or is like, any that is wanted; a doubt counts where no other matches."""
    doubted = False
    for text in wanted:
        try:
            if COMPARE[positive](value, text, context if with_variables else None):
                return True
        except (Doubt, ValueError, InvalidOperation):
            doubted = True
    if doubted:
        raise Doubt
    return False


def glob(pattern, text):
    start = re.split(r"[*?]", pattern, maxsplit=1)[0]  # which tells of most, before a pattern is compiled
    return text.startswith(start) and fnmatchcase(text, pattern.replace("[", "[[]"))


def filled(text, context, wild):
    """`text` with its variables put in, as an fnmatch pattern; without `wild`, every sign stands for itself."""
    parts = re.split(r"(\$\{[^}]*\})", text) if context is not None else [text]
    return "".join(
        literal(variable(part[2:-1], context)) if index % 2 else part.replace("[", "[[]") if wild else literal(part)
        for index, part in enumerate(parts)
    )


def literal(text):
    return re.sub(r"([*?\[])", r"[\1]", text)


def variable(inside, context):
    if inside in ("*", "?", "$"):
        return inside
    name, comma, default = inside.partition(",")
    value = context.get(name.strip().lower())
    if value is None and comma:
        value = default.strip().strip("'")
    if not isinstance(value, str) or not value:
        raise Doubt
    return value


def same(value, text, context):
    return fnmatchcase(value, filled(text, context, wild=False))


def same_in_any_case(value, text, context):
    return fnmatchcase(value.lower(), filled(text, context, wild=False).lower())


def like(value, text, context):
    return fnmatchcase(value, filled(text, context, wild=True))


def arn_like(value, text, context):
    """Part by part: a star does not reach over a colon, save in the last part."""
    have, want = value.split(":", 5), filled(text, context, wild=True).split(":", 5)
    if len(have) != 6 or len(want) != 6:
        raise Doubt
    return all(fnmatchcase(one, other) for one, other in zip(have, want, strict=True))


def same_bool(value, text, _context):
    if {value.lower(), text.lower()} - {"true", "false"}:
        raise Doubt
    return value.lower() == text.lower()


def ordered(read, compare):
    return lambda value, text, _context: compare(read(value), read(text))


def moment(text):
    return datetime.fromisoformat(text)


def in_network(value, text, _context):
    return ip_address(value) in ip_network(text, strict=False)


COMPARE = {
    "StringEquals": same,
    "StringEqualsIgnoreCase": same_in_any_case,
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": same_bool,
    "IpAddress": in_network,
    "BinaryEquals": lambda value, text, _context: b64decode(value, validate=True) == b64decode(text, validate=True),
}
for family, reading in (("Numeric", Decimal), ("Date", moment)):
    COMPARE[f"{family}Equals"] = ordered(reading, lambda one, other: one == other)
    COMPARE[f"{family}LessThan"] = ordered(reading, lambda one, other: one < other)
    COMPARE[f"{family}LessThanEquals"] = ordered(reading, lambda one, other: one <= other)
    COMPARE[f"{family}GreaterThan"] = ordered(reading, lambda one, other: one > other)
    COMPARE[f"{family}GreaterThanEquals"] = ordered(reading, lambda one, other: one >= other)
POSITIVE = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}


# Contexts


def candidates(key, tests, known):
    """Values of an open key that could matter: absent, each that these tests want, its neighbours, a stranger."""
    found = {None, STRANGER}
    for operator, tested, wanted, _ in tests:
        if tested == key:
            ones = {one for text in wanted for one in neighbours(text, known)}
            found |= ones
            if ":" in operator:
                found |= {(), *((one, STRANGER) for one in ones)}
    return sorted(found, key=repr)


def neighbours(text, known):
    """Texts that the wanted one matches, and what lies just beside them."""
    plain = re.sub(r"\$\{([^},]+)[^}]*\}", lambda found: (known.get(found[1].lower()) or ("v",))[0] or "v", text)
    literally, plain = plain, plain.replace("*", "x").replace("?", "y")
    if re.fullmatch(r"-?\d{1,9}", plain):
        return {plain, str(int(plain) - 1), str(int(plain) + 1)}
    if re.match(r"\d{4}-\d\d-\d\d", plain):
        return {(moment(plain) + timedelta(days=days)).isoformat() for days in (-1, 0, 1)}
    if re.match(r"\d+\.\d+\.\d+\.\d+", plain):
        return {plain.split("/")[0], "203.0.113.9"}
    if plain.lower() in ("true", "false"):
        return {"true", "false"}
    return {plain, literally, plain.swapcase()}

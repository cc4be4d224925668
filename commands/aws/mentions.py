"""Which functions a function's environment variables name; nothing else of their values goes any further. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache

_ARN = re.compile(r"(arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]{1,140})(?::[\w$.*-]+)?", re.ASCII)
_NAME = re.compile(r"([\w-]{1,64})(?::[\w$.-]+)?", re.ASCII)


def mentioned(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Values that are a function's ARN, and values that may be its name where the key says that it is one.

    An alias or a version that stands behind is left out. What is no name of a function that exists is for `callers` to
    forget: that can only be told when all are known.
    """
    found = []
    for key, value in variables.items():
        if value.startswith("arn:"):
            match = _ARN.fullmatch(value)
        elif _speaks_of_a_function(key):
            match = _NAME.fullmatch(value)
        else:
            continue
        if match:
            found.append(match[1])
    return tuple(found)


def function_arn(text: str) -> str | None:
    """The function that an ARN names, without alias or version; None where the text is not exactly one's ARN."""
    match = _ARN.fullmatch(text)
    return match[1] if match else None


@lru_cache(4096)  # thousands of functions share a few keys
def _speaks_of_a_function(key: str) -> bool:
    upper = key.upper()
    return "FUNCTION" in upper or "LAMBDA" in upper

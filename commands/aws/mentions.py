"""Which functions a function's environment variables name; nothing else of their values goes any further. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache

_ARN = re.compile(
    r"(?<![\w-])(arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]{1,140})"
    r"(?![\w*?$%{<-])"  # what is longer, or a pattern, is no function's name
    r"(?::[\w$.*-]+)?",
    re.ASCII,
)
_NAME = re.compile(r"([\w-]{1,64})(?::[\w$.-]+)?", re.ASCII)


def mentioned(variables: Mapping[str, str]) -> tuple[str, ...]:
    """ARNs of functions, wherever in a value, and values that may be a function's name where the key says that one is.

    An alias or a version that stands behind is left out. What is no name of a function that exists is for `callers` to
    forget: that can only be told when all are known.
    """
    found: list[str] = []
    for key, value in variables.items():
        if ":function:" in value:  # few have it, and to search costs more
            found += _ARN.findall(value)
        elif _speaks_of_a_function(key) and (match := _NAME.fullmatch(value)):
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

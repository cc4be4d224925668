"""What is kept of a function's tags, so that a rule by tag can be held against them: marks, not what they say. Pure."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

# AWS alone gives tags that begin so. Others may hold a person's address, of which not even a mark is kept.
_OF_AWS, _ADDRESS = "aws:", "@"


@lru_cache(maxsize=10_000)
def mark(tag: str) -> str:
    """Of "key=value", as AWS has it: case counts."""
    return hashlib.blake2b(tag.encode(), digest_size=8).hexdigest()


def marks(tags: Mapping[str, str]) -> str:
    """Of all of them, with a space between; "" where there are none."""
    # A list, and a slice: an audit does this for each function, and a generator takes twice as long.
    own = tuple([item for item in tags.items() if item[0][:4] != _OF_AWS])
    return _marks(own) if own else ""


def markable(tag: str) -> bool:
    """Whether a rule can go by it."""
    return not tag.startswith(_OF_AWS) and _ADDRESS not in tag


@lru_cache(maxsize=10_000)
def _marks(tags: tuple[tuple[str, str], ...]) -> str:
    # Thousands of functions have the same tags.
    pairs = (f"{key}={value}" for key, value in tags)
    return " ".join(sorted(mark(pair) for pair in pairs if markable(pair)))

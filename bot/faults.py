"""Faults that nobody foresaw, in the log: with their traceback, but for those of the file, of which a line says all."""

import logging

from storage.trouble import trouble


def log_fault(log: logging.Logger, problem: BaseException, what: str, *arguments: object) -> None:
    """`what` and its arguments say what failed, as in "the outbox stumbled"."""
    why = trouble(problem)
    if why:
        log.error(f"{what}: the memory cannot be used, %s", *arguments, why)  # noqa: G004 - `what` is a format
    else:
        log.error(what, *arguments, exc_info=problem)


def cannot_keep(why: str, *, kept: bool) -> str:
    """What a person is told whose request met a file that cannot be used; `kept`: some of it stands already."""
    if kept:
        return (
            f"I could not go on: what I remember is in one file, and {why}. What was decided until then is kept, and "
            "goes on by itself when that is mended. Whoever runs Lamplighter finds it in the log."
        )
    return (
        f"Nothing was decided and nothing was changed: what I remember is in one file, and {why}. Try again when that "
        "is mended. Whoever runs Lamplighter finds it in the log."
    )

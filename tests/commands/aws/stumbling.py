"""What the workers of a test's cluster run in place of `read_chunk`; a module that they can import."""

import os
import threading

from commands.aws.chunks import Chunk, Part, read_chunk

STONE = "300000000005"


def stumbling(chunk: Chunk) -> Part:
    """Reads, but for one account that no code was written for."""
    if STONE in chunk.accounts:
        raise ZeroDivisionError("no such number")
    return read_chunk(chunk)


def dying(chunk: Chunk) -> Part:
    """Reads, but for one account that takes its worker along."""
    if STONE in chunk.accounts:
        os._exit(1)
    return read_chunk(chunk)


def waiting(chunk: Chunk) -> Part:
    """Reads, but comes to no end over one account."""
    if STONE in chunk.accounts:
        threading.Event().wait(120)
    return read_chunk(chunk)

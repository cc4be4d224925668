"""What the running bot writes to its log: its own lines, what libraries warn of, and no secret.

Libraries write whole requests and answers where they are told to debug: tokens, credentials of sessions, the values of
functions' environment variables. No such line passes, whatever level anybody has set. Of what passes, known secrets are
taken out by their values and others by their looks; of a traceback, too.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType

OURS = ("bot", "commands", "storage")
GONE = "(left out)"
OF_AWS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
SHORTEST = 8  # characters; what is shorter is no secret, and is part of words

_LOOKS = re.compile(
    r"\bx(?:ox[a-z]|app)-[\w-]+"  # Slack's tokens
    r"|\bhooks\.slack\.com/[^\s,'\"]+"  # where anybody may answer for the bot
    r"|(?<=\bticket=)[^\s&\"']+"  # of a Socket Mode connection
    r"|(?<=X-Amz-Security-Token=)[^\s&\"']+"
    r"|(?<=X-Amz-Signature=)[^\s&\"']+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # e-mail addresses
    re.IGNORECASE,
)


class _Passed(logging.Filter):
    """Ours whole; of libraries what they warn of."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


class _WithoutSecrets(logging.Formatter):
    def __init__(self, known: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._known = sorted({one for one in known if len(one) >= SHORTEST}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)  # the traceback with it
        for one in self._known:
            text = text.replace(one, GONE)
        return _LOOKS.sub(GONE, text)


def write_log(verbose: bool, known: Iterable[str] = (), environment: Mapping[str, str] = os.environ) -> None:
    """From now on, in this way alone. `known`: secrets beside those of AWS in the environment. May be called again."""
    handler = logging.StreamHandler()
    handler.addFilter(_Passed())
    handler.setFormatter(_WithoutSecrets([*known, *(environment.get(name, "") for name in OF_AWS)]))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    sys.excepthook = _uncaught
    threading.excepthook = lambda about: _uncaught(about.exc_type, about.exc_value, about.exc_traceback)


def _uncaught(kind: type[BaseException], problem: BaseException | None, where: TracebackType | None) -> None:
    if not issubclass(kind, SystemExit | KeyboardInterrupt):
        logging.getLogger(__name__).critical("nobody expected this", exc_info=(kind, problem or kind(), where))

"""The bot's log: its own lines, what libraries warn of, and no secret in either, tracebacks included."""

import io
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from bot.config import load
from bot.logs import OURS, write_log

BOT_TOKEN, SIGNING_SECRET = "xoxb-1-canary", "0123456789abcdef-canary"
AWS_KEY, AWS_SESSION = "wJalrXUtnFEMI/canary/bPxRfiCY", "IQoJb3JpZ2lu-canary/of+a/session=="


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the log writes; afterwards all is as it was."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    before = (root.level, root.handlers[:], {name: logging.getLogger(name).level for name in OURS})
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", AWS_SESSION)
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SIGNING_SECRET)
    root.handlers = []
    write_log(verbose=False, known=load().secrets)
    yield sys.stderr  # type: ignore[misc] # a StringIO, since just now
    sys.excepthook, threading.excepthook = hooks
    root.setLevel(before[0])
    root.handlers = before[1]
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)


def refuse(secret: str) -> None:
    raise ValueError(f"Invalid header value b'Bearer {secret}\\n'")


@pytest.mark.parametrize(
    "name", ["botocore.parsers", "slack_sdk.web", "urllib3", "aiohttp", "waitress", "root", "robot"]
)
@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_what_libraries_tell_beside_warnings_is_not_written_at_whatever_level(written, name, level):
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        logger.log(level, "Response body: {'SecretAccessKey': 'canary'}")
        logger.warning("a warning of theirs")
    finally:
        logger.setLevel(before)

    assert "canary" not in written.getvalue()
    assert "a warning of theirs" in written.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        BOT_TOKEN,
        SIGNING_SECRET,
        AWS_KEY,
        AWS_SESSION,
        "xoxe.xoxp-1-canary",  # another one of Slack's, by its looks
        "xapp-1-A0-canary",
        "hooks.slack.com/commands/T0/1/canary",
        "canary.person@example.com",
    ],
)
def test_a_secret_is_left_out_of_a_line_and_of_a_traceback(written, secret):
    log = logging.getLogger("bot.outbox")
    log.info("asked with %s, and more", secret)
    try:
        refuse(secret)
    except ValueError:
        log.exception("that failed")

    assert "asked with" in written.getvalue()
    assert "(left out), and more" in written.getvalue()
    assert "ValueError: Invalid header value" in written.getvalue()
    assert "canary" not in written.getvalue()


@pytest.mark.parametrize("kind", ["ticket", "X-Amz-Security-Token", "X-Amz-Signature"])
def test_what_opens_an_address_is_left_out_of_it(written, kind):
    logging.getLogger("slack_sdk").error("no answer from wss://wss-primary.slack.com/link/?%s=canary&app_id=A0", kind)

    assert f"{kind}=(left out)&app_id=A0" in written.getvalue()


def test_what_nobody_caught_is_written_without_secrets_too(written):
    def stumble() -> None:
        raise RuntimeError(f"no answer with {BOT_TOKEN}")

    thread = threading.Thread(target=stumble)
    thread.start()
    thread.join()
    try:
        stumble()
    except RuntimeError as problem:
        sys.excepthook(RuntimeError, problem, problem.__traceback__)

    assert written.getvalue().count("RuntimeError: no answer with (left out)") == 2
    assert "canary" not in written.getvalue()


def test_words_are_no_secrets(written, monkeypatch):
    monkeypatch.setattr(sys, "stderr", written)
    write_log(verbose=False, known=["bot"])
    logging.getLogger("bot.outbox").info("the bot is ready, and function box-app-one is arn:aws:lambda:x")

    assert "the bot is ready, and function box-app-one is arn:aws:lambda:x" in written.getvalue()

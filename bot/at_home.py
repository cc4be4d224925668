"""Brings a command's answers to whoever clicked in App Home: there is no channel to answer in, and no response_url.

The page itself is drawn anew; words come in a modal, which the click's trigger opens once and which is drawn over then.
"""

import logging
import threading

from slack_sdk import WebClient

from bot.replies import TOO_LATE, Deliver
from bot.slack_errors import NO_ANSWER, error_code
from commands._types import Background, OpenForm, Progress, PublishHome, Replace, Reply, Say
from commands.views.blocks import Block, section
from commands.views.form import result_view
from commands.views.home import notice_view

log = logging.getLogger(__name__)

TITLE = "Lamplighter"
MOST_PAGES = 1000  # that are remembered


class Homes:
    """Which page each person was last shown, so that what they do elsewhere shows there too."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(self, user: str, page: str) -> None:
        with self._lock:
            self._pages.pop(user, None)
            self._pages = dict([*self._pages.items(), (user, page)][-MOST_PAGES:])

    def page_of(self, user: str) -> str | None:
        """None for who has not opened it since the start."""
        with self._lock:
            return self._pages.get(user)


class ToHome:
    """`trigger_id` is empty where the page was opened and nothing was clicked: then words take the page's place."""

    def __init__(self, client: WebClient, homes: Homes, user: str, trigger_id: str = "") -> None:
        self._client, self._homes, self._user, self._trigger_id = client, homes, user, trigger_id
        self._opened = ""  # the modal's id
        self._above = ""  # words that no modal could show

    def __call__(self, reply: Reply) -> None:
        match reply:
            case PublishHome(view):
                self._publish(view)
            case OpenForm(view):
                self._show(view)
            case Say(text, blocks) | Replace(text, blocks):
                if self._trigger_id or self._opened:
                    self._show(result_view(TITLE, text, blocks))
                else:
                    self._publish(notice_view(text))
            case Progress() | Background():
                pass  # the page shows how far it is

    def _publish(self, view: Block) -> None:
        if self._above:
            view = {**view, "blocks": [section(self._above), *view["blocks"]][:100]}
        self._client.views_publish(user_id=self._user, view=view)
        self._homes.note(self._user, str(view.get("private_metadata") or ""))

    def _show(self, view: Block) -> None:
        try:
            if self._opened:
                self._client.views_update(view_id=self._opened, view=view)
                return
            opened = self._client.views_open(trigger_id=self._trigger_id, view=view).get("view") or {}
            self._opened = str(opened.get("id") or "")
        except NO_ANSWER as problem:
            # After three seconds no modal can be opened; the page is drawn again when all is done, with these words.
            log.warning("a modal could not be shown in App Home: %s", error_code(problem))
            self._above = _words(view) or TOO_LATE


def beside_home(deliver: Deliver, home: ToHome) -> Deliver:
    """Answers where they belong, and App Home drawn anew beside."""

    def either(reply: Reply) -> None:
        (home if isinstance(reply, PublishHome) else deliver)(reply)

    return either


def _words(view: Block) -> str:
    """What a modal that only tells says."""
    if view.get("submit"):
        return ""
    return "\n".join(str(block["text"]["text"]) for block in view["blocks"] if block.get("type") == "section")

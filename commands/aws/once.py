"""The same question asked once: what AWS answered a moment ago, for one fix that needs it in several places.

A fix looks at a function, plans, changes, reads back and looks again. What it may have changed, or somebody else may
have, is asked anew each time (`anew`, `forget`); what no fix changes (tags, event sources, AWS's own policies) is not.
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from commands.aws.credentials import acting_account

_READS = ("Get", "List", "Simulate")
_KEY = "lamplighter_question"  # in botocore's own record of a call
_AWS_POLICY = ":iam::aws:policy/"
_FUNCTION_ARN = re.compile(r"arn%3A[^/]*%3Afunction%3A")  # in a path; what is left is the name, and means the same


class Once:
    """Answers to reads that shared clients asked for inside `remembering`. For one thread at a time."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[Any, Any]] = {}  # HTTP answer and what botocore made of it
        self._anew: frozenset[str] = frozenset()

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """To be left before the thread does anything else: do not yield inside."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)

    def anew(self, *actions: str) -> None:
        """From now on these are asked each time."""
        self._anew |= set(actions)

    def forget_roles(self) -> None:
        """What IAM said, but for AWS's own policies, which no fix changes."""
        kept = {key: said for key, said in self._answers.items() if not key.startswith("iam ") or _AWS_POLICY in key}
        self._answers = kept

    def known(self, key: str, action: str) -> tuple[Any, Any] | None:
        found = None if action in self._anew else self._answers.get(key)
        return found and (found[0], copy.deepcopy(found[1]))  # botocore writes into it

    def keep(self, key: str, http: Any, said: Any) -> None:
        self._answers[key] = (http, copy.deepcopy(said))


_current: ContextVar[Once | None] = ContextVar("answers of this fix", default=None)


def forget_roles() -> None:
    """Have IAM asked anew, where a fix remembers what it said."""
    if once := _current.get():
        once.forget_roles()


def listen(client: Any) -> None:
    """Have a shared boto3 client answer from memory inside `remembering`; outside it changes nothing."""

    service = client.meta.service_model.service_id.hyphenize()

    def before(model: Any, params: Any, context: Any, **_: object) -> tuple[Any, Any] | None:
        once = _current.get()
        if once is None or not model.name.startswith(_READS):
            return None
        path = _FUNCTION_ARN.sub("", params["url_path"])
        asked = f"{model.name} {path} {params['query_string']!r} {params['body']!r}"
        context[_KEY] = key = f"{service} {client.meta.region_name} {acting_account()} {asked}"
        return once.known(key, model.name)

    def after(http_response: Any, parsed: Any, context: Any, **_: object) -> None:
        once, key = _current.get(), context.get(_KEY)
        if once and key and http_response.status_code < 300:
            once.keep(key, http_response, parsed)

    client.meta.events.register(f"before-call.{service}", before)
    client.meta.events.register_first(f"after-call.{service}", after)  # before botocore decodes policies

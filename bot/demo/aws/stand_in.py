"""The server: every call is recorded, checked, and answered by a completion or else by moto."""

import logging
import socket
import threading
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Self

from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import run_wsgi_app

from bot.demo.aws.aggregators import Aggregators
from bot.demo.aws.alarms import Alarms
from bot.demo.aws.budgets import Budgets
from bot.demo.aws.cost_explorer import CostExplorer
from bot.demo.aws.functions import Functions, Reference
from bot.demo.aws.holds import Hold, Holds
from bot.demo.aws.knobs import Clock, Knobs, utc_now
from bot.demo.aws.lambdas import EventSources, Lambdas
from bot.demo.aws.limits import Buckets, Rhythm, Rule, throttled
from bot.demo.aws.listings import Regions, Tags
from bot.demo.aws.managed_policies import make_once
from bot.demo.aws.metrics import Metrics
from bot.demo.aws.organizations import Organizations
from bot.demo.aws.pricing import Pricing
from bot.demo.aws.protocol import (
    Answer,
    AwsError,
    Call,
    Environ,
    Handler,
    Request,
    StartResponse,
    failure,
    from_moto,
    read,
    success,
)
from bot.demo.aws.queues import Queues
from bot.demo.aws.roles import Roles
from bot.demo.aws.seeding import Seeding
from bot.demo.aws.sessions import Session, Sessions, denied
from bot.demo.aws.simulator import Simulator
from bot.demo.aws.trail import Change, Trail, changes
from bot.demo.aws.xray import XRay

log = logging.getLogger(__name__)
# To a GET of a service's address by nobody; its head bears the date, as every answer's does.
_UNSIGNED = Answer(
    403,
    b"<ErrorResponse><Error><Code>MissingAuthenticationToken</Code></Error></ErrorResponse>",
    {"Content-Type": "text/xml"},
)
_running = threading.Lock()


@cache
def _moto() -> DomainDispatcherApplication:
    """moto's applications, one for each service. They know no account, and their routes take long to compile; to tell
    whose a host is, moto lists its own folders each time."""
    made = DomainDispatcherApplication(create_backend_app)
    made.get_backend_for_host = cache(made.get_backend_for_host)  # type: ignore[method-assign]  # moto offers no way in
    return made


class AwsStandIn(Seeding):
    """AWS on loopback.

    moto keeps its state in the process, so one can run at a time, and not inside `mock_aws`. Everything is empty
    at `start`. Keys that nobody issued act as the unrestricted owner of account 123456789012; keys of IAM users and of
    assumed roles may do what their policies say.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        iam_delay: timedelta = timedelta(seconds=4),
        lambda_update: timedelta = timedelta(seconds=1),
        clock: Clock = utc_now,
        calls_per_second: float | None = 15,
        policies_per_role: int = 10,
        regions: tuple[str, ...] = ("eu-central-1", "us-east-1"),
        aws_policies: bool = True,  # AWS's own, of which moto needs 0.3 s to load all for each account
    ) -> None:
        knobs = Knobs(clock, iam_delay, lambda_update, calls_per_second, policies_per_role, regions)
        self._port, self._knobs, self._aws_policies = port, knobs, aws_policies
        self.roles = Roles(knobs)
        self.simulator = Simulator(self.roles)
        self.functions = Functions(knobs, self.roles.may_trace)
        self.event_sources = EventSources(self.functions, knobs)
        self.aggregators = Aggregators(self.functions, knobs)
        self.regions = Regions(knobs)
        self.metrics = Metrics(knobs)
        self.alarms = Alarms(knobs)
        self.organizations = Organizations()
        self.xray = XRay(self.functions, self.metrics, knobs)
        self.pricing = Pricing()
        self.costs = CostExplorer(knobs, self.organizations)
        self.budgets = Budgets(knobs)
        self.queues = Queues()
        self.trail = Trail(self.queues)
        self._tags, self._sessions = Tags(), Sessions(knobs, self.roles)
        self._buckets = Buckets(knobs.calls_per_second)
        self._denied: list[Rule] = []
        self._throttled: list[Rule | Rhythm] = []
        self._cut: list[tuple[Rule, bool]] = []
        self._calls: list[Call] = []
        self._changes: list[Change] = []
        self._holds = Holds()
        self._lock = threading.RLock()
        self._handlers = self._table()
        self._moto = _moto()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._config_before = default_user_config.copy()

    def _table(self) -> Mapping[tuple[str, str], Handler]:
        lambdas = {**Lambdas(self.functions, self._knobs).handlers(), **self.event_sources.handlers()}
        services: dict[str, Mapping[str, Handler]] = {
            "lambda": lambdas,
            "iam": {**self.roles.handlers(), **self.simulator.handlers()},
            "sts": self._sessions.handlers(),
            "resourcegroupstaggingapi": self._tags.handlers(),
            "config": self.aggregators.handlers(),
            "ec2": self.regions.handlers(),
            "account": {"ListRegions": self.regions.list},
            "cloudwatch": {**self.metrics.handlers(), **self.alarms.handlers()},
            "organizations": self.organizations.handlers(),
            "xray": self.xray.handlers(),
            "pricing": self.pricing.handlers(),
            "ce": self.costs.handlers(),
            "budgets": self.budgets.handlers(),
            "sqs": self.queues.handlers(),
        }
        return {(service, action): handler for service, table in services.items() for action, handler in table.items()}

    def start(self) -> None:
        """Serve on 127.0.0.1 from a thread, with nothing in any account."""
        if not _running.acquire(blocking=False):
            raise RuntimeError("another AwsStandIn runs in this process, and moto's state is the process's")
        try:
            server = make_server("127.0.0.1", self._port, self._application, threaded=True, request_handler=_Quiet)
        except SystemExit as gone:  # werkzeug's word for a port that is taken
            _running.release()
            raise OSError(f"port {self._port} on 127.0.0.1 is taken") from gone
        self._server = server
        make_once()
        BackendDict.reset()
        mock_random.seed(1)  # what moto makes up, access keys among it, is the same each time
        self._config_before = default_user_config.copy()
        default_user_config["lambda"] = {"use_docker": False}
        default_user_config["iam"] = {"load_aws_managed_policies": self._aws_policies}
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="aws-stand-in", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and forget everything."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None
        default_user_config.update(self._config_before)
        BackendDict.reset()  # builds every backend anew, so without AWS's 1,582 policies
        _running.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL shall be; known once started."""
        if self._server is None:
            raise RuntimeError("start() comes first")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def calls(self) -> list[Call]:
        """Every signed call so far, oldest first; the refused ones too."""
        with self._lock:
            return list(self._calls)

    @property
    def changes(self) -> list[Change]:
        """Every call that changed a function or a role, oldest first; what is seeded is no call."""
        with self._lock:
            return list(self._changes)

    @property
    def sessions(self) -> list[Session]:
        """Every role that was assumed, oldest first."""
        with self._lock:
            return list(self._sessions.issued.values())

    def function(self, arn: str) -> dict[str, Any]:
        """What GetFunctionConfiguration would say now; `arn` may name a version or an alias."""
        region, account = arn.split(":")[3:5]
        reference = Reference.of(arn)
        with self._lock:
            return self.functions.describe(self.functions.find(account, region, reference), reference.qualifier)

    def deny(
        self,
        *,
        account: str | None = None,
        region: str | None = None,
        service: str | None = None,
        action: str | None = None,
        by: str = "",
    ) -> None:
        """Refuse matching calls from now on, as an SCP would; what is not given matches everything.

        `by`: what has the explicit deny, as in "a service control policy"; else the words are those of a missing allow.
        """
        with self._lock:
            self._denied.append(Rule(account, region, service, action, by=by))

    def fail(
        self,
        code: str,
        status: int,
        *,
        account: str | None = None,
        region: str | None = None,
        service: str | None = None,
        action: str | None = None,
    ) -> None:
        """Answer matching calls with this error from now on."""
        with self._lock:
            refusal = AwsError(code, "It does not work", status)
            self._denied.append(Rule(account, region, service, action, refusal=refusal))

    def throttle(
        self,
        times: int = 1,
        *,
        account: str | None = None,
        region: str | None = None,
        service: str | None = None,
        action: str | None = None,
    ) -> None:
        """Throttle the next `times` matching calls; mind that boto3 tries again by itself."""
        with self._lock:
            self._throttled.append(Rule(account, region, service, action, times))

    def throttle_every(self, every: int, *, service: str | None = None) -> None:
        """Throttle one call in `every` from now on, of one service or of all."""
        with self._lock:
            self._throttled.append(Rhythm(every, service))

    def cut(self, times: int = 1, *, done: bool, service: str | None = None, action: str | None = None) -> None:
        """Break the connection of the next `times` matching calls: before they are carried out, or, where `done`,
        before they are answered. Mind that boto3 tries again by itself."""
        with self._lock:
            self._cut.append((Rule(None, None, service, action, times), done))

    def forgive(self) -> None:
        """Forget every `deny`, `fail` and `throttle`."""
        with self._lock:
            self._denied.clear()
            self._throttled.clear()

    def mend(self) -> None:
        """Forget every `cut`."""
        with self._lock:
            self._cut.clear()

    def hold(self, action: str, *, done: bool) -> Hold:
        """Hold up the next call of `action`: before it is carried out, or, where `done`, before it is answered."""
        return self._holds.add(action, done=done)

    def settle(self) -> None:
        """Let every IAM change count and every function update be over, without waiting for the clock."""
        with self._lock:
            self.roles.settle()
            self.functions.finish()

    def _application(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = read(environ)
        if request is None:
            if environ.get("PATH_INFO") == "/" and environ.get("REQUEST_METHOD") == "GET":
                return _UNSIGNED.send(start_response)
            return self._ask_moto(environ, start_response, None)
        if request.service == "sqs" and request.action == "ReceiveMessage":
            self.queues.wait(request)
        hold = self._holds.take(request)
        if hold and not hold.done:
            hold.wait()
            if hold.lost:
                return failure(request, AwsError("ServiceException", "It never came", 500)).send(start_response)
        written = changes(request) and bool(request.params)  # before somebody else reads the request
        with self._lock:  # moto's backends are not made for threads
            cut = next((done for rule, done in self._cut if rule.takes(request)), None)
            if cut is False:
                return _broken(environ, start_response)
            given = self._carry_out(request, environ, start_response, written=written, cut=bool(cut))
        if hold and hold.done:
            hold.wait()
        return given

    def _carry_out(
        self, request: Request, environ: Environ, start_response: StartResponse, *, written: bool, cut: bool
    ) -> Iterable[bytes]:
        """`written`: it is one of those that are remembered where they go well; `cut`: nobody hears the answer."""
        try:
            answer = self._answer(request)
        except AwsError as error:
            answer = failure(request, error)
        status: list[str] = []

        def begin(line: str, headers: list[tuple[str, str]]) -> object:
            status.append(line)
            return None if cut else start_response(line, headers)

        given = answer.send(begin) if answer else self._ask_moto(environ, begin, request)
        if written and status[0].startswith("2"):
            self._changed(request, cut=cut)
        return _broken(environ, start_response) if cut else given

    def _changed(self, request: Request, *, cut: bool) -> None:
        now, by = self._knobs.clock(), self._sessions.principal(request.access_key).arn
        self._changes.append(Change(request.account, request.action, request.params, now, by, cut))
        self.trail.write(request, now)

    def _ask_moto(self, environ: Environ, start_response: StartResponse, request: Request | None) -> Iterable[bytes]:
        """moto's answer; where it has none, an error that says so and that no client tries again."""
        try:
            body, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        except Exception as problem:  # moto raises whatever it stumbles over; the client gets it as an answer
            log.warning(
                "moto failed on %s: %s", environ.get("PATH_INFO"), problem, exc_info=log.isEnabledFor(logging.DEBUG)
            )
            body, status, headers = [], "500 Internal Server Error", Headers()
        missing = status.startswith(("404", "500")) and not headers.get("Content-Type", "").endswith(("json", "xml"))
        if request is None or not missing:
            start_response(status, list(headers))
            return body
        text = f"The stand-in has no {request.service}:{request.action}"
        return failure(request, AwsError("NotImplemented", text, 501)).send(start_response)

    def _answer(self, request: Request) -> Answer | None:
        """The answer of a completion; None where moto's own will do."""
        self._admit(request)
        handler = self._handlers.get((request.service, request.action))
        try:
            result = handler(request) if handler else None
        except (HTTPException, ServiceException) as problem:  # the two families in which moto's backends answer
            raise from_moto(problem) from problem
        if result is None:
            self._tags.before(request)
            if request.service == "iam":
                self.roles.before(request)
            return None
        return result if isinstance(result, Answer) else success(request, result)

    def _admit(self, request: Request) -> None:
        """Record the call; refuse it where it is too much, forbidden, or not allowed to who makes it."""
        principal = self._sessions.principal(request.access_key)
        request.account = principal.account
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = request.account  # saves moto its own search through all accounts
        where, now = (request.account, request.region), self._knobs.clock()
        self._calls.append(Call(*where, request.service, request.action, now, principal.arn))
        if any(rule.takes(request) for rule in self._throttled):
            raise throttled(request)
        self._buckets.take(request)
        for rule in self._denied:
            if rule.takes(request):
                raise rule.refusal or denied(request, principal, f"{request.service}:{request.action}", "*", rule.by)
        self._sessions.authorize(request, principal)


def _broken(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """No answer: the connection ends here."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    start_response("500 Gone", [])
    return []


class _Quiet(MotoRequestHandler):
    """Says nothing about requests, unless somebody debugs."""

    def log(self, _: str, message: str, *args: Any) -> None:
        log.debug(message, *args)

"""What AWS's events lead to: the functions are read again, and a team is told of what is untraced since."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from commands._answers import function_of
from commands._audits import remember
from commands._in_sight import is_in_sight
from commands._moved import give_a_row
from commands._reread import NOT_SEEN, Seen, read_again
from commands._schedule import Frequency
from commands._types import Answer, Context, Progress, Request, Say
from commands.aws.errors import AwsProblem
from commands.views.deployed import not_ours_text
from commands.views.text import listing
from storage.deployments import WhyDark
from storage.digests import Was
from storage.events import Watched
from storage.fixes import RequestState
from storage.models import CheckName, DecisionKind, Function, MayWrite, PostKind, TracingMode, Verdict

# A team's message takes what is told within so long after the last that it took, and no longer than an hour in all:
# one deployment is one message, and the next one another.
GATHER, LONGEST_GATHER = timedelta(minutes=5), timedelta(hours=1)
PLACES_AT_ONCE = 8
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
MOST_STUMBLES = 3  # one by one; where more cannot be kept, it is not these functions
NAMED = 10  # in one line of the log
MOST_ATTEMPTS = 15  # an hour; after that it is the daily audit's
UNDONE_JUST_NOW = timedelta(minutes=15)
_TOLD = (Was.UNTRACED, Was.SNOOZED, Was.UNKNOWN)

log = logging.getLogger(__name__)

Place = tuple[str, str]  # account and region


def look(request: Request, context: Context) -> Answer:
    """Look at what events have told of and that is quiet by now. What was looked at is forgotten in the transaction
    that keeps what came of it, so that a run that was cut short repeats and forgets nothing."""
    store = context.store
    for number in store.deployments.pointless():
        store.posts.abandon(number, "overtaken")
    due = store.events.due(request.now, context.events.debounce)
    if not due:
        return
    sight = _Sight(context)
    places = _by_place(context, sight, [one for one in due if not one.is_role])
    roles = {one: set[Place]() for one in due if one.is_role}
    for role, one in list(store.events.with_roles(roles)):
        place = (one.account, one.region)
        if sight.of(*place):
            roles[role].add(place)
            places.setdefault(place, {}).setdefault(one.name, one)
    failed: set[Place] = set()
    with ThreadPoolExecutor(PLACES_AT_ONCE, thread_name_prefix="events") as pool:
        for place, told in pool.map(lambda each: (each[0], _look_at(context, *each)), places.items()):
            if told is None:
                failed.add(place)
            elif told.total():
                yield Progress(f"{place[0]} {place[1]}: {told['seen']} functions looked at again, {told['said']} told")
    for one, where in roles.items():
        if where & failed:
            _again(context, [one])
        else:
            store.events.done(one)


def not_ours(request: Request, context: Context) -> Answer:
    """Answer *Not ours*: what says whose the function is, and how that is changed."""
    found = function_of(context, request.value)
    yield found if isinstance(found, Say) else Say(not_ours_text(found[1], context.teams.tag_keys))


class _Sight:
    """Which places are looked after, each asked for once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[Place, bool | None] = {}

    def of(self, account: str, region: str) -> bool | None:
        """None where AWS would not say."""
        place = (account, region)
        if place not in self._known:
            try:
                self._known[place] = is_in_sight(self._context, account, region)
            except AwsProblem as problem:
                log.warning("whether %s %s is looked after cannot be said now: %s", account, region, problem)
                self._known[place] = None
        return self._known[place]


def _by_place(context: Context, sight: _Sight, due: Iterable[Watched]) -> dict[Place, dict[str, Watched]]:
    """Those in accounts and regions that are looked after, by name; the others are forgotten here."""
    places: dict[Place, dict[str, Watched]] = {}
    for one in due:
        seen = sight.of(one.account, one.region)
        if seen:
            places.setdefault((one.account, one.region), {})[one.name] = one
        elif seen is None:
            _again(context, [one])
        else:
            context.store.events.done(one)
    return places


def _look_at(context: Context, place: Place, watched: Mapping[str, Watched]) -> Counter[str] | None:
    """What was seen and said, in numbers; None where something is to be asked again."""
    if context.ending.is_set():
        return None  # it is looked at after the next start
    try:
        seen = read_again(context, *place, {name: one.created for name, one in watched.items()})
    except Exception:  # one place that nobody foresaw must not keep back the others; it is asked again later
        log.exception("what events told of %s %s could not be looked at", *place)
        _again(context, watched.values())
        return None
    try:
        return _keep(context, place, watched, seen)
    except Exception:  # whichever of them nobody foresaw
        log.exception("what AWS said of %s %s could not be kept together, and is kept one by one", *place)
    return _keep_each(context, place, watched, seen)


def _keep_each(context: Context, place: Place, watched: Mapping[str, Watched], seen: Seen) -> Counter[str] | None:
    """So that one function that nobody foresaw does not keep back the others of its place. Where it is not one alone,
    the rest waits, too."""
    done, waiting, stumbled = Counter[str](), False, 0
    for name, one in watched.items():
        if stumbled < MOST_STUMBLES:
            try:
                kept = _keep(context, place, {name: one}, seen.only(name))
            except Exception:  # it alone is asked about again
                log.exception("what AWS said of %s could not be kept", name)
                stumbled += 1
            else:
                done += kept or Counter()
                waiting = waiting or kept is None
                continue
        _again(context, [one])
        waiting = True
    return None if waiting else done


def _keep(context: Context, place: Place, watched: Mapping[str, Watched], seen: Seen) -> Counter[str] | None:
    store = context.store
    told: dict[str | None, dict[str, WhyDark]] = {}
    with store.transaction():
        known = place in store.places.known()
        remember(context, seen.functions.values(), seen.asked_at)
        for name in seen.gone:
            _mark_gone(context, place, name, seen)
        after = {one.name: one for one in store.functions.of([one.arn for one in seen.functions.values()])}
        news = _News(context, after.values())
        for name, function in after.items():
            why = _why(watched[name], function, known=known)
            if why and news.has(watched[name], function):
                told.setdefault(function.team, {})[function.arn] = why
        for team, functions in told.items():
            _tell(context, team, functions)
        for name in [*seen.functions, *seen.gone]:
            if name in watched:
                store.events.done(watched[name], str(after[name].verdict) if name in after else "")
        left = _give_up_or_wait(context, watched, seen)
    return None if left else Counter(seen=len(seen.functions), said=sum(map(len, told.values())))


def _mark_gone(context: Context, place: Place, name: str, seen: Seen) -> None:
    for function in context.store.functions.named(name):
        if (function.account, function.region) == place:
            context.store.functions.mark_gone(function.arn, seen.asked_at)
    remember(context, [], seen.asked_at)  # ends the requests that nobody needs any more


def _give_up_or_wait(context: Context, watched: Mapping[str, Watched], seen: Seen) -> bool:
    """Whether something is to be asked again."""
    again = []
    for name, problem in seen.failed.items():
        one = watched[name]
        if problem.transient or problem.code == NOT_SEEN:
            again.append(one)
        else:
            log.warning("an event told of %s, and AWS will not say how it is: %s", name, problem)
            context.store.events.done(one, one.was)
    return _again(context, again)


def _again(context: Context, ones: Iterable[Watched]) -> bool:
    """Ask later; what was asked too often is left to the daily audit, which says what it could not see."""
    waiting, given_up = list[Watched](), list[Watched]()
    for one in ones:
        (given_up if one.attempts >= MOST_ATTEMPTS else waiting).append(one)
    for one in given_up:
        context.store.events.done(one, one.was)
    if given_up:
        names = listing(sorted(f"{one.name} in {one.account}" for one in given_up), NAMED)
        log.warning("left to the daily audit after %d attempts: %s", MOST_ATTEMPTS, names)
    for one in waiting:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(one.attempts, 10))
        context.store.events.later([one], context.clock() + wait)
    return bool(waiting)


def _why(one: Watched, function: Function, *, known: bool) -> WhyDark | None:
    """Why it is told of, if it is; `known`: whether an audit has told of its place, and so of what was there before."""
    if function.verdict is not Verdict.UNTRACED or one.was == Verdict.EXEMPT:
        return None
    if one.created:
        return WhyDark.DEPLOYED
    if not one.was:
        return WhyDark.DEPLOYED if known else None
    if one.was == Verdict.UNTRACED:
        return None
    if function.mode is not TracingMode.ACTIVE:
        return WhyDark.SWITCHED_OFF
    if function.role_may_write is MayWrite.NO:
        return WhyDark.ROLE
    if any(finding.check is CheckName.ALIAS_UNTRACED for finding in function.findings):
        return WhyDark.ALIAS
    return WhyDark.OTHER


class _News:
    """What of these functions their teams were not told, want to hear and did not decide on here; asked of memory once
    for all of them, in the transaction in which they were kept."""

    def __init__(self, context: Context, functions: Iterable[Function]) -> None:
        self._context = context
        dark = [one for one in functions if one.verdict is Verdict.UNTRACED]
        naps = context.store.snoozes.in_force(context.clock())
        self._asleep = {nap.function_arn for nap in naps if nap.function_arn}
        self._quiet = {nap.team for nap in naps if not nap.function_arn}
        self._said = context.store.deployments.still_said(dark)
        self._digests = {team: context.store.digests.of_team(team) for team in {one.team for one in dark}}

    def has(self, one: Watched, function: Function) -> bool:
        if self._context.schedule.of_team(function.team).frequency is Frequency.NEVER:
            return False
        if function.team in self._quiet or function.arn in self._asleep or function.arn in self._said:
            return False
        return not (self._digest_told(function) or self._was_decided(one, function))

    def _digest_told(self, function: Function) -> bool:
        told, since = self._digests[function.team], self._context.store.functions.since(function.arn)
        known = told is not None and told.known.get(function.arn) in _TOLD
        return known and since is not None and told is not None and since <= told.looked_at

    def _was_decided(self, one: Watched, function: Function) -> bool:
        """Whether somebody took its fix back just now, or it is being taken back."""
        live = self._context.store.requests.live(function.arn)
        if live is not None and live.state is RequestState.UNDOING:
            return True
        turn = self._context.store.decisions.last_turn(function.arn)
        undone = turn is not None and turn.kind is DecisionKind.UNDONE and turn.at >= one.first_at - UNDONE_JUST_NOW
        return undone and not one.created


def _tell(context: Context, team: str | None, functions: Mapping[str, WhyDark]) -> None:
    """In the message that still takes some, or in a new one."""
    store, now = context.store, context.clock()
    found = {one.arn: store.requests.open_for(one, now) for one in store.functions.of(list(functions))}
    for one in found.values():
        store.requests.forget_plan(one.id)
        give_a_row(context, one)
    store.posts.redraw_digest(team)
    requests = [one.id for one in found.values()]
    number = store.deployments.gathering(team, now - GATHER, now - LONGEST_GATHER)
    if number is None:
        key = f"deployed:{team or ''}:{now.isoformat()}:{requests[0]}"
        post = store.posts.create(
            key, PostKind.DEPLOYED, context.teams.channel_of(team), now, team=team, requests=requests
        )
        if post is None:
            raise AssertionError("a request is open once, and its id stands in the key")
        number = post.id
    else:
        shown = store.posts.requests_of(number)
        store.posts.show(number, [*shown, *(one for one in requests if one not in shown)])
        store.posts.redraw(number)
    store.deployments.say(number, functions, team, now)

"""How functions were on a day that is over, beside what the days themselves have shown."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlite_utils import Database

from commands._production import Production
from storage.models import Coverage, Function, TracingMode, Verdict
from storage.past import PastVerdict
from storage.schema import migrations
from storage.store import Store
from tests.memory import new_store
from tests.storage.conftest import NOON

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PLACE = ("111122223333", "eu-central-1")

Make = Callable[..., Function]


def verdicts(store: Store, arn: str, days: int) -> list[str | None]:
    """Of the end of each day."""
    found = [store.past.verdict_at(arn, NOON + day * DAY) for day in range(days)]
    return [one and str(one.verdict) for one in found]


def test_each_day_is_as_it_was(store: Store, make_function: Make) -> None:
    dark, lit = make_function(), make_function(verdict=Verdict.TRACED)
    for day, function in enumerate([dark, dark, lit, lit, dark]):
        store.functions.save([function], NOON + day * DAY)

    assert verdicts(store, dark.arn, 6) == ["untraced", "untraced", "traced", "traced", "untraced", "untraced"]
    assert store.past.verdict_at(dark.arn, NOON - MINUTE) is None
    assert store.past.verdict_at(dark.arn, NOON + 3 * DAY) == PastVerdict(
        dark.arn,
        *PLACE,
        "refund-worker",
        Verdict.TRACED,
        "payments",
        None,
        since=NOON + 2 * DAY,
        until=NOON + 4 * DAY,
    )
    assert store.past.coverage_at(NOON + 2 * DAY) == {"payments": Coverage(traced=1)}
    assert store.past.coverage_at(NOON - MINUTE) == {}


def test_what_does_not_change_makes_no_rows(tmp_path: Path, make_function: Make) -> None:
    store = new_store(tmp_path / "memory.db")
    functions = [make_function(f"f{number}") for number in range(50)]
    for day in range(5):
        store.functions.save(functions, NOON + day * DAY)
    store.functions.save([structs.replace(functions[0], verdict=Verdict.TRACED)], NOON + 5 * DAY)
    store.close()

    assert [Database(tmp_path / "memory.db")[table].count for table in ("past", "past_functions")] == [1, 1]


def test_a_function_that_went_and_came_back_was_away_between(store: Store, make_function: Make) -> None:
    one = make_function()
    store.functions.save([one], NOON)
    store.functions.mark_unseen_gone([PLACE], NOON + DAY)
    store.functions.set_verdict(one.arn, Verdict.EXEMPT, NOON + 2 * DAY)  # decided of what is no longer there
    store.functions.save([one], NOON + 3 * DAY)

    assert verdicts(store, one.arn, 5) == ["untraced", None, None, "untraced", "untraced"]
    assert store.past.coverage_at(NOON + 2 * DAY) == {}


def test_one_made_anew_under_its_name_goes_on_from_where_the_other_ended(store: Store, make_function: Make) -> None:
    one = make_function()
    store.functions.save([one], NOON)
    store.changes.part_with(one.arn, NOON + DAY)
    store.functions.save([structs.replace(one, verdict=Verdict.TRACED)], NOON + DAY)

    assert verdicts(store, one.arn, 2) == ["untraced", "traced"]


def test_outside_of_the_settings_it_is_not_counted(store: Store, make_function: Make) -> None:
    one = make_function()
    store.functions.save([one], NOON)
    store.functions.mark_gone_outside(["999999999999"], [], [], NOON + DAY)
    store.functions.save([one], NOON + 2 * DAY)

    assert verdicts(store, one.arn, 3) == ["untraced", None, "untraced"]
    assert store.past.not_known_at(NOON + DAY) == 0


def test_what_people_decide_between_audits_counts_from_then(store: Store, make_function: Make) -> None:
    one = make_function(team=None)
    store.functions.save([one], NOON)
    store.functions.set_team(structs.replace(one, team="orders"), NOON + DAY)
    store.functions.set_verdict(one.arn, Verdict.EXEMPT, NOON + 2 * DAY)
    store.functions.amend(structs.replace(one, verdict=Verdict.TRACED), NOON + 3 * DAY)

    found = [store.past.coverage_at(NOON + day * DAY) for day in range(4)]
    assert found == [
        {None: Coverage(untraced=1)},
        {"orders": Coverage(untraced=1)},
        {"orders": Coverage(exempt=1)},
        {"orders": Coverage(traced=1)},
    ]


def test_decisions_of_one_moment_are_one_change(store: Store, make_function: Make) -> None:
    one = make_function()
    store.functions.save([one], NOON)
    store.functions.set_verdict(one.arn, Verdict.EXEMPT, NOON + DAY)
    store.functions.set_team(structs.replace(one, team="orders"), NOON + DAY)
    store.functions.set_team(structs.replace(one, team="orders"), NOON + 2 * DAY)  # nothing new

    assert store.past.coverage_at(NOON + DAY - MINUTE) == {"payments": Coverage(untraced=1)}
    assert store.past.coverage_at(NOON + DAY) == {"orders": Coverage(exempt=1)}
    now = store.past.verdict_at(one.arn, NOON + 3 * DAY)
    assert now is not None
    assert (now.since, now.until) == (NOON + DAY, None)


def test_an_audit_that_was_under_way_takes_nothing_back(store: Store, make_function: Make) -> None:
    # Begun before midnight, ended after it; the exemption was granted meanwhile, after midnight.
    one = make_function()
    store.functions.save([one], NOON)
    midnight = NOON + 12 * HOUR
    store.functions.set_verdict(one.arn, Verdict.EXEMPT, midnight + 5 * MINUTE)
    store.functions.save([structs.replace(one, verdict=Verdict.EXEMPT)], midnight - MINUTE, midnight + 9 * MINUTE)

    before, after = (store.past.verdict_at(one.arn, midnight + minutes * MINUTE) for minutes in (-1, 5))
    assert (before and before.verdict, after and after.verdict) == (Verdict.UNTRACED, Verdict.EXEMPT)


@pytest.mark.parametrize("seen", list(Verdict), ids=str)
def test_what_a_clock_wrote_that_was_set_back_gives_way(store: Store, make_function: Make, seen: Verdict) -> None:
    one = make_function()
    store.functions.save([one], NOON)
    store.functions.save([structs.replace(one, verdict=Verdict.TRACED)], NOON + 5 * DAY)
    store.functions.save([structs.replace(one, verdict=Verdict.NOT_APPLICABLE)], NOON + 6 * DAY)

    store.functions.save([structs.replace(one, verdict=seen)], NOON + 2 * DAY, NOON + 2 * DAY)

    assert verdicts(store, one.arn, 8) == ["untraced", "untraced", *[str(seen)] * 6]
    for day in (5, 7):  # and it goes on from there
        store.functions.set_verdict(one.arn, Verdict.EXEMPT if day == 5 else Verdict.TRACED, NOON + day * DAY)
    assert verdicts(store, one.arn, 8) == ["untraced", "untraced", *[str(seen)] * 3, "exempt", "exempt", "traced"]
    counts = [store.past.coverage_at(NOON + day * DAY)["payments"] for day in range(8)]
    assert [sum((one.traced, one.untraced, one.exempt, one.not_applicable, one.unknown)) for one in counts] == [1] * 8


def test_a_team_that_was_given_after_the_clock_was_set_back_has_it_from_then(store: Store, make_function: Make) -> None:
    one = make_function(team=None)
    store.functions.save([one], NOON)
    store.functions.save([one], NOON + 5 * DAY)

    store.functions.set_team(structs.replace(one, team="orders"), NOON + 2 * DAY)

    assert [list(store.past.coverage_at(NOON + day * DAY)) for day in (1, 2, 6)] == [[None], ["orders"], ["orders"]]


def test_production_is_as_the_tags_of_then_and_the_settings_of_now_say(store: Store, make_function: Make) -> None:
    one, test = make_function("checkout", production=True), make_function("checkout-test", production=False)
    other = make_function("other", account="222222222222", production=False)
    store.functions.save([one, test, other], NOON)
    store.functions.save([structs.replace(one, production=False), structs.replace(test, production=None)], NOON + DAY)

    def covered(day: int, **rule: tuple[str, ...]) -> int:
        counts = store.past.coverage_at(NOON + day * DAY, Production(**rule))
        return Coverage.sum(counts.values()).untraced

    assert [covered(day) for day in (0, 1)] == [3, 3]
    assert [covered(day, tags=("env=prod",)) for day in (0, 1)] == [1, 1]
    assert [covered(day, accounts=("222222222222",)) for day in (0, 1)] == [1, 1]
    assert [covered(day, names=("check*",), tags=("env=prod",)) for day in (0, 1)] == [2, 2]
    assert [covered(day, names=("check[!o]*", "*-test")) for day in (0, 1)] == [1, 1]


def test_functions_are_listed_by_team_and_name_page_by_page(store: Store, make_function: Make) -> None:
    store.functions.save(
        [make_function("b"), make_function("a"), make_function("c", team=None), make_function("d", team="orders")], NOON
    )
    store.functions.save([make_function("a", verdict=Verdict.TRACED)], NOON + DAY)

    def names(**wanted: object) -> list[str]:
        return [one.name for one in store.past.functions_at(NOON, **wanted)]  # type: ignore[arg-type] # pages of it

    assert names() == ["d", "a", "b", "c"]
    assert names(start=1, size=2) == ["a", "b"]
    assert names(teams=["payments", ""]) == ["a", "b", "c"]
    assert names(verdict=Verdict.TRACED) == []
    assert [one.name for one in store.past.functions_at(NOON + DAY, Verdict.TRACED)] == ["a"]


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Store]:
    """A file of the version before, brought up to date: of one that never changed, others changed or gone."""
    path = tmp_path / "memory.db"
    old = Database(path)
    migrations.apply(old, stop_before="m015_the_past")
    columns = "arn, account, region, name, team, edge, layers, environment_keys, verdict, findings"
    times = [(0, 0, None), (0, 5, None), (0, 2, 4), (1, 1, 3)]
    with old.atomic():
        for number, days in enumerate(times):
            row = f"'arn:{number}', '1', 'eu-central-1', 'f{number}', 'payments', 0, '[]', '[]', 'traced', '[]'"
            made, since, gone = (None if day is None else f"{(NOON + day * DAY).isoformat()}" for day in days)
            old.execute(
                f"insert into functions ({columns}, made_at, since, seen_at, gone_at) values ({row}, ?, ?, ?, ?)",
                [made, since, since, gone],
            )
    old.close()
    store = Store(path)
    yield store
    store.close()


def test_of_what_was_before_the_past_was_kept_only_what_is_known_is_told(upgraded: Store) -> None:
    told = [Coverage.sum(upgraded.past.coverage_at(NOON + day * DAY).values()).traced for day in range(7)]
    open_ = [upgraded.past.not_known_at(NOON + day * DAY) for day in range(7)]

    assert list(zip(told, open_, strict=True)) == [(1, 2), (2, 2), (3, 1), (2, 1), (1, 1), (2, 0), (2, 0)]
    assert verdicts(upgraded, "arn:1", 6) == ["None"] * 5 + ["traced"]
    assert verdicts(upgraded, "arn:2", 5) == ["None", "None", "traced", "traced", None]
    assert verdicts(upgraded, "arn:3", 4) == [None, "traced", "traced", None]


def test_what_was_brought_up_to_date_goes_on(upgraded: Store) -> None:
    upgraded.functions.set_verdict("arn:0", Verdict.EXEMPT, NOON + 8 * DAY)

    assert [verdicts(upgraded, "arn:0", 9)[day] for day in (0, 7, 8)] == ["traced", "traced", "exempt"]


# ---- any days

NAMES = ["refund", "checkout"]
TEAMS = ["payments", None]
INSIDE = [PLACE, ("222222222222", "eu-central-1")]
Place = tuple[str, str]
Facts = tuple[str, Place, Verdict, str | None, bool | None, bool]
Happening = tuple[timedelta, tuple[str, tuple[object, ...]]]  # after how long, which method of Days, of what
State = dict[str, tuple[Verdict, str | None, bool | None]]


@dataclass
class Days:
    """Memory as it stood at each day's end, kept whole: what the shelf has to know without it."""

    store: Store
    now: datetime = NOON
    ends: dict[datetime, State] = field(default_factory=dict)

    # -- what may happen

    def audit(self, seen: list[Facts], places: list[Place]) -> None:
        """`places` were seen whole."""
        with self.store.transaction():
            self.store.functions.save({_made(*one).arn: _made(*one) for one in seen}.values(), self.now, self.now)
            self.store.functions.mark_unseen_gone(places, self.now)

    def look(self, one: Facts) -> None:
        self.store.functions.save([_made(*one)], self.now, self.now)

    def decide(self, arn: str, verdict: Verdict) -> None:
        self.store.functions.set_verdict(arn, verdict, self.now)

    def amend(self, arn: str, verdict: Verdict) -> None:
        known = self.store.functions.get(arn)
        if known:
            self.store.functions.amend(structs.replace(known, verdict=verdict), self.now)

    def assign(self, arn: str, team: str | None) -> None:
        known = self.store.functions.get(arn)
        if known:
            self.store.functions.set_team(structs.replace(known, team=team), self.now)

    def delete(self, arn: str) -> None:
        self.store.functions.mark_gone(arn, self.now)

    def another(self, arn: str) -> None:
        self.store.changes.part_with(arn, self.now)

    def narrow(self, place: Place) -> None:
        """The settings, to one account and region."""
        self.store.functions.mark_gone_outside([place[0]], [place[0]], [place[1]], self.now)

    def wait(self, by: timedelta) -> None:
        """Below zero the clock is set back, within the day."""
        self.now = max(self.now + min(by, 0 * DAY), self.now.replace(hour=0, minute=0))
        later = self.now + max(by, 0 * DAY)
        while self.now.date() < later.date():
            self.ends[self._end()] = self._state()
            self.now = self._end() + timedelta(microseconds=1)
        self.now = later

    def _end(self) -> datetime:
        return (self.now + DAY).replace(hour=0, minute=0) - timedelta(microseconds=1)

    def _state(self) -> State:
        known = (one for team in TEAMS for one in self.store.functions.members(team))
        return {one.arn: (one.verdict, one.team, one.production) for one in known}


def happenings() -> st.SearchStrategy[list[Happening]]:
    """Audits of all or of a part, decisions and looks at one function, each a while after the one before."""
    place, team = st.sampled_from(INSIDE), st.sampled_from(TEAMS)
    verdict = st.sampled_from([Verdict.TRACED, Verdict.UNTRACED, Verdict.EXEMPT])
    facts = st.tuples(st.sampled_from(NAMES), place, verdict, team, st.sampled_from([None, False, True]), st.booleans())
    arn = st.builds(_arn, st.sampled_from(NAMES), place)
    what = {
        "audit": st.tuples(st.lists(facts, max_size=6), st.lists(place, max_size=2)),
        "look": st.tuples(facts),
        "decide": st.tuples(arn, verdict),
        "amend": st.tuples(arn, verdict),
        "assign": st.tuples(arn, team),
        "delete": st.tuples(arn),
        "another": st.tuples(arn),
        "narrow": st.tuples(place),
    }
    happening = st.one_of(st.tuples(st.just(name), facts) for name, facts in what.items())
    after = st.sampled_from([-5 * HOUR, -MINUTE, 0 * MINUTE, MINUTE, HOUR, 20 * HOUR, 20 * HOUR, 3 * DAY])
    return st.lists(st.tuples(after, happening), min_size=1, max_size=40)


def _arn(name: str, place: tuple[str, str]) -> str:
    return f"arn:aws:lambda:{place[1]}:{place[0]}:function:{name}"


def _made(
    name: str, place: tuple[str, str], verdict: Verdict, team: str | None, production: bool | None, known: bool
) -> Function:
    return Function(
        _arn(name, place), *place, name, TracingMode.ACTIVE, team=team, team_known=known, production=production,
        verdict=verdict,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(happened=happenings())
def test_every_day_is_told_as_it_ended(happened: list[Happening]) -> None:
    with TemporaryDirectory() as folder:
        store = new_store(Path(folder) / "memory.db")
        days = Days(store)
        for after, (what, facts) in happened:
            days.wait(after)
            getattr(days, what)(*facts)
        days.wait(DAY)
        for end, state in days.ends.items():
            told = {one.arn: (one.verdict, one.team, one.production) for one in store.past.functions_at(end)}
            assert told == state, end
            teams = {team: Counter(verdict for verdict, its, _ in state.values() if its == team) for team in TEAMS}
            expected = {team: Coverage(**dict(counts)) for team, counts in teams.items() if counts}
            assert store.past.coverage_at(end) == expected
            tagged = Counter(verdict for verdict, _, production in state.values() if production is not False)
            rule = Production(tags=("env=prod",))
            assert Coverage.sum(store.past.coverage_at(end, rule).values()) == Coverage(**dict(tagged))
            assert store.past.not_known_at(end) == 0
        store.close()


# ---- whether it was traced


def test_whether_it_was_traced_is_told_of_any_moment(store: Store, make_function: Make) -> None:
    dark = make_function(last_modified=NOON - 5 * DAY)
    for day, verdict in enumerate((Verdict.UNTRACED, Verdict.TRACED, Verdict.EXEMPT, Verdict.UNKNOWN)):
        store.functions.save([structs.replace(dark, verdict=verdict)], NOON + day * DAY)
    store.functions.mark_gone(dark.arn, NOON + 4 * DAY)

    told = [store.past.traced_at(dark.arn, NOON + day * DAY) for day in range(-6, 5)]

    assert told == [None, *[False] * 5, False, True, False, None, None]
    assert store.past.traced_at("arn:of:nobody", NOON) is None


def test_whether_it_was_traced_is_not_known_where_nobody_kept_it(upgraded: Store) -> None:
    assert [upgraded.past.traced_at("arn:1", NOON + day * DAY) for day in (0, 4, 5)] == [None, None, True]

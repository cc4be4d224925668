"""The page of evidence: one page whatever there is to tell, and nothing of it is markup that others wrote."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bot.nobody import Nobody
from commands._evidence import make_evidence, read_days
from commands._teams import TeamSettings
from commands._types import Context
from commands.aws.accounts import AwsSettings, Cloud
from commands.views import evidence as view
from commands.views.evidence_page import CONTROLS
from storage.evidence import Outside
from storage.models import Coverage
from storage.proof import ENDED, Evidence, Person, Team, Unseen
from storage.store import Store
from tests.evidence_memory import NOW, SINCE, UNTIL, organization

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def evidence_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Evidence]:
    def make(**size: object) -> Evidence:
        store = Store(tmp_path_factory.mktemp("evidence") / "memory.db")
        organization(store, **size)
        zone = ZoneInfo("Europe/Berlin")
        context = Context(store, Cloud(AwsSettings()), TeamSettings(), Nobody(), lambda: NOW, zone)
        made = make_evidence(context, read_days(SINCE, UNTIL, context), None)
        store.close()
        return made

    return make


@pytest.fixture(scope="module")
def normal(evidence_of: Callable[..., Evidence]) -> Evidence:
    """20 teams and 194 decisions."""
    return evidence_of()


@pytest.fixture(scope="module")
def full(evidence_of: Callable[..., Evidence]) -> Evidence:
    """More of everything than there is room for, in words as long as they come."""
    made = evidence_of(teams=60, fixes=300, exemptions=40, long=True)
    day = made.no_audit[0]
    function = made.refused[0].function_arn
    changes = made.approvers.changes * 20
    return replace(
        made,
        accounts=tuple(f"{number:012}" for number in range(300)),
        people=tuple(Person(f"U0PERSON{n:04}", {ENDED: n}, n, 1) for n in range(90, 0, -1)),
        approvers=replace(made.approvers, changes=changes, broken="row 4 of who could approve was changed"),
        outside=tuple(Outside(NOW, "regressed", function, "team-00" * 9, "U0ANA000001") for _ in range(70)),
        no_audit=tuple(day + timedelta(days=2 * n) for n in range(40)),
        unseen=tuple(Unseen(f"{n:012}", (day, day + timedelta(days=2)), 17, "AccessDenied " * 30) for n in range(50)),
        teams=tuple(Team("a team " * 12, Coverage(1, 1), Coverage(1, 20000, 20000, 0, 20000)) for _ in range(500)),
        broken="decision 12 does not follow from the one before",
        by_policy=7,
    )


def pages(browser: "Browser", html: str, paper: str) -> int:
    tab = browser.new_page()
    try:
        tab.set_content(html)
        printed = tab.pdf(format=paper)
    finally:
        tab.close()
    return len(re.findall(rb"/Type\s*/Page[^s]", printed))


@pytest.mark.browser
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_is_one_page_of_paper(normal: Evidence, full: Evidence, browser: "Browser", paper: str) -> None:
    assert [pages(browser, view.as_html(made), paper) for made in (normal, full)] == [1, 1]
    # Without the choice of how much has room it would not be.
    assert pages(browser, view.html.html_page(view.page(full, view.PAPER[0])), paper) > 1


def test_a_normal_organisation_has_room_for_all_of_it(normal: Evidence) -> None:
    page = view.as_html(normal)

    assert "… and" not in page
    for team in normal.teams:
        assert f"<td>{team.name}</td>" in page
    for one in normal.exceptions:
        assert f">{one.number}</td>" in page
    for name, *_ in CONTROLS:
        assert name in page
    assert f"194:{normal.head and normal.head.hash}" in page
    assert "and by itself satisfies none" in page
    assert "X-Ray keeps traces for 30 days" in page


def test_what_has_no_room_is_counted(full: Evidence) -> None:
    page, text = view.as_html(full), view.as_text(full)

    for told in (page, text):
        assert re.search(r"… and \d+ more teams, better covered", told)
        assert re.search(r"… and \d+ people more with [\d,]+ decisions", told)
        assert re.search(r"… and \d+ more accounts", told)
        assert "300 (" in told
        assert "BROKEN: decision 12 does not follow" in told
    rows = len(re.findall("regressed|untraced again;", page))
    assert f"… and {70 - rows} more" in page


@pytest.mark.parametrize("which", ["normal", "full"])
def test_a_terminal_has_room_for_it(request: pytest.FixtureRequest, which: str) -> None:
    lines = view.as_text(request.getfixturevalue(which)).splitlines()

    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100


def test_nothing_of_others_is_markup_and_nothing_comes_from_elsewhere(normal: Evidence) -> None:
    first, *_ = normal.exceptions
    hostile = replace(
        normal,
        exceptions=(replace(first, reason=NASTY, team=NASTY, function_arn=f"x:{NASTY}", granted_by=NASTY),),
        refused=(replace(normal.refused[0], reason=f"{NASTY} <@U0ANA> \u202egnp", actor=NASTY),),
        teams=(Team(NASTY, None, Coverage(1)),),
        accounts=(NASTY,),
        database=NASTY,
    )

    page = view.as_html(hostile)

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert re.findall(r"https?:|src=|href=|url\(|@import", page) == []
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page


def test_mentions_are_ids_and_who_could_not_be_known_is_said(normal: Evidence) -> None:
    text = view.as_text(normal)

    assert "<@" not in text
    assert "! At the start: not recorded before 2026-07-04" in text
    assert "+ U0FAY000006, − U0EVE000005" in text
    nobody = replace(normal, approvers=replace(normal.approvers, recorded_since=None))
    assert "! Not recorded: the bot keeps it from its next start on." in view.as_text(nobody)


def test_a_quarter_in_which_nothing_happened_says_so(normal: Evidence) -> None:
    quiet = replace(normal, people=(), refused=(), exceptions=(), outside=(), no_audit=(), unseen=(), teams=())

    text = view.as_text(quiet)

    for told in ("Nobody decided anything.", "REFUSED ATTEMPTS\n  None.", "None that an audit found.", "\n  None.\n"):
        assert told in text
    assert "Days without an audit: none; 88 audits of everything" in text
    assert "Accounts not fully seen: none" in text

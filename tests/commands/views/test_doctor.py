"""How many lines there are, and that what AWS and people say stays what they said."""

import json

from bot.demo.slack.limits import message_problems
from commands.views.doctor import LINES, Line, counts, doctor_blocks, doctor_text, lines, summary
from storage.diagnosis import Diagnosis, Outcome, together, wanting

OK, WARN, FAIL, UNKNOWN = Outcome.OK, Outcome.WARN, Outcome.FAIL, Outcome.UNKNOWN
ACCOUNTS = tuple(f"3000000000{number:02}" for number in range(30))


def shown(*found: Diagnosis) -> list[tuple[str, str]]:
    return [(one.what, one.text) for one in lines(together(found))]


def test_what_is_said_of_many_places_is_one_line_with_a_few_of_their_names():
    refused = [Diagnosis("AWS", FAIL, "role audit", "refused", "deploy it", places=(one,)) for one in ACCOUNTS]
    well = [Diagnosis("AWS", OK, "role audit", "can be assumed", places=(one,)) for one in ACCOUNTS]

    assert shown(*refused) == [
        ("role audit", "accounts 300000000000, 300000000001, 300000000002, 300000000003 and 26 more: refused")
    ]
    assert shown(*refused[:1]) == [("role audit", "account 300000000000: refused")]
    assert shown(*well) == [("role audit", "30 accounts: can be assumed")]


def test_regions_are_told_by_their_names():
    def at(*places: str) -> Diagnosis:
        return Diagnosis("AWS", FAIL, "lambda:ListFunctions", "refused", places=places)

    regions = ("us-east-1", "us-west-2")
    everywhere = tuple(f"{one} {region}" for one in ACCOUNTS for region in regions)
    assert shown(at(*everywhere)) == [
        ("lambda:ListFunctions", "us-east-1 in 30 accounts, us-west-2 in 30 accounts: refused")
    ]
    assert shown(at(f"{ACCOUNTS[0]} us-east-1", f"{ACCOUNTS[0]} us-west-2")) == [
        ("lambda:ListFunctions", "account 300000000000, us-east-1, us-west-2: refused")
    ]


def test_what_is_well_and_of_a_kind_is_counted_and_what_is_wrong_is_said():
    scopes = [Diagnosis("Slack", OK, f"scope s{number}", "granted", kind="scopes") for number in range(5)]
    missing = Diagnosis("Slack", FAIL, "scope users:read", "not granted", "add it")

    assert shown(*scopes[:2], missing, *scopes[2:]) == [("5 scopes", "granted"), ("scope users:read", "not granted")]
    elsewhere = Diagnosis("Slack", OK, "scope s9", "granted", kind="scopes", places=("there",))
    assert shown(*scopes, elsewhere) == [("6 scopes", "granted, but for what is said here")]


def test_neighbours_that_are_wrong_in_the_same_way_share_a_line():
    costs = [Diagnosis("Bills", UNKNOWN, f"ce:{name}", "not tried", asked=False) for name in ("A", "B")]

    assert shown(*costs) == [("ce:A, ce:B", "not tried")]


def test_each_place_has_its_line_where_all_is_wanted():
    found = [Diagnosis("AWS", OK, "role audit", "can be assumed", places=ACCOUNTS)]

    assert lines(found, everything=True)[0] == Line("AWS", OK, "role audit", ACCOUNTS[0], "can be assumed", "")
    assert len(lines(found, everything=True)) == 30


def test_areas_come_in_one_order_whatever_was_ready_first():
    found = [Diagnosis(area, OK, "x", "y") for area in ("AWS", "Events", "Slack", "Settings", "Audit role")]

    assert [one.area for one in lines(found)] == ["Settings", "Slack", "AWS", "Audit role", "Events"]


def test_each_place_counts_and_the_worst_comes_first():
    found = [Diagnosis("AWS", OK, "a", "b", places=ACCOUNTS), Diagnosis("AWS", FAIL, "c", "d")]

    assert counts(found) == {"fail": 1, "unknown": 0, "warn": 0, "ok": 30, "not asked": 0}
    assert summary(found) == "1 fail, 30 ok"
    assert summary([Diagnosis("A", UNKNOWN, "a", "b"), Diagnosis("A", UNKNOWN, "c", "d", asked=False)]) == (
        "1 unknown, 1 not asked"
    )


def test_what_could_not_be_asked_wants_nobody_and_what_did_not_answer_does():
    assert not wanting([Diagnosis("A", UNKNOWN, "a", "b", asked=False), Diagnosis("A", WARN, "a", "b")])
    assert wanting([Diagnosis("A", UNKNOWN, "a", "b")])
    assert wanting([Diagnosis("A", FAIL, "a", "b")])


def test_in_slack_hostile_names_are_text_and_people_are_mentioned():
    found = [
        Diagnosis("Channels", WARN, "channel", "is archived <!channel>", "ask *bo* & co", places=("#team-<!here>",)),
        Diagnosis("Approvers", WARN, "person", "is a guest", "take `U0EVE` out", places=("U0EVE",)),
        Diagnosis("Approvers", WARN, "user group", "is empty", "fill it", places=("S0EMPTY",)),
        Diagnosis("Channels", WARN, "channel", "is read-only", "open it", places=("C0QUIET",)),
    ]

    told = json.dumps(doctor_blocks(found), ensure_ascii=False)

    assert "<!channel>" not in told
    assert "<!here>" not in told
    assert "<@U0EVE>: is a guest" in told
    assert "<!subteam^S0EMPTY>: is empty" in told
    assert "<#C0QUIET>: is read-only" in told
    assert "take `U0EVE` out" in told


def test_in_slack_the_worst_come_first_and_what_is_left_out_is_counted():
    found = [Diagnosis("AWS", WARN, f"w{number}", f"{number} " * 300, "y" * 900) for number in range(60)]
    found.append(Diagnosis("AWS", FAIL, "the worst", "it fails", "mend it"))
    found += [Diagnosis("AWS", OK, f"ok{number}" * 20, "fine") for number in range(100)]

    blocks = doctor_blocks(found)

    assert message_problems(blocks) == []
    assert "the worst" in blocks[1]["text"]["text"]
    assert f"{61 - LINES} more of these are left out here" in json.dumps(blocks)
    assert doctor_text(found) == "Is it set up right? 1 fail, 60 warn, 100 ok. First: the worst: it fails."


def test_in_slack_what_could_not_be_told_is_small_and_cut_with_a_count():
    found = [Diagnosis("AWS", UNKNOWN, f"u{number}", "z" * number, asked=False) for number in range(1, 100)]

    blocks = doctor_blocks(found)

    assert message_problems(blocks) == []
    (told,) = [one for one in blocks if "What could not be asked" in str(one)]
    assert told["type"] == "context"
    shown = told["elements"][0]["text"].splitlines()
    assert shown[1] == "u1: z"
    assert shown[-1] == f"and {99 - (len(shown) - 2)} more"

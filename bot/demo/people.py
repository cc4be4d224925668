"""The Slack side of the demo's organisation: who works there, in which channels, and who may approve."""

from bot.demo.fleet_data import TEAMS
from bot.demo.slack import Channel, Person, UserGroup
from bot.demo.slack.nouns import BOT_USER_ID

ANA, BO = "U07K2M4QANA", "U07K2M5T3BO"
APPROVERS = (ANA, BO)
GUEST = "U08D1PX6GST"
FINOPS_LEAD = "U06W9F3JFIN"
NOT_INVITED = "mobile-bff"  # the bot is not in this team's channel: its digests go to the fallback

_PEOPLE = (
    Person(ANA, "ana", "Ana Lucía Ferreira", "Staff Engineer, Platform", "2f6f4f"),
    Person(BO, "bo", "Bo Lindqvist", "SRE Manager", "7a4d9f"),
    Person(FINOPS_LEAD, "farid", "Farid Haddad", "FinOps Lead", "b5651d"),
    Person("U07A8N2RPAY", "priya", "Priya Raghunathan", "Senior Engineer, Payments", "c0392b"),
    Person("U07B3C9WCHK", "jonas", "Jonas Weber", "Engineer, Checkout", "2980b9"),
    Person("U07C6T1ZSRC", "mei", "Mei Tanaka", "Search Relevance Engineer", "16a085"),
    Person("U07E4H8LIDN", "tomasz", "Tomasz Zieliński", "Identity Tech Lead", "8e44ad"),
    Person("U07F5V0KDAT", "noor", "Noor El-Amin", "Data Engineer", "d35400"),
    Person("U07G9S7YMOB", "dani", "Dani O'Rourke", "Mobile Backend Engineer", "27ae60"),
    Person(GUEST, "sam.contractor", "Sam Whitlock (Northbeam)", "Contractor", "7f8c8d", is_restricted=True),
)
_WORKS_IN = {
    "payments": ("priya", "sam.contractor"),
    "checkout": ("jonas", "sam.contractor"),
    "search": ("mei",),
    "identity": ("tomasz",),
    "data-platform": ("noor",),
    "mobile-bff": ("dani",),
}
_CHANNEL_IDS = {
    "payments": "C07PAYM3NT5",
    "checkout": "C07CHK0UT8R",
    "search": "C07S34RCH2K",
    "identity": "C071D3NT1TY",
    "data-platform": "C07D4T4PL4T",
    "mobile-bff": "C07M0B1L3BF",
}
_TOPICS = {
    "payments": "Money in, money out. On-call: @priya",
    "checkout": "Carts, orders, returns",
    "search": "Query, ranking, indexing",
    "identity": "Login, sessions, consent",
    "data-platform": "Pipelines and the warehouse",
    "mobile-bff": "What the apps talk to",
}


def people() -> list[Person]:
    """Everybody in the workspace but the bot."""
    return list(_PEOPLE)


def channels() -> list[Channel]:
    """#finops, a channel for each team, and #general; the bot is in all but one team's."""
    by_name = {person.name: person.id for person in _PEOPLE}
    everybody = {person.id for person in _PEOPLE}
    members = {ANA, BO, FINOPS_LEAD}
    found = [
        Channel("C06G3N3R4L0", "general", "Company-wide news", members=everybody - {GUEST}),
        Channel("C06F1N0PSX2", "finops", "Cloud spend, coverage, exceptions", members={*members, BOT_USER_ID}),
    ]
    for team in TEAMS:
        here = {by_name[name] for name in _WORKS_IN[team]} | members
        bot = set() if team == NOT_INVITED else {BOT_USER_ID}
        found.append(Channel(_CHANNEL_IDS[team], f"team-{team}", _TOPICS[team], members=here | bot))
    return found


def user_groups() -> list[UserGroup]:
    """One group, of those who may approve."""
    return [UserGroup("S07L4MPAPPR", "lambda-approvers", "Lambda approvers", APPROVERS)]

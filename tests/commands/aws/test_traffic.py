"""CloudWatch's answers, AWS's odd ones too: what cannot be believed is unknown, and nothing crashes."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.clients import quick_time
from commands.aws.errors import AwsProblem, BadAnswer
from commands.aws.prices import Prices
from commands.aws.trace_destination import trace_destination
from commands.aws.traffic import FIVE_MINUTES, HOUR, MINUTE, Traffic, Window, batches, traffic, window_before

ACCOUNT, REGION = "123456789012", "eu-central-1"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WINDOW = window_before(NOON)
FIRST = WINDOW.since + timedelta(hours=3)

Told = Callable[..., list[Traffic]]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "pretend")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Cloud(AwsSettings())


def answering(cloud: Cloud, service: str, *answers: Any, region: str = REGION) -> None:
    """Have AWS say this, one after the other, as botocore's own hook for it takes it."""
    said: Iterator[Any] = iter(answers)
    client = cloud.client(service, region, attempts=1 if service == "cloudwatch" else 6)

    def answer(**_: object) -> tuple[object, Any]:
        return SimpleNamespace(status_code=200), next(said)

    client.meta.events.register(f"before-call.{client.meta.service_model.service_id.hyphenize()}", answer)


@pytest.fixture
def told(cloud: Cloud) -> Told:
    """The traffic of `refund` and `charge` as CloudWatch's pages tell it."""

    def read(*pages: Any) -> list[Traffic]:
        answering(cloud, "cloudwatch", *pages)
        names = ["refund", "charge"]
        return [one for batch in traffic(cloud, ACCOUNT, REGION, names, WINDOW, HOUR, take=int) for one in batch]

    return read


def page(*results: dict[str, Any], token: str = "") -> dict[str, Any]:
    return {"MetricDataResults": list(results), **({"NextToken": token} if token else {})}


def result(identity: str, *values: Any, status: str = "Complete", first: datetime = FIRST) -> dict[str, Any]:
    times = [first + timedelta(hours=number) for number in range(len(values))]
    return {"Id": identity, "Timestamps": times, "Values": list(values), "StatusCode": status}


def test_points_of_all_pages_stand_in_their_hours(told: Told) -> None:
    later = FIRST + timedelta(hours=5)
    first = page(result("m0", 1.0, 2.0, status="PartialData"), result("m1", 5.0), token="more")

    refund, charge = told(first, page(result("m0", 7.0, first=later), result("m1")))

    assert (refund.name, list(refund.bins[:10])) == ("refund", [0, 0, 0, 1, 2, 0, 0, 0, 7, 0])
    assert (charge.name, sum(charge.bins)) == ("charge", 5)
    assert (refund.unknown, charge.unknown, len(refund.bins)) == ("", "", 14 * 24)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("Forbidden", "CloudWatch may not show it (cloudwatch:GetMetricData)"),
        ("InternalError", "CloudWatch failed to answer"),
        ("PartialData", "CloudWatch gave only a part of it"),
        ("Surprise", "CloudWatch answered Surprise"),
    ],
)
def test_what_is_not_complete_is_unknown_and_says_why(told: Told, status: str, says: str) -> None:
    refund, charge = told(page(result("m0", 1.0, status=status), result("m1", 5.0)))

    assert (refund.unknown, charge.unknown) == (says, "")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_what_can_be_no_number_of_invocations_is_unknown(told: Told, value: float) -> None:
    refund, charge = told(page(result("m0", 1.0, value), result("m1", 5.0)))

    assert (refund.unknown, charge.unknown) == ("CloudWatch gave a number of invocations that can be none", "")


def test_of_what_it_does_not_answer_nothing_is_known(told: Told) -> None:
    refund, charge = told(page(result("m1", 5.0), result("m7", 1.0), result("x", 1.0), {"Values": [1.0]}))

    assert (refund.unknown, charge.unknown) == ("CloudWatch did not answer for it", "")


def test_points_outside_of_the_window_do_not_count(told: Told) -> None:
    early, late = WINDOW.since - timedelta(hours=1), WINDOW.until

    refund, _ = told(page(result("m0", 9.0, first=early), result("m0", 9.0, first=late), result("m1")))

    assert (sum(refund.bins), refund.unknown) == (0, "")


def test_a_page_that_leads_to_itself_ends(told: Told) -> None:
    with pytest.raises(BadAnswer, match="the same page twice"):
        told(page(token="more"), page(token="more"))


@pytest.mark.parametrize(
    "odd",
    [
        {"MetricDataResults": 7},
        {"MetricDataResults": ["m0"]},
        page(result("m0", "many")),
        page({"Id": "m0", "Timestamps": ["noon"], "Values": [1.0]}),
    ],
    ids=["a number", "texts", "a word", "no time"],
)
def test_what_cannot_be_read_is_a_problem_of_aws(told: Told, odd: dict[str, Any]) -> None:
    with pytest.raises(AwsProblem, match="CloudWatch's answer could not be read"):
        told(odd)


@given(st.floats(1.6e9, 2.2e9))
def test_the_window_is_of_fourteen_days_and_ends_with_an_hour_that_is_over(seconds: float) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    window = window_before(now)

    assert window.until - window.since == timedelta(days=14)
    assert (window.until.minute, window.until.second, window.until.microsecond) == (0, 0, 0)
    assert timedelta(minutes=10) <= now - window.until < timedelta(minutes=70)
    assert now - window.since < timedelta(days=15)  # minutes are still kept
    assert [window.bins(period) for period in (HOUR, FIVE_MINUTES, MINUTE)] == [336, 4032, 20_160]


@pytest.mark.parametrize(("period", "most"), [(HOUR, 500), (FIVE_MINUTES, 248), (MINUTE, 49)])
def test_a_call_names_no_more_than_it_may_and_has_room_for(period: int, most: int) -> None:
    names = [str(number) for number in range(1201)]
    made = list(batches(names, Window(WINDOW.since, WINDOW.until), period))

    assert max(map(len, made)) == most
    assert [name for batch in made for name in batch] == names


# ---- prices and destinations


@pytest.mark.parametrize(
    "listed",
    [
        ["{", "[]", "null", '{"product": 7}', '{"product": {"attributes": {"usagetype": "EUC1-XRay-TracesStored"}}}'],
        [],
        None,
    ],
    ids=["rubbish", "nothing", "no list"],
)
def test_where_the_price_list_makes_no_sense_the_table_serves(cloud: Cloud, listed: Any) -> None:
    answering(cloud, "pricing", {"PriceList": listed}, region="us-east-1")

    price = Prices(cloud, lambda: NOON).of(REGION)

    assert price.usd == 0.000005
    assert price.says.startswith("about $5.00 per million traces recorded (AWS's pricing page")


def test_no_price_is_known_for_china(cloud: Cloud) -> None:
    price = Prices(cloud, lambda: NOON).of("cn-north-1")

    assert (price.usd, price.says) == (None, "no price is known for cn-north-1")


@pytest.mark.parametrize("percent", [None, "all", -1, 101])
def test_an_index_that_makes_no_sense_counts_as_awss_own(cloud: Cloud, percent: object) -> None:
    rules = [{"Rule": {"Probabilistic": {"ActualSamplingPercentage": percent}}}, {}]
    on = {"Destination": "CloudWatchLogs", "Status": "ACTIVE"}
    answering(cloud, "xray", on, {"IndexingRules": rules, "NextToken": "a"}, {"IndexingRules": [], "NextToken": "a"})

    told = trace_destination(cloud, ACCOUNT, REGION)

    assert (told.searched, told.indexed_percent, told.doubt) == (True, 1.0, "")


# ---- times


@given(st.integers(0, 4 * 10**9) | st.floats(0, 4e9))
def test_numbers_are_read_as_botocore_reads_them(value: float) -> None:
    assert quick_time(value) == parse_timestamp(value)


@pytest.mark.parametrize("text", ["2026-11-23T12:00:00Z", "1795348800", "Mon, 23 Nov 2026 12:00:00 GMT"])
def test_texts_are_read_by_botocore(text: str) -> None:
    assert quick_time(text) == parse_timestamp(text)

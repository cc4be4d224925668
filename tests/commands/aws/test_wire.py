"""The wire against a server that throttles, resets, truncates, delays and lies, as AWS and what stands between may."""

import asyncio
import contextlib
import json
import os
import re
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from time import monotonic

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from commands.aws import reads, regions, simulator
from commands.aws.calls import Call, signed
from commands.aws.endpoints import Endpoint, Endpoints
from commands.aws.errors import AwsProblem, BadAnswer, Denied, Gone, Throttled, Unreachable
from commands.aws.keys import Keys
from commands.aws.organization import Organization
from commands.aws.pace import Paces
from commands.aws.simulation import Simulated
from commands.aws.wire import Retries, Wire
from storage.models import TracingMode

HASTY = Retries(first_wait=0.001, deadline=30, throttled=4, refused=3, unreachable=3, bad_answer=3)
SECRET = "hunter2-database-password"


class Owner:
    """One account's credentials; new ones each time that AWS calls the old ones too old."""

    def __init__(self, account="111122223333"):
        self.account = account
        self.renewed = 0

    async def keys(self, *, refused=None):
        if refused is not None:
            self.renewed += 1
        return Keys(f"ASIA{self.renewed}", "secret", "token")


class Server:
    """Gives the prepared answers, bytes or coroutine functions, in their order, and the last one for ever."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.busy = self.most = 0
        self.closing = asyncio.Event()
        self.open = {}

    async def serve(self, reader, writer):
        self.open[asyncio.current_task()] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                self.requests.append((head, body))
                self.busy += 1
                self.most = max(self.most, self.busy)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(answer) if isinstance(answer, bytes) else await answer(self, writer)
                await writer.drain()
                self.busy -= 1
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def close(self):
        self.closing.set()
        for writer in self.open.values():
            writer.close()
        await asyncio.gather(*self.open)


def said(body, status=200, **headers):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(text)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


def refusal(code, status=400, message="No.", **headers):
    return said({"message": message}, status, x_amzn_ErrorType=f"{code}:http://internal.amazon.com/", **headers)


async def reset(server, writer):
    writer.transport.abort()


async def cut(server, writer):
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"Functions": [')
    writer.close()


async def never(server, writer):
    await server.closing.wait()


async def one_at_a_time(server, writer):
    """Answers only after every other request that is under way had its chance to arrive."""
    for _ in range(20):
        await asyncio.sleep(0)
    writer.write(FUNCTIONS)


def described(name, **more):
    arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{name}"
    return {"FunctionName": name, "FunctionArn": arn, "TracingConfig": {"Mode": "Active"}, **more}


FUNCTIONS = said({"Functions": [described("refund", Environment={"Variables": {"DB_PASSWORD": SECRET}})]})
THROTTLED = refusal("TooManyRequestsException", 429)
XML = (
    b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
    b"<RequestId>r</RequestId></ErrorResponse>"
)


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("NO_PROXY", "")


def endpoints():
    return Endpoints(botocore.session.Session)


@pytest.fixture
def talk(monkeypatch):
    """Run `use(wire)` against a server with these answers: what it returned or the problem, the server and the wire."""

    def run(*answers, use, tls=None, variable="AWS_ENDPOINT_URL", url=None, calls_per_second=0, **options):
        async def inside():
            server = Server(*answers)
            listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
            port = listening.sockets[0].getsockname()[1]
            monkeypatch.setenv(variable, f"{'https' if tls else 'http'}://127.0.0.1:{port}")
            if url:
                monkeypatch.setenv("AWS_ENDPOINT_URL", url)
            paces = Paces(calls_per_second)
            async with Wire(endpoints(), **{"retries": HASTY, "paces": paces, **options}) as wire:
                try:
                    result = await use(wire)
                except AwsProblem as problem:
                    result = problem
            listening.close()
            await server.close()
            return result, server, wire

        return asyncio.run(inside())

    return run


async def functions(wire, owner=None, region="eu-central-1"):
    return [each async for page in reads.functions(wire, owner or Owner(), region) for each in page]


def test_every_page_is_read(talk):
    pages = [said({"Functions": [described("a")], "NextMarker": "m/1+="}), said({"Functions": [described("b")]})]

    found, server, wire = talk(*pages, use=functions)

    assert [each.name for each in found] == ["a", "b"]
    assert [head.split()[1].partition("?")[2] for head, _ in server.requests] == [
        "MaxItems=50",
        "MaxItems=50&Marker=m%2F1%2B%3D",
    ]
    assert wire.calls == 2


def test_the_next_page_is_on_its_way_while_a_page_is_read(talk):
    arrived = asyncio.Event()

    async def second(server, writer):
        arrived.set()
        writer.write(said({"Functions": [described("b")]}))

    async def use(wire):
        pages = reads.functions(wire, Owner(), "eu-central-1")
        first = await anext(pages)
        await asyncio.wait_for(arrived.wait(), 5)  # nobody has asked for the second page
        return [each.name for each in first] + [each.name for page in [await anext(pages)] for each in page]

    found, _, wire = talk(said({"Functions": [described("a")], "NextMarker": "m"}), second, use=use)

    assert (found, wire.calls) == (["a", "b"], 2)


def test_who_stops_in_the_middle_leaves_nothing_behind(talk):
    async def use(wire):
        pages = reads.functions(wire, Owner(), "eu-central-1")
        await anext(pages)
        await pages.aclose()
        await asyncio.sleep(0)
        return [task for task in asyncio.all_tasks() if "functions_page" in repr(task)]

    left, _, _ = talk(said({"Functions": [described("a")], "NextMarker": "m"}), never, use=use)

    assert left == []


def test_a_server_that_repeats_a_page_for_ever_is_not_followed(talk):
    result, server, _ = talk(said({"Functions": [], "NextMarker": "same"}), use=functions)

    assert isinstance(result, BadAnswer)
    assert len(server.requests) == 2


def test_environment_values_are_dropped_and_names_kept(talk):
    found, _, _ = talk(FUNCTIONS, use=functions)

    assert found[0].environment_keys == ("DB_PASSWORD",)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(THROTTLED, id="429"),
        pytest.param(refusal("ThrottlingException"), id="throttled with 400"),
        pytest.param(said(XML, 400), id="throttled in XML"),
        pytest.param(refusal("ServiceException", 500), id="500"),
        pytest.param(said(b"<html>Bad gateway</html>", 502), id="a gateway's page"),
        pytest.param(refusal("RequestTimeoutException"), id="timeout said by AWS"),
        pytest.param(reset, id="reset"),
        pytest.param(cut, id="cut short"),
        pytest.param(said(b'{"Functions": [{"Functi'), id="half of the JSON"),
        pytest.param(said({"message": "ok"}), id="another answer"),
        pytest.param(said({"Functions": [{"FunctionName": "refund"}]}), id="a function without its ARN"),
        pytest.param(said(b"[]"), id="a list"),
    ],
)
def test_what_passes_by_itself_is_tried_again(talk, trouble):
    found, server, _ = talk(trouble, FUNCTIONS, use=functions)

    assert [each.name for each in found] == ["refund"]
    assert len(server.requests) >= 2


@pytest.mark.parametrize(
    ("answer", "kind", "tries", "words"),
    [
        pytest.param(THROTTLED, Throttled, 4, "TooManyRequestsException", id="throttled"),
        pytest.param(refusal("ServiceException", 500), AwsProblem, 3, "ServiceException", id="500"),
        pytest.param(cut, BadAnswer, 3, "cut short", id="cut short"),
        pytest.param(said(b"{"), BadAnswer, 3, "could not be read", id="half of the JSON"),
        pytest.param(refusal("AccessDeniedException", 403), Denied, 1, "AccessDeniedException", id="denied"),
        pytest.param(said(b"<html>no</html>", 403), Denied, 1, "HTTP 403", id="denied by a proxy"),
        pytest.param(refusal("ResourceNotFoundException", 404), Gone, 1, "ResourceNotFound", id="gone"),
        pytest.param(said(b"", 307, Location="http://elsewhere/"), AwsProblem, 1, "HTTP 307", id="a redirect"),
    ],
)
def test_what_does_not_pass_becomes_our_problem(talk, answer, kind, tries, words):
    problem, server, wire = talk(answer, use=functions)

    assert isinstance(problem, kind)
    assert len(server.requests) == wire.calls == tries
    assert words in str(problem)
    assert "lambda:ListFunctions in account 111122223333, eu-central-1" in str(problem)


def test_a_connection_that_is_reset_again_and_again_is_unreachable(talk):
    problem, _, wire = talk(reset, use=functions)

    assert isinstance(problem, Unreachable)
    assert wire.calls == 3


def test_who_still_asks_when_the_wire_is_closed_gets_no_answer(talk):
    async def use(wire):
        await wire.__aexit__(None, None, None)
        return await functions(wire)

    problem, server, _ = talk(FUNCTIONS, use=use)

    assert isinstance(problem, Unreachable)
    assert server.requests == []


def test_nobody_listening_is_unreachable(talk, monkeypatch):
    # Port 9 of loopback: nothing is served there, and connections are refused at once.
    problem, _, _ = talk(FUNCTIONS, use=functions, url="http://127.0.0.1:9")

    assert isinstance(problem, Unreachable)
    assert "127.0.0.1:9" in str(problem)


def test_an_answer_that_does_not_come_is_unreachable(talk):
    impatient = Retries(attempt=0.1, first_wait=0.001, unreachable=2)

    problem, server, _ = talk(never, use=functions, retries=impatient)

    assert isinstance(problem, Unreachable)
    assert len(server.requests) == 2


def test_the_deadline_ends_it_even_where_aws_asks_for_a_longer_wait(talk):
    began = monotonic()

    problem, server, _ = talk(
        refusal("TooManyRequestsException", 429, Retry_After="30"),
        use=functions,
        retries=Retries(deadline=5, throttled=9),
    )

    assert isinstance(problem, Throttled)
    assert len(server.requests) == 1
    assert monotonic() - began < 5


def test_credentials_that_ran_out_are_renewed_once_and_the_call_goes_on(talk):
    owner = Owner()

    found, server, _ = talk(refusal("ExpiredTokenException", 403), FUNCTIONS, use=lambda wire: functions(wire, owner))

    assert [each.name for each in found] == ["refund"]
    assert owner.renewed == 1
    assert "Credential=ASIA1/" in server.requests[1][0]


def test_credentials_that_are_always_too_old_are_denied(talk):
    owner = Owner()

    problem, server, _ = talk(refusal("ExpiredTokenException", 403), use=lambda wire: functions(wire, owner))

    assert isinstance(problem, Denied)
    assert (owner.renewed, len(server.requests)) == (1, 2)


def test_no_more_calls_are_in_flight_than_allowed(talk):
    async def many(wire):
        return await asyncio.gather(*(functions(wire) for _ in range(12)))

    found, server, _ = talk(one_at_a_time, use=many, in_flight=3)

    assert len(found) == 12
    assert server.most == 3


def test_lambda_calls_keep_their_pace_in_each_account_and_region(talk):
    async def many(wire):
        owner = Owner()
        return await asyncio.gather(*(functions(wire, owner) for _ in range(20)))

    began = monotonic()
    talk(FUNCTIONS, use=many, calls_per_second=20)

    # Half a second's worth, ten, go at once; the other ten come at 20 a second.
    assert monotonic() - began >= 0.45


def test_other_accounts_do_not_share_that_pace(talk):
    async def many(wire):
        return await asyncio.gather(*(functions(wire, Owner(str(number))) for number in range(20)))

    began = monotonic()
    found, _, _ = talk(FUNCTIONS, use=many, calls_per_second=0.05)

    assert len(found) == 20
    assert monotonic() - began < 10  # one account alone would have needed more than six minutes


@pytest.mark.parametrize(
    "call",
    [
        Call("lambda", "ListFunctions", "eu-central-1", "GET", "/2015-03-31/functions/?MaxItems=50&Marker=a%2F%2Bb"),
        Call("lambda", "GetFunctionConfiguration", "eu-central-1", "GET", "/2015-03-31/functions/a%20b/configuration"),
        Call("iam", "GetPolicy", "us-east-1", body=b"Action=GetPolicy", headers={"Content-Type": "text/plain;  a=b"}),
    ],
    ids=lambda call: call.action,
)
@pytest.mark.parametrize("token", [None, "a/session+token=="])
def test_signatures_are_botocores(call, token):
    keys = Keys("AKIA", "secret", token)
    endpoint = Endpoint("https://lambda.eu-central-1.amazonaws.com", "lambda", "eu-central-1", None)
    ours, theirs = {}, {"X-Amz-Date": "not yet"}

    while ours.get("X-Amz-Date") != theirs["X-Amz-Date"]:  # both in the same second
        ours = signed(keys, endpoint, call)
        request = AWSRequest(call.method, endpoint.url + call.path, dict(call.headers), call.body)
        SigV4Auth(keys, "lambda", "eu-central-1").add_auth(request)
        theirs = dict(request.headers.items())

    assert ours == theirs


@pytest.mark.parametrize(
    ("environment", "service", "region", "url", "signing_region"),
    [
        ({}, "lambda", "eu-central-1", "https://lambda.eu-central-1.amazonaws.com", "eu-central-1"),
        ({}, "sts", "eu-central-1", "https://sts.eu-central-1.amazonaws.com", "eu-central-1"),
        ({}, "tag", "cn-north-1", "https://tagging.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ({}, "iam", "eu-central-1", "https://iam.amazonaws.com", "us-east-1"),
        ({}, "iam", "us-gov-east-1", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"),
        ({}, "organizations", "eu-central-1", "https://organizations.us-east-1.amazonaws.com", "us-east-1"),
        (
            {},
            "organizations",
            "cn-north-1",
            "https://organizations.cn-northwest-1.amazonaws.com.cn",
            "cn-northwest-1",
        ),
        ({}, "account", "eu-central-1", "https://account.us-east-1.amazonaws.com", "us-east-1"),
        ({"AWS_ENDPOINT_URL": "http://l:1"}, "organizations", "eu-central-1", "http://l:1", "us-east-1"),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "lambda", "us-east-1", "https://lambda-fips.us-east-1.amazonaws.com", None),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "lambda", "us-east-1", "https://lambda.us-east-1.api.aws", None),
        ({"AWS_ENDPOINT_URL": "http://l:1/"}, "iam", "eu-central-1", "http://l:1", "us-east-1"),
        ({"AWS_ENDPOINT_URL": "http://l:1", "AWS_ENDPOINT_URL_LAMBDA": "http://l:2"}, "lambda", "x", "http://l:2", "x"),
        ({"AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API": "http://l:2"}, "tag", "x", "http://l:2", "x"),
        (
            {"AWS_ENDPOINT_URL": "http://l:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "ec2",
            "eu-west-1",
            "https://ec2.eu-west-1.amazonaws.com",
            "eu-west-1",
        ),
    ],
)
def test_endpoints_follow_the_ordinary_settings(monkeypatch, environment, service, region, url, signing_region):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = endpoints().find(service, region)

    assert (found.url, found.signing_region) == (url, signing_region or region)


def test_endpoints_follow_the_configuration_file(monkeypatch, tmp_path):
    text = "[default]\nservices = here\nendpoint_url = http://l:1\n[services here]\nlambda =\n  endpoint_url = http://l:2\n"
    (tmp_path / "config").write_text(text)

    assert endpoints().find("lambda", "eu-west-1").url == "http://l:2"
    assert endpoints().find("sts", "eu-west-1").url == "http://l:1"


def test_the_proxy_of_the_environment_is_used(talk, monkeypatch):
    found, server, _ = talk(FUNCTIONS, use=functions, variable="HTTP_PROXY", url="http://aws.invalid")

    assert [each.name for each in found] == ["refund"]
    assert server.requests[0][0].startswith("GET http://aws.invalid/2015-03-31/functions/")


def test_hosts_that_need_no_proxy_go_without(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "lambda.eu-central-1.amazonaws.com")

    assert endpoints().find("lambda", "eu-central-1").proxy is None
    assert endpoints().find("lambda", "us-east-1").proxy == "http://proxy:3128"


def test_a_netrc_does_not_take_the_signatures_place(talk, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    _, server, _ = talk(FUNCTIONS, use=functions)

    assert "Authorization: AWS4-HMAC-SHA256 " in server.requests[0][0]


@pytest.fixture
def certified(tmp_path):
    """A TLS server's context for 127.0.0.1, and the file with the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pretend AWS")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(alternatives, False).add_extension(x509.BasicConstraints(True, None), True)
    bundle = tmp_path / "bundle.pem"
    pem = serialization.Encoding.PEM
    bundle.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, tmp_path / "key.pem")
    return context, bundle


def test_the_bundle_of_the_settings_vouches_for_a_server(talk, monkeypatch, certified):
    context, bundle = certified
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))

    found, _, _ = talk(FUNCTIONS, use=functions, tls=context)

    assert [each.name for each in found] == ["refund"]


def test_a_server_for_whom_nobody_vouches_is_not_talked_to(talk, certified):
    problem, server, _ = talk(FUNCTIONS, use=functions, tls=certified[0])

    assert isinstance(problem, Unreachable)
    assert server.requests == []


def test_a_bundle_that_is_not_there_is_named(talk, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/bundle.pem")

    problem, _, _ = talk(FUNCTIONS, use=functions, url="https://127.0.0.1:9")

    assert str(problem).startswith("the CA bundle /nowhere/bundle.pem could not be read: ")


def test_a_region_that_is_none_is_named(talk, monkeypatch):
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")

    problem, server, _ = talk(FUNCTIONS, use=lambda wire: functions(wire, region="Frankfurt!"))

    assert "Frankfurt!" in str(problem)
    assert server.requests == []


ROLES = """<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<GetAccountAuthorizationDetailsResult><IsTruncated>{more}</IsTruncated>{marker}<RoleDetailList><member>
<Path>/service-role/</Path><RoleName>{name}</RoleName><Arn>arn:aws:iam::1:role/service-role/{name}</Arn>
<AssumeRolePolicyDocument>%7B%22Version%22%3A%222012%22%7D</AssumeRolePolicyDocument>
<PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::1:policy/limit</PermissionsBoundaryArn></PermissionsBoundary>
<RolePolicyList><member><PolicyName>own</PolicyName><PolicyDocument>%7B%7D</PolicyDocument></member></RolePolicyList>
<AttachedManagedPolicies><member><PolicyName>x</PolicyName><PolicyArn>arn:aws:iam::aws:policy/x</PolicyArn></member>
</AttachedManagedPolicies></member></RoleDetailList><Policies><member><Arn>arn:aws:iam::1:policy/{name}</Arn>
<PolicyVersionList><member><Document>old</Document><IsDefaultVersion>false</IsDefaultVersion></member>
<member><Document>new</Document><IsDefaultVersion>true</IsDefaultVersion></member></PolicyVersionList></member>
</Policies></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"""


async def roles(wire):
    return [page async for page in reads.roles(wire, Owner(), "eu-central-1")]


def test_roles_come_in_pages_with_what_counts_for_each(talk):
    pages = [
        said(ROLES.format(name="one", more="true", marker="<Marker>m</Marker>").encode()),
        said(ROLES.format(name="two", more="false", marker="").encode()),
    ]

    (first, second), server, _ = talk(*pages, use=roles)

    role = first.roles["arn:aws:iam::1:role/service-role/one"]
    assert role.inline == (("own", "%7B%7D"),)
    assert role.attached == ("arn:aws:iam::aws:policy/x",)
    assert (role.boundary, role.path) == ("arn:aws:iam::1:policy/limit", "/service-role/")
    assert reads.document(role.trust) == {"Version": "2012"}
    assert first.policies == {"arn:aws:iam::1:policy/one": "new"}
    assert list(second.roles) == ["arn:aws:iam::1:role/service-role/two"]
    assert server.requests[1][1].endswith(b"&MaxItems=1000&Marker=m")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', id="entities"),
        pytest.param(b"<GetAccountAuthorizationDetailsResponse>", id="half of the XML"),
        pytest.param(b"<html></html>", id="another document"),
    ],
)
def test_xml_that_is_not_awss_is_a_bad_answer(talk, answer):
    problem, _, _ = talk(said(answer), use=roles)

    assert isinstance(problem, BadAnswer)


def test_a_published_version_without_a_mode_is_not_active(talk):
    async def use(wire):
        return await reads.version_mode(wire, Owner(), "eu-central-1", "refund", "7")

    mode, server, _ = talk(said(described("refund") | {"TracingConfig": None}), use=use)

    assert mode is TracingMode.PASS_THROUGH
    assert "/functions/refund/configuration?Qualifier=7 " in server.requests[0][0]


NO_EC2 = said(b"<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>", 403)


async def enabled(wire):
    return await regions.enabled(wire, Owner(), "eu-central-1")


def test_regions_come_from_the_account_service_over_all_pages_where_ec2_refuses(talk):
    pages = [
        said({"Regions": [{"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}], "NextToken": "m"}),
        said({"Regions": [{"RegionName": "af-south-1", "RegionOptStatus": "ENABLED"}]}),
    ]

    found, server, _ = talk(NO_EC2, *pages, use=enabled)

    assert found == ("af-south-1", "us-east-1")
    assert server.requests[1][0].startswith("POST /listRegions ")
    assert "/us-east-1/account/aws4_request" in server.requests[1][0]
    asked = {"RegionOptStatusContains": ["ENABLED", "ENABLED_BY_DEFAULT"], "MaxResults": 50}
    assert [json.loads(body) for _, body in server.requests[1:]] == [asked, asked | {"NextToken": "m"}]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal("AccessDeniedException", 403), "AccessDeniedException"),
        (said({"Regions": []}), "no region at all"),
        (said({"Regions": [], "NextToken": "m"}), "the same page twice"),
        (said(b"{"), "could not be read"),
    ],
    ids=["denied", "no region", "the same page", "half of the JSON"],
)
def test_where_nobody_lists_regions_both_are_named(talk, answer, words):
    problem, _, _ = talk(NO_EC2, answer, use=enabled)

    assert isinstance(problem, Denied)
    assert "ec2:DescribeRegions in account 111122223333, eu-central-1: UnauthorizedOperation" in str(problem)
    assert "account:ListRegions in account 111122223333" in str(problem)
    assert words in str(problem)


def listed(*ids, token=None):
    arn = "arn:aws:organizations::111122223333:account/o-abcdefghij/"
    items = [{"Id": one, "Arn": arn + one, "Name": one, "Email": "ana@example.com", "State": "ACTIVE"} for one in ids]
    return said({"Accounts": items, "NextToken": token})


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (THROTTLED, Throttled),
        (refusal("ServiceException", 500), AwsProblem),
        (cut, BadAnswer),
        (said({"Accounts": [{"Name": "no id", "Email": "ana@example.com"}]}), BadAnswer),
        (listed("222222222222", token="m"), BadAnswer),
    ],
    ids=["throttled", "500", "cut short", "an account without its id", "the same page for ever"],
)
def test_what_was_listed_before_a_page_that_does_not_come_is_kept(talk, trouble, kind):
    async def use(wire):
        return await Organization(wire, Owner(), "eu-central-1").accounts()

    (found, problem), _, _ = talk(listed("111122223333", token="m"), trouble, use=use)

    assert found[0].account.id == "111122223333"
    assert isinstance(problem, kind)
    assert "@" not in f"{found}{problem}"


SIMULATED = """<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults><IsTruncated>{more}</IsTruncated>
{marker}</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
RESULT = """<member><EvalActionName>xray:PutTraceSegments</EvalActionName><EvalResourceName>*</EvalResourceName>
<EvalDecision>implicitDeny</EvalDecision><MatchedStatements/>
<MissingContextValues><member>aws:SourceVpc</member><member>aws:username</member></MissingContextValues>
<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>true</AllowedByPermissionsBoundary>
</PermissionsBoundaryDecisionDetail><OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>
</OrganizationsDecisionDetail></member>"""


async def simulated(wire):
    return await simulator.simulated(wire, Owner(), "eu-central-1", {"PolicySourceArn": "arn"})


def test_a_simulation_is_read_to_the_page_that_has_its_result(talk):
    pages = [
        said(SIMULATED.format(results="", more="true", marker="<Marker>m</Marker>").encode()),
        said(SIMULATED.format(results=RESULT, more="false", marker="").encode()),
    ]

    found, server, _ = talk(*pages, use=simulated)

    assert found == Simulated(
        "implicitDeny", ("aws:SourceVpc", "aws:username"), by_boundary=True, by_organization=False
    )
    assert [body.partition(b"PolicySourceArn=")[2] for _, body in server.requests] == [b"arn", b"arn&Marker=m"]


@pytest.mark.parametrize(
    "answer", [SIMULATED.format(results="", more="false", marker=""), "<html></html>"], ids=["without result", "html"]
)
def test_a_simulation_without_a_result_is_a_bad_answer(talk, answer):
    problem, _, _ = talk(said(answer.encode()), use=simulated)

    assert isinstance(problem, BadAnswer)

"""A pretend AWS that costs next to nothing: answers are made beforehand and given after a set latency.

One account's answers serve all accounts, with the account's number put in. Run as a process of its own, so that what is
measured beside it is the client: `python -m tests.bench.estate 100x5x20x10 50` prints its port.
"""

import asyncio
import re
import sys
from collections import Counter
from typing import NamedTuple
from urllib.parse import parse_qs, quote

import orjson

HOME = "111111111111"
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "us-west-2", "ap-southeast-2", "ap-northeast-1", "sa-east-1")
TEAMS = ("payments", "search", "growth", "identity", "mobile")
ANY = "000000000000"  # stands for the account in what is made beforehand
DAEMON = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
CREDENTIAL = re.compile(rb"Credential=(?:AKIA|ASIA)(\d{12})/\d+/([\w-]+)/(\w+)/")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Size(NamedTuple):
    """How much there is: regions of each account, functions of each region, roles of each account."""

    accounts: int
    regions: int
    functions: int
    roles: int

    @classmethod
    def read(cls, text: str) -> "Size":
        """`100x5x20x10`"""
        return cls(*(int(part) for part in text.split("x")))

    @property
    def total(self) -> int:
        return self.accounts * self.regions * self.functions

    @property
    def account_ids(self) -> list[str]:
        return [HOME] if self.accounts == 1 else [str(300000000000 + number) for number in range(self.accounts)]

    @property
    def region_names(self) -> tuple[str, ...]:
        return REGIONS[: self.regions]

    def active(self, number: int) -> bool:
        return number % 3 == 0

    def may_write(self, role: int) -> bool:
        return role % 4 != 3

    @property
    def traced(self) -> int:
        """How many functions of the whole estate are traced; the answer that has to come out."""
        here = [number for number in range(self.functions) if self.active(number)]
        return self.accounts * self.regions * sum(self.may_write(number % self.roles) for number in here)


def function(size: Size, region: str, number: int) -> dict[str, object]:
    name = f"{TEAMS[number % len(TEAMS)]}-worker-{number:05}"
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:{region}:{ANY}:function:{name}",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ANY}:role/worker-{number % size.roles}",
        "Handler": "app.handler",
        "CodeSize": 4_000_000,
        "Timeout": 30,
        "MemorySize": 512,
        "LastModified": "2026-11-01T10:11:12.000+0000",
        "CodeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "Version": "$LATEST",
        "VpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"},
        "Environment": {"Variables": {f"SETTING_{each}": f"value-{number}-{each}" * 2 for each in range(8)}},
        "TracingConfig": {"Mode": "Active" if size.active(number) else "PassThrough"},
        "RevisionId": f"{number:08}-1111-4222-8333-444455556666",
        "Layers": [{"Arn": f"arn:aws:lambda:{region}:1:layer:powertools:{number % 3}", "CodeSize": 1}],
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": f"/aws/lambda/{name}"},
    }


def tagged(size: Size, region: str, number: int) -> dict[str, object]:
    made = {"team": TEAMS[number % len(TEAMS)], "stage": "prod", "aws:cloudformation:stack-name": "stack"}
    tags = [{"Key": key, "Value": value} for key, value in made.items()]
    return {"ResourceARN": function(size, region, number)["FunctionArn"], "Tags": tags}


def invoked(size: Size, region: str, number: int) -> dict[str, object]:
    name = function(size, region, number)["FunctionName"]
    dimensions = [{"Name": "FunctionName", "Value": name}, {"Name": "Resource", "Value": name}]
    return {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": dimensions}


def policy(effect: str, action: str) -> str:
    statement = [{"Effect": effect, "Action": action, "Resource": "*"}]
    return quote(orjson.dumps({"Version": "2012-10-17", "Statement": statement}))


def details(size: Size) -> bytes:
    """GetAccountAuthorizationDetails, in one page; every fourth role may not write."""
    trust = quote('{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]}')
    inline = {True: policy("Allow", "xray:Put*"), False: policy("Allow", "logs:*")}
    members = "".join(
        f"<member><Path>/</Path><RoleName>worker-{role}</RoleName><Arn>arn:aws:iam::{ANY}:role/worker-{role}</Arn>"
        f"<AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument><RolePolicyList><member><PolicyName>own</PolicyName>"
        f"<PolicyDocument>{inline[size.may_write(role)]}</PolicyDocument></member></RolePolicyList>"
        f"<AttachedManagedPolicies/></member>"
        for role in range(size.roles)
    )
    return xml(
        "GetAccountAuthorizationDetails", f"<IsTruncated>false</IsTruncated><RoleDetailList>{members}</RoleDetailList>"
    )


def xml(action: str, inner: str) -> bytes:
    space = "https://iam.amazonaws.com/doc/2010-05-08/"
    return f'<{action}Response xmlns="{space}"><{action}Result>{inner}</{action}Result></{action}Response>'.encode()


class Estate:
    """Every answer there is, by what is asked, region and marker."""

    def __init__(self, size: Size) -> None:
        self.calls: Counter[str] = Counter()
        self.connections = 0
        self._made: dict[tuple[str, str, str], bytes] = {}
        for region in size.region_names:
            self._pages(size, region, "ListFunctions", function, 50, "Functions", "NextMarker")
            self._pages(size, region, "GetResources", tagged, 100, "ResourceTagMappingList", "PaginationToken")
            self._pages(size, region, "ListMetrics", invoked, 500, "Metrics", "NextToken")
        self._details = details(size)

    def _pages(self, size: Size, region: str, action: str, make, count: int, key: str, marker: str) -> None:  # type: ignore[no-untyped-def]  # three functions of one shape
        for start in range(0, max(size.functions, 1), count):
            end = min(start + count, size.functions)
            page = {key: [make(size, region, number) for number in range(start, end)]}
            if end < size.functions:
                page[marker] = str(end)
            self._made[action, region, str(start or "")] = orjson.dumps(page)

    def answer(self, head: bytes, body: bytes) -> bytes:
        who = CREDENTIAL.search(head)
        if who is None:
            return orjson.dumps({"calls": self.calls, "connections": self.connections})
        account, region, service = (part.decode() for part in who.groups())
        return self._answer(account, region, service, head.split(b" ", 2)[1].decode(), body)

    def _answer(self, account: str, region: str, service: str, path: str, body: bytes) -> bytes:
        if service == "lambda":
            if "event-source-mappings" in path:
                self.calls["ListEventSourceMappings"] += 1
                return b'{"EventSourceMappings": []}'
            return self._page("ListFunctions", region, path.partition("Marker=")[2], account)
        if service in ("tagging", "monitoring"):
            asked = orjson.loads(body)
            action = "GetResources" if service == "tagging" else "ListMetrics"
            return self._page(action, region, asked.get("PaginationToken") or asked.get("NextToken") or "", account)
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        self.calls[form["Action"]] += 1
        if form["Action"] == "AssumeRole":
            keys = f"<AccessKeyId>ASIA{form['RoleArn'].split(':')[4]}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            ends = "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
            return xml("AssumeRole", f"<Credentials>{keys}{ends}</Credentials>")
        if form["Action"] == "GetCallerIdentity":
            return xml("GetCallerIdentity", f"<Arn>arn:aws:iam::{account}:user/me</Arn><Account>{account}</Account>")
        return self._details.replace(ANY.encode(), account.encode())

    def _page(self, action: str, region: str, marker: str, account: str) -> bytes:
        self.calls[action] += 1
        return self._made[action, region, marker].replace(ANY.encode(), account.encode())


class Connection(asyncio.Protocol):
    """One client's connection; requests come one after another."""

    def __init__(self, estate: Estate, latency: float) -> None:
        self._estate, self._latency = estate, latency
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._estate.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        length = int(found[1]) if found else 0
        if not end or len(rest) < length:
            return
        self._buffer = rest[length:]
        said = self._estate.answer(head, rest[:length])
        whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said)
        asyncio.get_running_loop().call_later(self._latency, self._transport.write, whole)


async def serve(size: Size, latency: float) -> None:
    estate = Estate(size)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(estate, latency), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Size.read(sys.argv[1]), float(sys.argv[2]) / 1000))

"""IAM's part of the pretend AWS: roles that may write to X-Ray in several ways, and roles that may not."""

import re
from collections.abc import Mapping
from urllib.parse import quote

import orjson

from tests.bench.world import QUEUE, STREAM, World

ANY = "999999999999"  # stands for the account in what is made beforehand
PAGE = 1000
WRITE = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
# https://docs.aws.amazon.com/lambda/latest/dg/with-msk-permissions.html
KAFKA = ("kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", "ec2:DescribeSubnets", "ec2:CreateNetworkInterface")
SQS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
DAEMON = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
OWN = f"arn:aws:iam::{ANY}:policy/tracing"
_SPACE = {"ec2": "http://ec2.amazonaws.com/doc/2016-11-15/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/"}
_IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
_SINCE = "<CreateDate>2026-01-01T00:00:00Z</CreateDate>"


def xml(action: str, inner: str, service: str = "iam") -> bytes:
    """An answer of the query protocol; EC2 has a form of its own."""
    result = inner if service == "ec2" else f"<{action}Result>{inner}</{action}Result>"
    return f'<{action}Response xmlns="{_SPACE.get(service, _IAM)}">{result}</{action}Response>'.encode()


def document(effect: str, *actions: str) -> str:
    statement = [{"Effect": effect, "Action": actions, "Resource": "*"}]
    return quote(orjson.dumps({"Version": "2012-10-17", "Statement": statement}))


_TRUST = quote(
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"Service":"lambda.amazonaws.com"}}]}'
)
_MANAGED = {BASIC: document("Allow", *LOGS), DAEMON: document("Allow", *WRITE), OWN: document("Allow", "xray:Put*")}
# How each kind of role may write to X-Ray, or may not: inline policies by name, and managed ones. `world.may_write`.
_KINDS: tuple[tuple[Mapping[str, str], tuple[str, ...]], ...] = (
    ({"tracing": document("Allow", *WRITE)}, ()),
    ({}, (DAEMON,)),
    ({}, (OWN,)),
    ({}, ()),
    ({"no-tracing": document("Deny", "xray:*")}, (OWN,)),
)


def _role(name: str, inline: Mapping[str, str], attached: tuple[str, ...]) -> str:
    policies = "".join(
        f"<member><PolicyName>{key}</PolicyName><PolicyDocument>{text}</PolicyDocument></member>"
        for key, text in inline.items()
    )
    managed = "".join(f"<member>{_named(arn)}</member>" for arn in (BASIC, *attached))
    return (
        f"<member><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROA{name}</RoleId>"
        f"<Arn>arn:aws:iam::{ANY}:role/{name}</Arn>{_SINCE}<AssumeRolePolicyDocument>{_TRUST}</AssumeRolePolicyDocument>"
        f"<InstanceProfileList/><RolePolicyList>{policies}</RolePolicyList>"
        f"<AttachedManagedPolicies>{managed}</AttachedManagedPolicies><Tags/></member>"
    )


def _named(arn: str) -> str:
    return f"<PolicyName>{arn.rpartition('/')[2]}</PolicyName><PolicyArn>{arn}</PolicyArn>"


def _version(text: str) -> str:
    return f"<Document>{text}</Document><VersionId>v1</VersionId><IsDefaultVersion>true</IsDefaultVersion>{_SINCE}"


def _policy(arn: str) -> str:
    return (
        f"<PolicyName>{arn.rpartition('/')[2]}</PolicyName><Arn>{arn}</Arn><Path>/</Path>"
        f"<DefaultVersionId>v1</DefaultVersionId><IsAttachable>true</IsAttachable>{_SINCE}"
    )


def _anyones(arn: str) -> str:
    """The policy that stands for this one of some account's."""
    return re.sub(r"::\d{12}:", f"::{ANY}:", arn)


class Iam:
    """Any account's roles and policies; where an account is named, it is `ANY`."""

    def __init__(self, world: World) -> None:
        self._policies = {f"worker-{each}": _KINDS[each % len(_KINDS)] for each in range(world.roles)}
        self._policies[STREAM] = ({"brokers": document("Allow", *KAFKA, *WRITE)}, ())
        self._policies[QUEUE] = ({"queue": document("Allow", *SQS, *WRITE)}, ())
        members = [_role(name, *policies) for name, policies in self._policies.items()]
        self._pages = [members[start : start + PAGE] for start in range(0, len(members), PAGE)]

    def details(self, asked: Mapping[str, str]) -> bytes:
        """GetAccountAuthorizationDetails; policies come with the last page."""
        number = int(asked.get("Marker", "0"))
        last = number + 1 == len(self._pages)
        more = "<IsTruncated>false</IsTruncated>"
        if not last:
            more = f"<IsTruncated>true</IsTruncated><Marker>{number + 1}</Marker>"
        wanted = {value for key, value in asked.items() if key.startswith("Filter.")}
        arns = [OWN] if not wanted or "LocalManagedPolicy" in wanted else []
        arns += [BASIC, DAEMON] if not wanted or "AWSManagedPolicy" in wanted else []
        policies = "".join(
            f"<member>{_policy(arn)}<PolicyVersionList><member>{_version(_MANAGED[arn])}</member></PolicyVersionList></member>"
            for arn in (arns if last else ())
        )
        roles = "".join(self._pages[number]) if not wanted or "Role" in wanted else ""
        lists = f"<UserDetailList/><GroupDetailList/><RoleDetailList>{roles}</RoleDetailList>"
        return xml("GetAccountAuthorizationDetails", f"{more}{lists}<Policies>{policies}</Policies>")

    def role(self, asked: Mapping[str, str]) -> bytes:
        name = asked["RoleName"]
        about = f"<Path>/</Path><RoleName>{name}</RoleName><RoleId>AROA{name}</RoleId>{_SINCE}"
        about += f"<Arn>arn:aws:iam::{ANY}:role/{name}</Arn>"
        about += f"<AssumeRolePolicyDocument>{_TRUST}</AssumeRolePolicyDocument>"
        return xml("GetRole", f"<Role>{about}</Role>")

    def inline_names(self, asked: Mapping[str, str]) -> bytes:
        inline, _ = self._policies[asked["RoleName"]]
        names = "".join(f"<member>{name}</member>" for name in inline)
        return xml("ListRolePolicies", f"<IsTruncated>false</IsTruncated><PolicyNames>{names}</PolicyNames>")

    def inline_policy(self, asked: Mapping[str, str]) -> bytes:
        role, name = asked["RoleName"], asked["PolicyName"]
        text = self._policies[role][0][name]
        names = f"<RoleName>{role}</RoleName><PolicyName>{name}</PolicyName>"
        return xml("GetRolePolicy", f"{names}<PolicyDocument>{text}</PolicyDocument>")

    def attached(self, asked: Mapping[str, str]) -> bytes:
        _, arns = self._policies[asked["RoleName"]]
        members = "".join(f"<member>{_named(arn)}</member>" for arn in (BASIC, *arns))
        more = "<IsTruncated>false</IsTruncated>"
        return xml("ListAttachedRolePolicies", f"{more}<AttachedPolicies>{members}</AttachedPolicies>")

    def policy(self, asked: Mapping[str, str]) -> bytes:
        return xml("GetPolicy", f"<Policy>{_policy(_anyones(asked['PolicyArn']))}</Policy>")

    def version(self, asked: Mapping[str, str]) -> bytes:
        text = _MANAGED[_anyones(asked["PolicyArn"])]
        return xml("GetPolicyVersion", f"<PolicyVersion>{_version(text)}</PolicyVersion>")

"""How sts, ec2 and iam are asked over the wire: a form in, XML out."""

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, fromstring

from commands.aws.calls import Call
from commands.aws.endpoints import SERVICES
from commands.aws.keys import Identity
from commands.aws.wire import Wire

T = TypeVar("T")


async def query(
    wire: Wire,
    who: Identity,
    service: str,
    region: str,
    action: str,
    arguments: Mapping[str, str],
    read: Callable[[Element], T],
) -> T:
    form = {"Action": action, "Version": SERVICES[service].version, **arguments}
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    call = Call(service, action, region, body=urlencode(form).encode(), headers=headers)
    return await wire.ask(who, call, lambda body: read(_xml(body)))


def _xml(body: bytes) -> Element:
    if b"<!DOCTYPE" in body:  # AWS sends none, and it is where entities are declared
        raise ValueError("an XML answer with a DOCTYPE")
    return fromstring(body)  # noqa: S314 - without a DOCTYPE there are no entities to expand


def text(root: Element, name: str) -> str:
    found = root.findtext(f".//{{*}}{name}")
    if not found:
        raise KeyError(name)
    return found

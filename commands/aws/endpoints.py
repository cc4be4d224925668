"""Where AWS's services are, by botocore's rules and every ordinary AWS setting. Nothing here asks AWS anything."""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from commands.aws.errors import AwsProblem, our_errors

if TYPE_CHECKING:
    from botocore.session import Session


class Service(msgspec.Struct, frozen=True):
    """Where botocore keeps what it knows of a service, and how its calls are signed."""

    folder: str  # in botocore/data
    version: str
    signing_name: str
    configured_as: str  # AWS_ENDPOINT_URL_<this>, and the key of a `services` section
    is_global: bool = False  # one endpoint a partition


SERVICES: Mapping[str, Service] = {
    "sts": Service("sts", "2011-06-15", "sts", "STS"),
    "iam": Service("iam", "2010-05-08", "iam", "IAM", is_global=True),
    "ec2": Service("ec2", "2016-11-15", "ec2", "EC2"),
    "lambda": Service("lambda", "2015-03-31", "lambda", "LAMBDA"),
    "tag": Service("resourcegroupstaggingapi", "2017-01-26", "tagging", "RESOURCE_GROUPS_TAGGING_API"),
    "cloudwatch": Service("cloudwatch", "2010-08-01", "monitoring", "CLOUDWATCH"),
    "config": Service("config", "2014-11-12", "config", "CONFIG_SERVICE"),
    "organizations": Service("organizations", "2016-11-28", "organizations", "ORGANIZATIONS", is_global=True),
    "account": Service("account", "2021-02-01", "account", "ACCOUNT", is_global=True),
    "xray": Service("xray", "2016-04-12", "xray", "XRAY"),
}


class Endpoint(msgspec.Struct, frozen=True):
    """One service in one region: where it is, and for which name and region a call to it is signed."""

    url: str  # without a slash at its end
    signing_name: str
    signing_region: str
    proxy: str | None

    @property
    def tls(self) -> bool:
        return self.url.startswith("https:")


class Endpoints:
    """botocore's answers to "where is this service in this region", with every ordinary AWS setting honoured.

    `ordinary` gives the same answers without botocore where the environment says everything.
    """

    def __init__(self, make_session: "Callable[[], Session]") -> None:
        self._make_session = make_session
        self._found: dict[tuple[str, str], Endpoint] = {}
        self._rules: dict[str, Any] = {}

    @cached_property
    def _session(self) -> "Session":
        return self._make_session()

    def find(self, service: str, region: str) -> Endpoint:
        key = (service, region)
        if key not in self._found:
            self._found[key] = self._find(service, region)
        return self._found[key]

    def partition(self, region: str) -> Mapping[str, Any]:
        """botocore's entry for the partition of this region; an unknown region is taken for one of `aws`."""
        partitions = self._partitions()
        for one in partitions:
            if region in one["regions"] or re.match(one["regionRegex"], region):
                return one
        return partitions[0]

    def _partitions(self) -> Sequence[Mapping[str, Any]]:
        loaded = self._session.get_component("data_loader").load_data("partitions")
        return loaded["partitions"]  # type: ignore[no-any-return]  # JSON that botocore ships

    def _find(self, service: str, region: str) -> Endpoint:
        known = SERVICES[service]
        with our_errors(region=region, service=service):  # not every text is a region's name
            url, signing_region = self._configured(known.configured_as), self._signing_region(known, region)
            if not url:
                url, signing_region = self._ruled(known, region, signing_region)
        return self._endpoint(known, url, signing_region)

    def _signing_region(self, service: Service, region: str) -> str:
        """Where no rule names another."""
        return str(self.partition(region)["outputs"]["implicitGlobalRegion"]) if service.is_global else region

    def _endpoint(self, service: Service, url: str, signing_region: str) -> Endpoint:
        return Endpoint(url.rstrip("/"), service.signing_name, signing_region, proxy_for(url))

    def _configured(self, name: str) -> str:
        """https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html"""
        if self._session.get_config_variable("ignore_configured_endpoint_urls"):
            return ""
        profile = self._session.get_scoped_config()
        sections = self._session.full_config.get("services", {})
        section = sections.get(profile.get("services", ""), {}).get(name.lower(), {})
        return (
            os.environ.get(f"AWS_ENDPOINT_URL_{name}")
            or os.environ.get("AWS_ENDPOINT_URL")
            or section.get("endpoint_url")
            or profile.get("endpoint_url")
            or ""
        )

    def _ruled(self, service: Service, region: str, signing_region: str) -> tuple[str, str]:
        """Its URL and signing region by botocore's rules."""
        provider = self._rules.get(service.folder)
        if provider is None:
            from botocore.endpoint_provider import EndpointProvider

            loader = self._session.get_component("data_loader")
            # By path: load_service_model would first list the folders of all services.
            rules = loader.load_data(f"{service.folder}/{service.version}/endpoint-rule-set-1")
            provider = self._rules[service.folder] = EndpointProvider(rules, loader.load_data("partitions"))
        settings = {
            "Region": region,
            "UseFIPS": bool(self._session.get_config_variable("use_fips_endpoint")),
            "UseDualStack": bool(self._session.get_config_variable("use_dualstack_endpoint")),
        }
        ruled = provider.resolve_endpoint(**settings)
        for scheme in ruled.properties.get("authSchemes", ()):
            signing_region = scheme.get("signingRegion", signing_region)
        return ruled.url, signing_region

    def ca_bundle(self) -> str:
        """The file of certificates that vouch for AWS. Raises AwsProblem where it cannot be read."""
        bundle = self._bundle()
        try:
            Path(bundle).read_bytes()
        except OSError as error:
            raise AwsProblem(
                "CaBundle", f"the CA bundle {bundle} could not be read: {error}", own_words=True
            ) from error
        return bundle

    def _bundle(self) -> str:
        from botocore.httpsession import get_cert_path

        return str(self._session.get_config_variable("ca_bundle") or get_cert_path(True))


def proxy_for(url: str) -> str | None:
    """By urllib's reading of the environment, as botocore takes it; without a variable there is nothing to load."""
    scheme, _, rest = url.partition("://")
    asks_the_system = sys.platform in ("darwin", "win32")
    if not asks_the_system and not any(name.lower() == f"{scheme}_proxy" for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass

    try:
        if proxy_bypass(rest.partition("/")[0]):
            return None
    except (TypeError, OSError):  # macOS asks for the host's address
        pass
    return getproxies().get(scheme)

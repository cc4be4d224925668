"""Whose credentials, which region and which endpoints, where the environment alone says it: as botocore, without it.

Where keys are in the environment and no settings file exists, botocore only says again what stands there. To load it,
urllib3 and its rules takes 80 ms of CPU time and 8 MB (2 cores, botocore 1.44): a fifth of an audit of 1,000 functions.
Whatever is not ordinary goes to botocore, and tests hold every answer here to botocore's.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from commands.aws.endpoints import SERVICES, Endpoint, Endpoints, Service
from commands.aws.keys import Keys

# Where one of these is set, be it to nothing, botocore is asked: which profiles there are, when keys end, and what the
# rules say of other endpoints than the ordinary ones, it knows better.
_NOT_ORDINARY = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_DATA_PATH",
)
_FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
_MODELS = "~/.aws/models"  # a person's own rules, which botocore takes before those it ships

# IAM's host and its signing region, where they are not those of the partition's other global services.
_IAM = {
    "aws": ("iam.amazonaws.com", "us-east-1"),
    "aws-cn": ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    "aws-us-gov": ("iam.us-gov.amazonaws.com", "us-gov-west-1"),
}


class Ordinary(NamedTuple):
    """What the environment says of its own."""

    keys: Keys
    region: str | None


def ordinary(environment: Mapping[str, str]) -> Ordinary | None:
    """None where anything else may have a say; botocore knows what, and what is wrong with it."""
    access_key, secret_key = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key or any(name in environment for name in _NOT_ORDINARY):
        return None
    if _settings_files(environment):
        return None
    token = environment.get("AWS_SECURITY_TOKEN") or environment.get("AWS_SESSION_TOKEN") or None
    return Ordinary(Keys(access_key, secret_key, token), environment.get("AWS_DEFAULT_REGION"))


def _settings_files(environment: Mapping[str, str]) -> bool:
    """Whether botocore would find any: by os.path, for which what may not be looked at is not there."""
    paths = (os.path.expandvars(environment.get(name, usual)) for name, usual in _FILES.items())
    if any(os.path.isfile(os.path.expanduser(path)) for path in paths):  # noqa: PTH111, PTH113 - Path may raise here
        return True
    return os.path.isdir(os.path.expanduser(_MODELS))  # noqa: PTH111, PTH112 - as above


class OrdinaryEndpoints(Endpoints):
    """Endpoints where the environment is `ordinary`; for a region that AWS does not list, botocore's answer."""

    def _find(self, service: str, region: str) -> Endpoint:
        known = SERVICES[service]
        url = os.environ.get(f"AWS_ENDPOINT_URL_{known.configured_as}") or os.environ.get("AWS_ENDPOINT_URL")
        if url:
            return self._endpoint(known, url, self._signing_region(known, region))
        partition = self.partition(region)
        if region not in partition["regions"] or region.endswith("-global"):
            return super()._find(service, region)
        host, signing_region = self._regular(known, region, partition)
        return self._endpoint(known, f"https://{host}", signing_region)

    def _regular(self, service: Service, region: str, partition: Mapping[str, Any]) -> tuple[str, str]:
        """Its host and signing region."""
        if service.folder == "iam" and partition["id"] in _IAM:
            return _IAM[partition["id"]]
        signing_region = self._signing_region(service, region)
        return f"{service.signing_name}.{signing_region}.{partition['outputs']['dnsSuffix']}", signing_region

    def _partitions(self) -> Sequence[Mapping[str, Any]]:
        return self._shipped or super()._partitions()

    @cached_property
    def _shipped(self) -> Sequence[Mapping[str, Any]]:
        """What botocore would load; nothing where it is packed, as other data of botocore's are."""
        try:
            text = (_botocores_folder() / "data" / "partitions.json").read_bytes()
        except FileNotFoundError:
            return ()
        return json.loads(text)["partitions"]  # type: ignore[no-any-return]  # JSON that botocore ships

    def _bundle(self) -> str:
        if bundle := os.environ.get("AWS_CA_BUNDLE"):
            return bundle
        try:
            from certifi import where
        except ImportError:
            return str(_botocores_folder() / "cacert.pem")
        return where()


def _botocores_folder() -> Path:
    """Found without loading botocore."""
    spec = find_spec("botocore")
    assert spec is not None  # noqa: S101 - it is one of our requirements
    return Path(str(spec.origin)).parent

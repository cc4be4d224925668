"""Whose credentials the shared clients sign with: decided for each call by the thread or task that makes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from commands.aws.keys import Keys

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

_acting: ContextVar["Credentials | None"] = ContextVar("acting", default=None)
_account: ContextVar[str] = ContextVar("account", default="")


@contextmanager
def acting(keys: Keys | None, account: str = "") -> Iterator[None]:
    """Calls inside the block bear these keys, or the ambient credentials, and are meant for that account."""
    from botocore.credentials import Credentials

    token = _acting.set(Credentials(keys.access_key, keys.secret_key, keys.token) if keys else None)
    before = _account.set(account)
    try:
        yield
    finally:
        _account.reset(before)
        _acting.reset(token)


def acting_account() -> str:
    """For which account calls are meant here; "" where nobody said."""
    return _account.get()


class CredentialsOfThisContext:
    """What every shared client signs with. botocore asks `get_frozen_credentials` for each call (botocore 1.44)."""

    def __init__(self, ambient: "Credentials") -> None:
        self._ambient = ambient

    def get_frozen_credentials(self) -> "ReadOnlyCredentials":
        return (_acting.get() or self._ambient).get_frozen_credentials()

    def load_credentials(self) -> "CredentialsOfThisContext":
        """A credential provider's one method, so that the session takes this object for its own."""
        return self

    def __getattr__(self, name: str) -> Any:  # `method`, `account_id`: botocore describes credentials with them
        return getattr(_acting.get() or self._ambient, name)

"""`python -m bot healthy`: asks the bot on this machine how it is; for containers without a shell and curl."""

import http.client
from http import HTTPStatus

import click

from bot.config import ConfigProblem
from bot.running import OFF

PATIENCE_SECONDS = 5.0
ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}  # noqa: S104 - asked, not bound


def tell(listen: str, *, ready: bool) -> int:
    """The exit code. Raises ConfigProblem where there is nobody to ask."""
    if listen == OFF:
        raise ConfigProblem('[health] listen is "off", so nobody can be asked. Name an address, like "127.0.0.1:9464".')
    host, _, port = listen.rpartition(":")
    address = f"{ANYWHERE.get(host, host)}:{port}"
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/readyz" if ready else "/healthz")
        answer = connection.getresponse()
        said = answer.read().decode()
    except (OSError, http.client.HTTPException) as problem:
        why = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        click.echo(f"lamplighter: nobody answers at {address}: {why}", err=True)
        return 1
    finally:
        connection.close()
    click.echo(said, nl=False)
    return 0 if answer.status == HTTPStatus.OK else 1

"""What runs: the configuration, the connection to Slack, the clock and the terminal around `commands`."""


def __getattr__(name: str) -> str:
    """VERSION, which is told where it is kept: what asks for no memory does not load that."""
    if name != "VERSION":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from storage.version import VERSION

    return VERSION

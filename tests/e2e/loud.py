"""`python -m tests.e2e.loud …`: `python -m bot …`, each logger saying all that it knows, whoever sets its level."""

import logging
import warnings


class Loud(logging.Logger):
    """A logger that nobody can quieten."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the library's name
        return True


if __name__ == "__main__":
    logging.setLoggerClass(Loud)
    warnings.simplefilter("always")
    from bot.cli import main  # after that, so that every logger is one of these

    main(prog_name="python -m bot")

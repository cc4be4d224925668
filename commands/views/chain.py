"""What the fallback channel is told of the chain of decisions."""

from zoneinfo import ZoneInfo

from commands.views.text import code, plain_day, prose, sentence
from storage.chain import Head


def head_text(head: Head, zone: ZoneInfo) -> str:
    """Once a week. The hash stands in full in the command: it is what proves something later."""
    of = f" of {plain_day(head.at.astimezone(zone))}" if head.at else ""
    return (
        f"*Decisions: {head.number:,} kept*, each as it was written. The newest is no. {head.number:,}{of}, hash "
        f"{code(head.hash[:12] + '…')}.\nWhether any of them was changed since, this tells: "
        f"{code(f'python -m bot verify --expect {head}')}"
    )


def broken_text(problem: str, newest: Head | None) -> str:
    """Loud: somebody has changed the file, or part of it was lost."""
    now = f" The newest is {code(str(newest))} now." if newest else ""
    return (
        f":rotating_light: *The history of decisions is not as it was written.* {prose(sentence(problem))}{now}\n"
        f"Nobody changes it by way of Lamplighter. Keep the file as it is, look at it with "
        f"{code('python -m bot verify')}, and compare it with a backup and with the heads that were posted here before."
    )

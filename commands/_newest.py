"""What is known better than AWS Config shows it: a change appears there minutes later, or a day where it records daily.

A fix that has just been made would else be taken for undone.
"""

from dataclasses import replace

from storage.models import Function, Inventory
from storage.store import Store


def newest(store: Store, seen: Inventory) -> Inventory:
    """`seen`, with what is remembered of each function that it shows as it was before its last known change."""
    modified = store.functions.modified()

    def is_older(shown: Function) -> bool:
        known = modified.get(shown.arn)
        return known is not None and shown.last_modified is not None and shown.last_modified < known

    return replace(
        seen,
        functions=tuple(store.functions.get(one.arn) or one if is_older(one) else one for one in seen.functions),
    )

"""When Python looks for what only refers to itself: seldom through all that lives, for nothing else runs meanwhile."""

import gc

# While many ask at 100,000 functions, a look through everything takes half a second, and by itself comes every few
# seconds. What is young is looked through often; all of it, by the clock.
YOUNG, MIDDLE_AGED, NEVER = 5_000, 10, 1_000_000
TIDY_SECONDS = 600


def look_through_memory_by_the_clock() -> None:
    """From now on `tidy` is to be called now and again."""
    gc.set_threshold(YOUNG, MIDDLE_AGED, NEVER)


def tidy() -> None:
    gc.collect()

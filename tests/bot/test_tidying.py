"""No look through all of memory comes amid requests, and what is left behind goes all the same."""

import json
import subprocess
import sys

ROUND = """
import gc, json, sys, weakref
from bot.tidying import look_through_memory_by_the_clock, tidy

if sys.argv[1] == "by the clock":
    look_through_memory_by_the_clock()
looks = [0, 0, 0]

def look(phase, info):
    looks[info["generation"]] += phase == "stop"

gc.callbacks.append(look)

class Left:
    def __init__(self):
        self.itself, self.much = self, [[] for _ in range(50)]

lives, most = [], 0
left = weakref.WeakSet()
for number in range(100_000):  # what a minute of questions makes
    lives.append([number])
    left.add(Left())
    most = max(most, len(left))
    if len(lives) > 20_000:
        lives.clear()
by_itself = looks[2]
tidy()
print(json.dumps([by_itself, most, len(left), looks[2]]))
"""


def looked(how: str) -> list[int]:
    done = subprocess.run([sys.executable, "-c", ROUND, how], capture_output=True, text=True, check=True, timeout=120)
    return list(json.loads(done.stdout))


def test_all_that_lives_is_looked_through_by_the_clock_alone() -> None:
    by_itself, most, left, after = looked("by the clock")
    assert (by_itself, after, left) == (0, 1, 0)
    assert most < 2_000  # what is young and only refers to itself does not pile up
    assert looked("as Python does")[0] > 3  # which is what the bot must not wait for

"""Strikes servers and processes, one after another and some at once, by the dice of a seed; times each recovery.

It runs on the main thread: the kernel ends a child when the thread that started it ends.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from chaos.canary import Canary, Recovery
from chaos.faults import KINDS, Fault
from chaos.site import Site

SERVERS = ("postgres", "redis")
REST_SECONDS = (0.5, 3.0)
AT_ONCE = 0.2
"""So many strikes are of two kinds at once."""

Say = Callable[[str], None]


class Conductor:
    """`recoveries` are those of single faults, by kind; `counts` are of all, `last_mended` when the last was over."""

    def __init__(self, site: Site, canary: Canary, random: Random, say: Say) -> None:
        self._site, self._canary, self._random, self._say = site, canary, random, say
        self.counts: Counter[str] = Counter()
        self.recoveries: dict[str, list[Recovery]] = {}
        self.last: Recovery | None = None
        self._began = time.monotonic()

    def run(self, seconds: float) -> None:
        """Strike for so long. Every kind comes once before any comes again."""
        ends = time.monotonic() + seconds
        for kinds in self._order():
            time.sleep(self._random.uniform(*REST_SECONDS))
            if time.monotonic() >= ends:
                return
            self._strike([kind(self._site, self._random) for kind in kinds])

    def _order(self) -> Iterator[list[type[Fault]]]:
        while True:
            for kind in self._random.sample(KINDS, len(KINDS)):
                others = [other for other in KINDS if other.part() != kind.part()]
                yield [kind, self._random.choice(others)] if self._random.random() < AT_ONCE else [kind]

    def _strike(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            fault.strike()
            self.counts[fault.kind] += 1
        lasts = [self._random.uniform(*fault.lasts) for fault in faults]
        time.sleep(max(lasts))
        mended_at = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            measured = beside.submit(self._canary.measure, mended_at)
            # Servers first: what starts waits for them.
            for fault in sorted(faults, key=lambda fault: fault.hits not in SERVERS):
                fault.mend()
        self._note(faults, measured.result(), mended_at - self._began, max(lasts))

    def _note(self, faults: Sequence[Fault], found: Recovery, at: float, lasted: float) -> None:
        named, self.last = " and ".join(fault.kind for fault in faults), found
        if len(faults) == 1:
            self.recoveries.setdefault(faults[0].kind, []).append(found)
        self._say(
            f"{at:5.0f} s  {named} for {lasted:.1f} s: "
            f"answered after {found.answered:.1f}, told {found.told:.1f}, drained {found.drained:.1f} s"
        )
        if found.drained == float("inf"):
            self._canary.promises.broke(
                f"{self._canary.patience:.0f} s after {named} all was not well again: {found}; "
                f"look into the logs of {', '.join(fault.hits for fault in faults)} and the workers"
            )

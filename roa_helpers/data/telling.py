"""What is said of data: how folders were understood, how many pictures there are, and which were passed over and why.

It is logged as ``roa_helpers.data``: guesses and losses as warnings, the rest as information. The command line shows
both.
"""

import logging
from collections import Counter, defaultdict

from .names import shown

log = logging.getLogger(__package__)

#: Classes, and reasons, that are counted one by one; characters of a class's name.
COUNTED, LABEL = 8, 60


def tell(name: str, text: str, *, left_aside=None, doubts=()):
    """Log how a data set was understood, what is left aside (reason → how often), and where it was a guess."""
    log.info("%s: %s", name, text)
    if aside := counted(left_aside or {}):
        log.info("%s: left aside: %s", name, aside)
    for doubt in doubts:
        log.warning("%s: a guess: %s", name, doubt)


def tell_losses(name: str, *, of: int, unreadable: dict[str, str], repeats: dict[str, str] | None = None):
    """Log which of ``of`` pictures could not be read (name → reason) and which are duplicates (name → of what)."""
    if unreadable:
        reasons = counted(Counter(unreadable.values()))
        first = shown(min(unreadable))
        log.warning("%s: %d of %d pictures cannot be read: %s (first %s)", name, len(unreadable), of, reasons, first)
    if repeats:
        first = min(repeats)
        pair = f"{shown(first)} is {shown(repeats[first])}"
        log.info("%s: %d of %d pictures are duplicates, used once: %s", name, len(repeats), of, pair)


def understood(pool) -> str:
    """A :class:`.layouts.Pool` in words: ``class folders; train: cats 200, dogs 200; test: cats 50, dogs 50``."""
    parts = defaultdict(Counter)
    for record in pool.records:
        parts[record.part][record.label] += 1
    told = [pool.kind]
    for part in sorted(parts, key=("", "train", "val", "test").index):
        counts = {label: parts[part][label] for label in pool.classes}
        some = [f"{shown(label, LABEL)} {n:,}" for label, n in counts.items()]
        if len(some) > COUNTED:
            some = [f"{len(counts)} classes, {sum(counts.values()):,} pictures", *some[:3], "…"]
        told.append((f"{part}: " if part else "") + ", ".join(some))
    return "; ".join(told)


def counted(reasons: dict[str, int]) -> str:
    """``12 broken or cut off, 3 too many pixels``, the most frequent first."""
    found = Counter({why: n for why, n in reasons.items() if n}).most_common()
    rest = sum(n for _, n in found[COUNTED:])
    return ", ".join([f"{n:,} {why}" for why, n in found[:COUNTED]] + ([f"{rest:,} others"] if rest else []))


def listed(names) -> str:
    """Names of classes, the first thirty of many."""
    found = [shown(name, LABEL) for name in names]
    return ", ".join(found[:30]) + (f", … ({len(found)} in all)" if len(found) > 30 else "")

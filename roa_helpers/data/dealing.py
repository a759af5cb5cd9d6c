"""Pictures dealt out to training, validation and test: each to one of them, by a seed, groups kept together."""

import hashlib
import re
from collections import defaultdict

import numpy as np

from .layouts import Record

SPLITS = ("train", "val", "test")
FRACTIONS = {"train": 0.70, "val": 0.15, "test": 0.15}  # where there is no official test part
CARVED = {"train": 0.85, "val": 0.15}  # of the official training part


def split_records(records, *, seed: int, group: str = "") -> tuple[dict[str, dict[str, list[Record]]], str]:
    """Deal records out to split → class → records in a seeded order, and say in words by which rule.

    The order within a class depends on the seed and the names in that class alone.
    """
    by_part = defaultdict(list)
    for record in records:
        by_part[record.part].append(record)
    if "train" not in by_part and "test" not in by_part:
        queues = _deal(by_part[""], FRACTIONS, seed, group)
        rule = f"{'/'.join(f'{share:.0%}'.rstrip('%') for share in FRACTIONS.values())} of each class"
    elif "val" in by_part:
        queues = {split: _deal(by_part[split], {split: 1.0}, seed, "")[split] for split in SPLITS}
        rule = "official parts"
    else:
        queues = _deal(by_part["train"], CARVED, seed, group) | _deal(by_part["test"], {"test": 1.0}, seed, "")
        rule = f"official test part, {CARVED['val']:.0%} of each class of the training part for validation"
        rule = rule if by_part["train"] else "all of it the test part"
    return queues, rule + (f", whole groups by the start of the file name: {group}" if group else "")


def _deal(records, fractions: dict[str, float], seed: int, group: str) -> dict[str, dict[str, list[Record]]]:
    by_label = defaultdict(list)
    for record in sorted(records):
        by_label[record.label].append(record)
    shuffled = {label: _shuffled(found, seed, label) for label, found in by_label.items()}
    if group:
        home = _deal_groups(records, fractions, seed, group)
        return {
            split: {label: [r for r in found if home[_group(r, group)] == split] for label, found in shuffled.items()}
            for split in fractions
        }
    queues = {split: {} for split in fractions}
    for label, found in shuffled.items():
        start = 0
        for split, count in zip(fractions, shares(len(found), tuple(fractions.values())), strict=True):
            queues[split][label] = found[start : start + count]
            start += count
    return queues


def shares(n: int, fractions: tuple[float, ...]) -> list[int]:
    """Whole numbers near the fractions of ``n`` that sum to it, none 0; a small ``n`` goes to the first."""
    rest = [max(1, round(n * fraction)) if n >= len(fractions) else 0 for fraction in fractions[1:]]
    return [n - sum(rest), *rest]


def _deal_groups(records, fractions: dict[str, float], seed: int, group: str) -> dict[str, str]:
    """Group → split. Groups come in a seeded order, each to the split where it leaves the counts nearest to their aim.

    Nearest: least Σ over splits s and classes c of ((dealt − aim) / n_c)², where aim = fraction_s · n_c.
    """
    labels = sorted({record.label for record in records})
    counts = defaultdict(lambda: np.zeros(len(labels)))
    for record in records:
        counts[_group(record, group)][labels.index(record.label)] += 1
    n = sum(counts.values(), np.zeros(len(labels)))
    missing = {split: fraction * n for split, fraction in fractions.items()}
    home = {}
    for name in _shuffled(sorted(counts), seed, "groups"):
        size = counts[name]
        home[name] = min(fractions, key=lambda s: (((missing[s] - size) ** 2 - missing[s] ** 2) / n**2).sum())
        missing[home[name]] = missing[home[name]] - size
    return home


def _group(record: Record, group: str) -> str:
    """What the file's name starts with; a file that does not match is its own group."""
    match = re.match(group, record.name.rpartition("/")[2])
    return match.group() if match else record.name


def _shuffled(items: list, seed: int, what: str) -> list:
    words = hashlib.sha256(f"{seed} {what}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(words))
    return [items[position] for position in rng.permutation(len(items))]

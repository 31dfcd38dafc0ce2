"""Defective copies of CSV lines: each is a good line with one thing wrong, under a key of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from generators.ledger import Planted
from generators.randomness import I64, Stream
from generators.spec import Spec
from generators.writing import in_delivery_order

Fields = list[str]
Mutation = Callable[[Fields, int], bytes]
_RATE = 0.001


def parse(line: bytes) -> Fields:
    """The fields of a line of CSV."""
    return next(csv.reader([line.decode()]))


def render(fields: Fields) -> bytes:
    """A line of CSV without line feed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue().encode()


def _malformed(fields: Fields, nth: int) -> bytes:
    if nth % 3 == 0:
        return render(fields[: len(fields) // 2])
    if nth % 3 == 1:
        return render([*fields, "n/a", ""])
    return render(fields[:3]) + b',"' + render(fields[4:]).replace(b'"', b"")


def _with(index: int, *values: str) -> Mutation:
    def mutate(fields: Fields, nth: int) -> bytes:
        changed = list(fields)
        changed[index] = values[nth % len(values)]
        return render(changed)

    return mutate


def mutations(header: str, letter: str, changes: bool) -> dict[str, Mutation]:
    """What is done to a line's fields for each class.

    Args:
        header: The file's header line.
        letter: First letter of the keys.
        changes: Whether the file is one of changes.
    """
    names = header.split(",")
    updated = names.index("updated_at")
    width = 8 if letter == "U" else 6

    def latin_1(fields: Fields, nth: int) -> bytes:
        changed = list(fields)
        text = names.index("last_name" if letter == "U" else "product_name")
        changed[text] = ("Bj\x00rk", "Lef\x00vre", "Mu\x00oz")[nth % 3]
        return render(changed).replace(b"\x00", (b"\xf6", b"\xe8", b"\xf1")[nth % 3])

    chosen: dict[str, Mutation] = {
        "invalid_utf8": latin_1,
        "malformed_line": _malformed,
        "blank_line": lambda fields, nth: b"",
        "missing_key": _with(0, ""),
        "malformed_key": _with(
            0, f"{letter}12AB", f"{letter.lower()}{'7' * width}", "1" * width, f"{letter}{'3' * 12}"
        ),
        "missing_updated_at": _with(updated, ""),
        "impossible_updated_at": _with(updated, "2025-13-45T99:00:00.000Z", "2025-02-30T25:61:00.000Z"),
        "repeated_header": lambda fields, nth: header.encode(),
    }
    if letter == "U":
        chosen["impossible_birth_date"] = _with(names.index("birth_date"), "1875-03-02", "2031-01-17", "1620-12-21")
    else:
        price = names.index("list_price")
        chosen["negative_price"] = lambda fields, nth: _with(price, f"-{fields[price]}")(fields, nth)
    if changes:
        chosen["unknown_op"] = _with(names.index("op"), "merge", "patch", "truncate")
    return chosen


_KEYLESS = {"blank_line", "malformed_line", "repeated_header", "missing_key", "invalid_utf8"}


class LinePlanter:
    """Plants defective lines in the files of one feed.

    Args:
        spec: The data set.
        dataset: users or products.
        header: The header line of these files.
        changes: Whether these are files of changes.
        sizes: Number of good lines of each file.
        name: What tells this feed's random values from another's.
        first_key: Number from which on keys of defective copies count.
        avoid: Lines that are never copied, counted through all files.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is a different input
        self,
        spec: Spec,
        dataset: str,
        header: str,
        changes: bool,
        sizes: Sequence[int],
        name: str,
        first_key: int,
        avoid: I64 | None = None,
    ) -> None:
        """Plan what the class gives; see there for the arguments."""
        self.dataset, self.header = dataset, header
        self.letter = dataset[0].upper()
        self.stream = Stream(spec.seed, f"defects/{dataset}/{name}")
        self.mutations = mutations(header, self.letter, changes)
        self.first_key = first_key
        names = [*self.mutations, "exact_duplicate"]
        total, ends = sum(sizes), np.cumsum(sizes)
        count = spec.planted(_RATE, total)
        # More defects than lines at the smallest scales: a line may then be copied more than once.
        skipped = 0 if avoid is None else len(avoid)
        order = self.stream.sample("source", total, min(total, count * len(names) + skipped))
        order = order if avoid is None else order[~np.isin(order, avoid)]
        source = np.resize(order, count * len(names)) if len(order) else np.empty(0, np.int64)
        self.file = np.searchsorted(ends, source, side="right")
        self.row = source - (ends - np.asarray(sizes))[self.file]
        self.name = np.repeat(np.arange(len(names)), count)[: len(source)]
        self.names = names

    def plant(self, number: int, path: str, lines: pa.Array, planted: Planted) -> pa.Array:
        """Add this file's defective lines to its good ones.

        Args:
            number: Which of the feed's files it is.
            path: Where it goes, relative to the root.
            lines: Its good lines, binary.
            planted: Takes down what is added.
        """
        extra: list[bytes] = []
        places: list[int] = []
        for index in np.flatnonzero(self.file == number):
            name, row = self.names[self.name[index]], int(self.row[index])
            line = lines[row].as_py()
            if name == "exact_duplicate":
                key, bad = line[: line.index(b",")].decode(), line
            else:
                width = 8 if self.letter == "U" else 6
                fresh = f"{self.letter}{self.first_key + int(index):0{width}d}"
                bad = self.mutations[name]([fresh, *parse(line)[1:]], int(index))
                # A planted line with a key that no row can have is found by its bytes alone.
                key = "" if name in _KEYLESS else bad[: bad.index(b",")].decode()
            planted.add(self.dataset, name, path, bad, key)
            extra.append(bad)
            places.append(row)
        return merge(lines, extra, np.array(places, dtype=np.int64))


def merge(lines: pa.Array, extra: list[bytes], places: I64) -> pa.Array:
    """Put further lines right behind those at the given places."""
    if not extra:
        return lines
    order = in_delivery_order(np.concatenate([np.arange(len(lines)), places]))
    return pa.concat_arrays([lines, pa.array(extra, pa.binary())]).take(pa.array(order))

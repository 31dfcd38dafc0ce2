"""Random values as a function of (seed, table, column, row id), so that no order of work can change them."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Ids = npt.NDArray[np.integer] | U64

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MASK_48 = np.uint64((1 << 48) - 1)


def mix(values: U64) -> U64:
    """The finaliser of splitmix64: a bijection of 64-bit numbers (Steele, Lea and Flood, 2014)."""
    z = values.copy()
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def mix_48(values: U64) -> U64:
    """A bijection of 48-bit numbers, for identifiers of twelve hexadecimal digits."""
    z = values & _MASK_48
    for factor in (0x5851F42D4C95, 0xDA942042E4DD):
        z = (z ^ (z >> np.uint64(23))) * np.uint64(factor) & _MASK_48
    return z ^ (z >> np.uint64(25))


class Stream:
    """Values for the columns of one table.

    Args:
        seed: The data set's seed.
        table: The table, or any other name space.
    """

    def __init__(self, seed: int, table: str) -> None:
        """Plan what the class gives; see there for the arguments."""
        self.seed = seed
        self.table = table

    def child(self, name: str) -> Stream:
        """Another stream under this one's name."""
        return Stream(self.seed, f"{self.table}/{name}")

    def key(self, column: str) -> np.uint64:
        """The 64-bit key of a column."""
        digest = hashlib.blake2b(f"{self.seed}/{self.table}/{column}".encode(), digest_size=8).digest()
        return np.uint64(int.from_bytes(digest, "little"))

    def bits(self, column: str, ids: Ids) -> U64:
        """64 random bits a row id."""
        with np.errstate(over="ignore"):
            return mix(ids.astype(np.uint64) * _GOLDEN + self.key(column))

    def uniform(self, column: str, ids: Ids) -> F64:
        """Uniform on [0, 1)."""
        return (self.bits(column, ids) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, column: str, ids: Ids) -> F64:
        """Standard normal (Box and Muller, 1958)."""
        bits = self.bits(column, ids)
        first = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
        second = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32
        values: F64 = np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second)
        return values

    def below(self, column: str, ids: Ids, bound: int | npt.NDArray[np.integer]) -> I64:
        """Whole numbers from 0 to below the bound."""
        values: I64 = (self.uniform(column, ids) * bound).astype(np.int64)
        return values

    def pick(self, column: str, ids: Ids, weights: npt.ArrayLike) -> I64:
        """Indices drawn by weight."""
        cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
        drawn = np.searchsorted(cumulative, self.uniform(column, ids) * cumulative[-1], side="right")
        found: I64 = np.minimum(drawn, len(cumulative) - 1).astype(np.int64)
        return found

    def sample(self, column: str, population: int, count: int) -> I64:
        """Distinct numbers below the population, in random order; all of them if there are fewer than asked for."""
        if count >= population:
            return np.argsort(self.bits(column, np.arange(population)), kind="stable").astype(np.int64)
        chosen = np.empty(0, dtype=np.int64)
        tries = count + count // 4 + 16
        while len(chosen) < count:
            drawn = self.below(column, np.arange(tries), population)
            _, first = np.unique(drawn, return_index=True)
            chosen = drawn[np.sort(first)]
            tries *= 2
        return chosen[:count]

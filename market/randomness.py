"""Reproducible randomness: one stream per concern and owner, none shared."""

import zlib

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def generator(seed: int, stream: str, owner: int) -> np.random.Generator:
    """A generator that belongs to one owner and one concern of a run.

    Derived from (run seed, stream name, owner), so that adding an agent or a fault does not
    shift anyone else's draws.
    """
    return np.random.default_rng([seed, zlib.crc32(stream.encode()), owner])


def keyed_uniforms(
    seed: int, stream: str, keys: NDArray[np.int64], counter: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1), each a function of (seed, stream, key, counter) alone.

    The vectorised counterpart of one generator per key: row i is the ``counter[i]``-th draw of
    the owner ``keys[i]``, whatever else is drawn. SplitMix64's finaliser (Steele, Lea and Flood
    2014) is applied to each ingredient in turn.
    """
    state = _scramble(np.full(len(keys), seed, dtype=np.uint64))
    state = _scramble(state ^ np.uint64(zlib.crc32(stream.encode())))
    state = _scramble(state ^ keys.astype(np.uint64))
    state = _scramble(state ^ counter.astype(np.uint64))
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _scramble(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = value + _GOLDEN
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))

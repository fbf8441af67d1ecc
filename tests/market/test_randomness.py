"""Random streams: uniform, independent, and each owner's own."""

import numpy as np
from scipy import stats

from nashgrid.market.randomness import generator, keyed_uniforms


def test_keyed_uniforms_are_uniform_over_keys_and_over_draws() -> None:
    keys, counter = np.arange(20_000), np.arange(20_000)
    still = np.zeros(20_000, dtype=np.int64)
    for draws in (
        keyed_uniforms(1, "network data", keys, still),
        keyed_uniforms(1, "network data", still + 7, counter),
        keyed_uniforms(0, "", keys << 32, still),
    ):
        assert stats.kstest(draws, "uniform").pvalue > 0.01
        assert 0.0 <= draws.min() <= draws.max() < 1.0


def test_neighbouring_owners_draws_seeds_and_streams_are_independent() -> None:
    keys, zero = np.arange(10_000), np.zeros(10_000, dtype=np.int64)
    base = keyed_uniforms(1, "network data", keys, zero)
    others = [
        keyed_uniforms(1, "network data", keys + 1, zero),
        keyed_uniforms(1, "network data", keys, zero + 1),
        keyed_uniforms(2, "network data", keys, zero),
        keyed_uniforms(1, "network again", keys, zero),
    ]
    # The first of them is the same sequence one step on: its lagged correlation is what counts.
    for other in others:
        # Four standard deviations of the correlation of 10,000 independent pairs.
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.04
        assert not np.array_equal(base, other)


def test_a_draw_depends_on_its_own_key_and_count_alone() -> None:
    keys = np.array([5, 1, 9, 3])
    counter = np.array([0, 4, 2, 2])
    together = keyed_uniforms(3, "network latency", keys, counter)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_array_equal(
        keyed_uniforms(3, "network latency", keys[order], counter[order]), together[order]
    )
    for row in range(4):
        alone = keyed_uniforms(3, "network latency", keys[[row]], counter[[row]])
        assert alone[0] == together[row]


def test_generators_belong_to_seed_stream_and_owner() -> None:
    first = generator(1, "behaviour", 4).random(3)
    np.testing.assert_array_equal(generator(1, "behaviour", 4).random(3), first)
    for other in (
        generator(2, "behaviour", 4),
        generator(1, "weather", 4),
        generator(1, "behaviour", 5),
    ):
        assert not np.isin(other.random(3), first).any()

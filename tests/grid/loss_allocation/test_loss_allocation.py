"""Loss allocation: every rule sums to the losses; by hand, in closed form, and by symmetry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.line import Line
from nashgrid.grid.loss_allocation.marginal import marginal_losses, marginal_terms
from nashgrid.grid.loss_allocation.pro_rata import pro_rata_losses
from nashgrid.grid.loss_allocation.proportional_sharing import proportional_sharing_losses
from nashgrid.grid.loss_allocation.shapley import shapley_losses
from nashgrid.grid.power_flow import ac_power_flow


def chain(*resistances, load_kw=None):
    """1 - 2 - 3 - ... on 1000 kVA."""
    buses = np.arange(1, len(resistances) + 2)
    return make_feeder(
        name="chain",
        source="made up",
        base_kv=10.0,
        base_mva=1.0,
        root_bus=1,
        buses=buses,
        load_kw=np.zeros(len(buses)),
        load_kvar=np.zeros(len(buses)),
        lines=[Line(at + 1, at + 2, r, r / 2) for at, r in enumerate(resistances)],
    )


def quadratic(feeder):
    return LinDistFlow(feeder).losses_kw


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seed=st.integers(0, 10**9))
def test_every_rule_shares_out_the_losses(seed):
    rng = np.random.default_rng(seed)
    feeder = read_feeder("ieee33")
    # Load, PV that turns some flows around, and buses with nothing at all.
    power = feeder.load_kw * rng.uniform(-2.0, 1.5, (3, 33)) * (rng.random((3, 33)) < 0.8)
    reactive = feeder.load_kvar * rng.uniform(0.0, 1.0, (3, 33))
    power[2] = 0.0
    losses = ac_power_flow(feeder, power, reactive).losses_kw
    for shares in (
        pro_rata_losses(power, losses),
        marginal_losses(feeder, power, reactive, losses),
        proportional_sharing_losses(feeder, power, reactive, losses),
    ):
        np.testing.assert_allclose(shares.sum(axis=1), losses, rtol=1e-9)
    buses = feeder.buses[rng.permutation(np.arange(1, 33))[:5]]
    exact = shapley_losses(feeder, buses, power[0], reactive[0])
    assert exact.share_kw.sum() == pytest.approx(losses[0], rel=1e-9)
    sampled = shapley_losses(feeder, feeder.buses[1:], power[0], reactive[0], orders=3)
    assert sampled.share_kw.sum() == pytest.approx(losses[0], rel=1e-9)
    assert np.all(proportional_sharing_losses(feeder, power, reactive, losses) >= 0)


def test_two_loads_on_a_chain_by_hand():
    # r = (.1, .2), loads 30 and 10 kW at buses 2 and 3: losses .1 40^2 / 1000 = .16 and
    # .2 10^2 / 1000 = .02.
    feeder = chain(0.1, 0.2)
    power, reactive = np.array([[0.0, 30.0, 10.0]]), np.zeros((1, 3))
    losses = quadratic(feeder)(power, reactive)
    np.testing.assert_allclose(losses, [0.18])
    np.testing.assert_allclose(pro_rata_losses(power, losses), [[0.0, 0.135, 0.045]])
    # Marginal: 2 x .1 x 40 = 8 at bus 2; 8 + 2 x .2 x 10 = 12 at bus 3 (kW per MW); times power
    # 240 and 120, twice the losses.
    np.testing.assert_allclose(marginal_terms(feeder, power, reactive), [[0.0, 0.24, 0.12]])
    shares = marginal_losses(feeder, power, reactive, losses)
    np.testing.assert_allclose(shares, [[0.0, 0.12, 0.06]])
    # Tracing: 3/4 of the first line's losses leave at bus 2, the rest and the second line's at 3.
    shares = proportional_sharing_losses(feeder, power, reactive, losses)
    np.testing.assert_allclose(shares, [[0.0, 0.12, 0.06]])
    # Shapley: bus 2 adds .09 alone and .15 after bus 3; bus 3 adds .03 alone and .09 after bus 2.
    found = shapley_losses(feeder, [2, 3], power[0], reactive[0], losses=quadratic(feeder))
    np.testing.assert_allclose(found.share_kw, [0.12, 0.06])
    assert found.orders == 0


def test_local_generation_is_paid_by_marginal_losses_and_carries_none_by_tracing():
    # 30 kW taken at bus 2, 10 kW delivered at bus 3: 20 kW come from the root (.04 kW lost),
    # 10 kW from bus 3 (.02 kW). All of it ends at bus 2.
    feeder = chain(0.1, 0.2)
    power, reactive = np.array([[0.0, 30.0, -10.0]]), np.zeros((1, 3))
    losses = quadratic(feeder)(power, reactive)
    np.testing.assert_allclose(losses, [0.06])
    shares = proportional_sharing_losses(feeder, power, reactive, losses)
    np.testing.assert_allclose(shares, [[0.0, 0.06, 0.0]])
    # Marginal: 4 at bus 2, 4 - 4 = 0 at bus 3.
    shares = marginal_losses(feeder, power, reactive, losses)
    np.testing.assert_allclose(shares, [[0.0, 0.06, 0.0]], atol=1e-12)
    # Exported power: the root takes it. 10 kW from bus 3, of which bus 2 takes 4.
    power = np.array([[0.0, 4.0, -10.0]])
    losses = quadratic(feeder)(power, reactive)
    shares = proportional_sharing_losses(feeder, power, reactive, losses)
    np.testing.assert_allclose(losses, [0.02 + 0.0036])
    np.testing.assert_allclose(shares, [[0.012 + 0.0036, 0.008, 0.0]])


def test_shapley_of_quadratic_losses_is_half_the_marginal_terms():
    # For v(C) = sum over i, j in C of a_ij the Shapley value of i is sum_j a_ij: Aumann-Shapley.
    feeder = read_feeder("ieee33")
    buses = [4, 8, 14, 18, 22, 25, 30, 33]
    mask = np.isin(feeder.buses, buses)
    power, reactive = feeder.load_kw * mask, feeder.load_kvar * mask
    half = 0.5 * marginal_terms(feeder, power[None], reactive[None])[0, mask]
    exact = shapley_losses(feeder, buses, power, reactive, losses=quadratic(feeder))
    np.testing.assert_allclose(exact.share_kw, half, rtol=1e-9)
    # AC is not far from it: losses feed back, and so everybody's share is a little larger.
    ac = shapley_losses(feeder, buses, power, reactive)
    assert np.all(ac.share_kw > half)
    np.testing.assert_allclose(ac.share_kw, half, rtol=0.12)


def test_sampled_shapley_is_unbiased_and_says_how_sure_it_is():
    feeder = read_feeder("ieee33")
    half = 0.5 * marginal_terms(feeder, feeder.load_kw[None], feeder.load_kvar[None])[0, 1:]
    found = shapley_losses(
        feeder,
        feeder.buses[1:],
        feeder.load_kw,
        feeder.load_kvar,
        losses=quadratic(feeder),
        orders=400,
        seed=1,
    )
    assert found.orders == 400
    off = np.abs(found.share_kw - half) / found.standard_error_kw
    assert off.max() < 4.0
    assert 0.5 < np.sqrt(np.mean(off**2)) < 1.5
    again = shapley_losses(
        feeder,
        feeder.buses[1:],
        feeder.load_kw,
        feeder.load_kvar,
        losses=quadratic(feeder),
        orders=400,
        seed=1,
    )
    np.testing.assert_array_equal(found.share_kw, again.share_kw)


def test_shapley_is_symmetric_and_gives_a_dummy_nothing():
    feeder = make_feeder(
        name="star",
        source="made up",
        base_kv=10.0,
        base_mva=1.0,
        root_bus=1,
        buses=[1, 2, 3, 4],
        load_kw=np.zeros(4),
        load_kvar=np.zeros(4),
        lines=[Line(1, 2, 0.1, 0.1), Line(1, 3, 0.1, 0.1), Line(1, 4, 0.1, 0.1)],
    )
    found = shapley_losses(feeder, [2, 3, 4], [0.0, 50.0, 50.0, 0.0], np.zeros(4))
    assert found.share_kw[0] == pytest.approx(found.share_kw[1], rel=1e-12)
    assert found.share_kw[2] == pytest.approx(0.0, abs=1e-12)


def test_bad_input_is_named():
    feeder = chain(0.1)
    with pytest.raises(ValueError, match=r"losses_kw has shape \(2,\); it must be \(1,\)"):
        pro_rata_losses([[1.0, 2.0]], [0.1, 0.2])
    with pytest.raises(ValueError, match="losses_kw in slot 0 is -1"):
        pro_rata_losses([[1.0, 2.0]], [-1.0])
    with pytest.raises(ValueError, match="power_kw of participant 1 in slot 0 is nan"):
        marginal_losses(feeder, [[1.0, np.nan]], [[0.0, 0.0]], [0.1])
    with pytest.raises(ValueError, match="each of the 2 buses of feeder chain"):
        proportional_sharing_losses(feeder, [[1.0]], [[0.0]], [0.1])
    with pytest.raises(ValueError, match=r"buses \[2, 2\] must be different"):
        shapley_losses(feeder, [2, 2], [0.0, 1.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="orders 1 must be at least 2"):
        shapley_losses(feeder, [2], [0.0, 1.0], [0.0, 0.0], orders=1)

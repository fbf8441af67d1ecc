"""Network charges: by hand on a small tree, by their properties, and what they bring in."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.line import Line
from nashgrid.grid.network_charges.electrical_distance import (
    distance_charges,
    electrical_distance,
)
from nashgrid.grid.network_charges.price_difference import price_difference_charges
from nashgrid.grid.network_charges.revenue import (
    RevenueAdequacy,
    network_revenue,
    revenue_adequacy,
    scale_to_cost,
)
from nashgrid.grid.network_charges.uniform import uniform_charges
from nashgrid.grid.network_charges.zonal import zonal_charges
from nashgrid.grid.operator_problem import OperatorProblem


def fork():
    """1 - 2, then 2 - 3 and 2 - 4 - 5."""
    return make_feeder(
        name="fork",
        source="made up",
        base_kv=0.4,
        base_mva=0.1,
        root_bus=1,
        buses=[1, 2, 3, 4, 5],
        load_kw=np.zeros(5),
        load_kvar=np.zeros(5),
        lines=[
            Line(1, 2, 0.3, 0.4),
            Line(2, 3, 0.1, 0.0),
            Line(2, 4, 0.0, 0.2),
            Line(4, 5, 0.6, 0.8),
        ],
    )


def test_uniform():
    np.testing.assert_allclose(uniform_charges(2, 0.02), [[0.0, 0.02], [0.02, 0.0]])


def test_distances_by_hand():
    lines = electrical_distance(fork(), [1, 3, 5], "power transfer")
    np.testing.assert_allclose(lines, [[0, 2, 3], [2, 0, 3], [3, 3, 0]])
    impedance = electrical_distance(fork(), [1, 3, 5])
    from_1_to_5, from_3_to_5 = abs(0.9 + 1.4j), abs(0.7 + 1.0j)
    np.testing.assert_allclose(impedance[0], [0.0, abs(0.4 + 0.4j), from_1_to_5])
    np.testing.assert_allclose(impedance[1, 2], from_3_to_5)
    charges = distance_charges(fork(), [1, 3, 5], 0.03, "power transfer")
    np.testing.assert_allclose(charges[0], [0.0, 0.03 * 2 / (8 / 3), 0.03 * 3 / (8 / 3)])
    assert charges[~np.eye(3, dtype=bool)].mean() == pytest.approx(0.03)
    np.testing.assert_array_equal(distance_charges(fork(), [3], 0.03), [[0.0]])


def test_distances_on_33_buses_are_those_of_the_paths():
    feeder = read_feeder("ieee33")
    graph = nx.Graph()
    for line in feeder.lines:
        impedance = line.resistance_pu + 1j * line.reactance_pu
        graph.add_edge(line.from_bus, line.to_bus, impedance=impedance)
    lines = electrical_distance(feeder, feeder.buses, "power transfer")
    thevenin = electrical_distance(feeder, feeder.buses)
    for one in (1, 12, 22):
        for other in (18, 25, 33):
            path = nx.shortest_path(graph, one, other)
            assert lines[one - 1, other - 1] == len(path) - 1
            total = sum(graph.edges[edge]["impedance"] for edge in pairwise(path))
            assert thevenin[one - 1, other - 1] == pytest.approx(abs(total), rel=1e-9)
    np.testing.assert_allclose(thevenin, thevenin.T, atol=1e-12)


def test_zones_by_hand():
    zones = {1: "north", 2: "north", 3: "north", 4: "south", 5: "south"}
    charges = zonal_charges(fork(), [1, 3, 4, 5], zones, {"north": 0.01, "south": 0.04})
    np.testing.assert_allclose(
        charges,
        [
            [0.0, 0.01, 0.05, 0.05],
            [0.01, 0.0, 0.05, 0.05],
            [0.05, 0.05, 0.0, 0.04],
            [0.05, 0.05, 0.04, 0.0],
        ],
    )
    # On the way from 3 to 5 through a third zone.
    charges = zonal_charges(
        fork(), [3, 5], zones | {2: "hub"}, {"north": 0.01, "hub": 0.1, "south": 0.04}
    )
    np.testing.assert_allclose(charges, [[0.0, 0.15], [0.15, 0.0]])


def test_price_differences():
    charges = price_difference_charges([[0.3, 0.5, 0.2]])
    np.testing.assert_allclose(charges[0, 0], [0.0, 0.2, -0.1])
    np.testing.assert_allclose(charges, -charges.transpose(0, 2, 1))


def test_price_differences_pay_the_merchandising_surplus():
    # What buyers pay less what sellers get at the locational prices is what all trades together
    # pay at their differences, however sellers and buyers are matched; and it covers the losses.
    feeder = read_feeder("ieee33").with_line_limits({(6, 7): 400.0})
    rng = np.random.default_rng(2)
    problem = OperatorProblem(
        feeder,
        trading_buses=feeder.buses,
        reactive_kvar=np.zeros((1, 33)),
        slot_hours=1.0,
        retail_price_per_kwh=0.3,
        feed_in_price_per_kwh=0.1,
        loss_price_per_kwh=0.3,
        demand_limit_kw=800.0,
    )
    curvature = np.full(33, 1e-3)
    linear = -0.3 - curvature * rng.normal(50.0, 150.0, problem.shape)
    demand = problem.answer(linear, curvature).demand_kw[0]
    price = -(linear + curvature * demand)
    # The root sells what the others lack at its own price.
    at_root = problem.energy_cost([demand])[0]
    demand = demand.copy()
    demand[0] -= demand.sum()
    sold, bought = np.maximum(-demand, 0.0), np.maximum(demand, 0.0)
    energy = np.outer(sold, bought) / sold.sum()
    charges = price_difference_charges(price)[0]
    revenue = network_revenue(charges, energy).sum()
    assert revenue == pytest.approx(price[0] @ demand, rel=1e-9)
    found = revenue_adequacy(charges, energy, loss_cost=problem.loss_cost([demand])[0])
    assert at_root > 0
    assert found.is_adequate
    assert found.surplus > 0


def test_revenue():
    charges = uniform_charges(2, 0.02)
    energy = np.array([[0.0, 30.0], [10.0, 0.0]])
    found = revenue_adequacy(charges, energy, loss_cost=0.5, fixed_cost=0.1)
    assert (found.revenue, found.cost) == (pytest.approx(0.8), pytest.approx(0.6))
    assert found.surplus == pytest.approx(0.2)
    assert found.ratio == pytest.approx(4 / 3)
    assert not revenue_adequacy(charges, energy, fixed_cost=0.9).is_adequate
    per_slot = np.stack([energy, 2 * energy])
    np.testing.assert_allclose(network_revenue(charges, per_slot).sum(axis=(1, 2)), [0.8, 1.6])
    scaled = scale_to_cost(charges, per_slot, 1.2)
    assert network_revenue(scaled, per_slot).sum() == pytest.approx(1.2)
    assert RevenueAdequacy(1.0, 0.0).ratio == np.inf
    assert RevenueAdequacy(0.0, 0.0).ratio == 1.0


def test_bad_input_is_named():
    feeder, zones = fork(), dict.fromkeys(range(1, 6), "a")
    with pytest.raises(ValueError, match=r"rate_per_kwh -0\.1 must be finite and at least 0"):
        uniform_charges(3, -0.1)
    with pytest.raises(ValueError, match=r"rate_per_kwh -0\.1 must be finite"):
        distance_charges(feeder, [1, 2], -0.1)
    with pytest.raises(ValueError, match="distance 'miles' must be 'thevenin' or"):
        electrical_distance(feeder, [1, 2], "miles")
    with pytest.raises(ValueError, match="fork has no bus 8"):
        electrical_distance(feeder, [1, 8])
    with pytest.raises(ValueError, match="bus 5 of feeder fork has no zone"):
        zonal_charges(feeder, [1], dict.fromkeys(range(1, 5), "a"), {"a": 0.1})
    with pytest.raises(ValueError, match="zone a of bus 1 has no fee"):
        zonal_charges(feeder, [1], zones, {})
    with pytest.raises(ValueError, match=r"the fee -1 of zone a must be"):
        zonal_charges(feeder, [1], zones, {"a": -1})
    with pytest.raises(ValueError, match="price_per_kwh of bus 1 in slot 0 is nan"):
        price_difference_charges([[0.1, np.nan]])
    with pytest.raises(ValueError, match="must be tables of sellers and buyers of one size"):
        network_revenue(np.zeros((2, 2)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"energy_kwh at \(0, 1\) is -1"):
        network_revenue(np.zeros((2, 2)), [[0.0, -1.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="fixed_cost -1 must be finite and at least 0"):
        revenue_adequacy(np.zeros((1, 1)), np.zeros((1, 1)), fixed_cost=-1)
    with pytest.raises(ValueError, match=r"the charges bring in 0: no factor makes them pay 3"):
        scale_to_cost(np.zeros((1, 1)), np.ones((1, 1)), 3.0)

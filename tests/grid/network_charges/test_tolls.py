"""Tolls on a tree against the charges per pair that they stand for."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.network_charges.electrical_distance import distance_charges
from nashgrid.grid.network_charges.tolls import (
    Tolls,
    distance_tolls,
    laterals,
    uniform_tolls,
    zonal_tolls,
)
from nashgrid.grid.network_charges.uniform import uniform_charges
from nashgrid.grid.network_charges.zonal import zonal_charges

FEEDER = read_feeder("ieee33")
BUSES = [3, 6, 13, 18, 22, 25, 28, 33]
WITH_ROOT = [FEEDER.root_bus, *BUSES]


def test_charges_per_pair_are_those_of_the_rules() -> None:
    np.testing.assert_allclose(
        uniform_tolls(len(BUSES), 0.02).pair_charges(), uniform_charges(9, 0.02), atol=1e-15
    )
    np.testing.assert_allclose(
        distance_tolls(FEEDER, BUSES, 0.02).pair_charges(),
        distance_charges(FEEDER, WITH_ROOT, 0.02, "power transfer"),
        atol=1e-15,
    )
    zones = laterals(FEEDER)
    fees = dict.fromkeys(zones.values(), 0.01)
    np.testing.assert_allclose(
        zonal_tolls(FEEDER, BUSES, zones, 0.01).pair_charges(),
        zonal_charges(FEEDER, WITH_ROOT, zones, fees),
        atol=1e-15,
    )


def test_laterals_of_the_33_bus_feeder() -> None:
    zones = laterals(FEEDER)
    assert {bus for bus, zone in zones.items() if zone == "main"} == set(range(1, 19))
    assert {zones[bus] for bus in range(19, 23)} == {"lateral 19"}
    assert {zones[bus] for bus in range(23, 26)} == {"lateral 23"}
    assert {zones[bus] for bus in range(26, 34)} == {"lateral 26"}


@pytest.mark.parametrize(
    "tolls",
    [
        uniform_tolls(len(BUSES), 0.02),
        distance_tolls(FEEDER, BUSES, 0.02),
        zonal_tolls(FEEDER, BUSES, laterals(FEEDER), 0.01),
    ],
    ids=["uniform", "distance", "zonal"],
)
def test_what_is_paid_is_the_least_over_all_pairings(tolls: Tolls) -> None:
    """Against a transport problem over all pairs of buses, the root giving what is missing."""
    rng = np.random.default_rng(3)
    taken = rng.normal(size=len(BUSES))
    net = np.append(-taken.sum(), taken)
    sold = cp.Variable((9, 9), nonneg=True)
    pays = cp.sum(cp.multiply(tolls.pair_charges(), sold))
    whole = cp.Problem(cp.Minimize(pays), [cp.sum(sold, axis=0) - cp.sum(sold, axis=1) == net])
    assert tolls.paid(taken[None]) == pytest.approx(whole.solve(solver=cp.CLARABEL), abs=1e-7)


def test_bad_zones_and_rates_are_refused() -> None:
    zones = laterals(FEEDER) | {12: "island", 17: "island"}
    with pytest.raises(ValueError, match=r"zone (main|island) of feeder ieee33 is in pieces"):
        zonal_tolls(FEEDER, BUSES, zones, 0.01)
    with pytest.raises(ValueError, match="must be finite and at least 0"):
        uniform_tolls(3, -0.1)

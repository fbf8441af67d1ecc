"""Populations open at nearly the price that they end at."""

import numpy as np
import pytest

from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario_files import load_scenario


@pytest.mark.parametrize("name", ["district", "district33"])
def test_the_opening_price_is_near(name: str) -> None:
    model = TradingModel(with_population(load_scenario(name), 400), ("trading",), seed=1)
    model.negotiation = model._next_negotiation()
    assert model.negotiation.open()
    exchange = model.negotiation.coordinator.exchange
    opening = exchange.price.copy()
    while model.running:
        model.step()
    assert exchange.converged
    retail = np.tile(model.wires.tariff.retail_price_per_kwh, len(model.wires.places))
    ended = exchange.clearing_price
    assert np.abs(ended - opening).mean() < 0.3 * np.abs(ended - retail).mean()

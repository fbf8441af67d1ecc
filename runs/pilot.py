"""A pilot: a sample of a large population negotiates first, and finds the prices to open at.

Building i is the same in a population of any size, so the first thousand are a fair sample. Their
prices are those of all but for the sampling error; rounds of a thousand cost next to nothing.
"""

from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats
from nashgrid.market.topics import PILOT, TRADING
from nashgrid.runs.model import TradingModel, strictness
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario

SAMPLE = 1000
WORTHWHILE = 20
"""Times the sample from which on a pilot saves more rounds than it takes time."""
RESIDUAL = 1e-4
"""More would be wasted: the sampling error of the prices is larger."""


def hold_pilot(study: Scenario, seed: int) -> TradingModel | None:
    """The finished negotiation of a sample; None where it would not pay.

    Neither stated agents nor wires scale with a sample: with them there is no pilot.
    """
    drawn = study.population
    if drawn is None or drawn.count < WORTHWHILE * SAMPLE or study.agents or study.feeder:
        return None
    sample = with_population(study, SAMPLE)
    rules = study.negotiation.model_copy(update={"tolerance": RESIDUAL * strictness(sample)})
    model = TradingModel(sample.model_copy(update={"negotiation": rules}), (TRADING,), seed)
    while model.running:
        model.step()
    return model


def opening_price(pilot: TradingModel) -> Floats:
    """(K,) clearing price of the pilot [currency/kWh]."""
    return pilot.coordinators[TRADING].exchange.clearing_price


def carry_over(pilot: TradingModel, network: MessageNetwork) -> None:
    """What the pilot's messages cost stands in the log of the run, under a topic of its own."""
    network.clock_s = pilot.post.network.clock_s
    network.take_over(pilot.post.network, PILOT)

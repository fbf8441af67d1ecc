"""nashgrid: a laboratory for peer-to-peer electricity trading among autonomous agents.

>>> import nashgrid as ng
>>> outcome = ng.simulate(ng.load_scenario("duet"), market="nash-bargaining", seed=1)
>>> outcome.certified
True
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nashgrid.market.level_fees import LevelFees
    from nashgrid.runs.charge_comparison import ChargeComparison
    from nashgrid.runs.charges import charges
    from nashgrid.runs.community_forming import FormedCommunities, form_communities
    from nashgrid.runs.compare import compare
    from nashgrid.runs.comparison import Comparison
    from nashgrid.runs.generator_profits import generator_profits
    from nashgrid.runs.outcome import Outcome
    from nashgrid.runs.pareto import ParetoFront, pareto
    from nashgrid.runs.play import MarketPlay, play
    from nashgrid.runs.run_verification import Verification
    from nashgrid.runs.scenario import Scenario
    from nashgrid.runs.scenario_files import built_in_scenarios, load_scenario
    from nashgrid.runs.shifting import Shifting, shift
    from nashgrid.runs.simulate import simulate
    from nashgrid.runs.stackelberg import stackelberg
    from nashgrid.runs.storage_cases import StorageCases, storage_cases
    from nashgrid.runs.strategic_generators import strategic_generators
    from nashgrid.runs.tied.market import TiedOutcome, simulate_tied
    from nashgrid.runs.tied.tie import Tie
    from nashgrid.runs.trade_levels import trades_by_level
    from nashgrid.runs.verify import verify

__version__ = version("nashgrid")
__all__ = [
    "ChargeComparison",
    "Comparison",
    "FormedCommunities",
    "LevelFees",
    "MarketPlay",
    "Outcome",
    "ParetoFront",
    "Scenario",
    "Shifting",
    "StorageCases",
    "Tie",
    "TiedOutcome",
    "Verification",
    "built_in_scenarios",
    "charges",
    "compare",
    "form_communities",
    "generator_profits",
    "load_scenario",
    "pareto",
    "play",
    "shift",
    "simulate",
    "simulate_tied",
    "stackelberg",
    "storage_cases",
    "strategic_generators",
    "trades_by_level",
    "verify",
]
_HOMES = {
    "ChargeComparison": "charge_comparison",
    "Comparison": "comparison",
    "FormedCommunities": "community_forming",
    "LevelFees": "trade_levels",
    "MarketPlay": "play",
    "Outcome": "outcome",
    "ParetoFront": "pareto",
    "Scenario": "scenario",
    "Shifting": "shifting",
    "StorageCases": "storage_cases",
    "Tie": "tied.tie",
    "TiedOutcome": "tied.market",
    "Verification": "run_verification",
    "built_in_scenarios": "scenario_files",
    "charges": "charges",
    "compare": "compare",
    "form_communities": "community_forming",
    "generator_profits": "generator_profits",
    "load_scenario": "scenario_files",
    "pareto": "pareto",
    "play": "play",
    "shift": "shifting",
    "simulate": "simulate",
    "simulate_tied": "tied.market",
    "stackelberg": "stackelberg",
    "storage_cases": "storage_cases",
    "strategic_generators": "strategic_generators",
    "trades_by_level": "trade_levels",
    "verify": "verify",
}


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for.

    Every import of a part of nashgrid passes through here: eager imports would load solvers and
    plots for a list of scenarios too.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'nashgrid' has no attribute {name!r}")
    found = getattr(import_module(f"nashgrid.runs.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

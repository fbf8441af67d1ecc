"""nashgrid: a laboratory for peer-to-peer electricity trading among autonomous agents.

>>> import nashgrid as ng
>>> outcome = ng.simulate(ng.load_scenario("duet"), market="nash-bargaining", seed=1)
>>> outcome.certified
True
"""

from importlib.metadata import version

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import built_in_scenarios, load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import Verification, verify

__version__ = version("nashgrid")
__all__ = [
    "Outcome",
    "Scenario",
    "Verification",
    "built_in_scenarios",
    "load_scenario",
    "simulate",
    "verify",
]

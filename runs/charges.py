"""Network charges in a loop: schedules answer charges, charges answer schedules, until both stay.

Every agent answers the price at its own bus by itself: its cheapest schedule, with a proximal term
towards what it said last. The operator hears what all take at each bus, and nothing else. What is
said travels as messages through a cloud, as in any exchange.
"""

from collections.abc import Sequence

from nashgrid.market.topics import TRADING
from nashgrid.runs.charge_audit import audit_all
from nashgrid.runs.charge_certificate import charge_certificate
from nashgrid.runs.charge_comparison import ChargeComparison, Charged
from nashgrid.runs.charge_outcome import charge_outcome
from nashgrid.runs.charge_terms import RULES, ChargeTerms
from nashgrid.runs.charges_model import ChargesModel
from nashgrid.runs.inputs import with_values
from nashgrid.runs.plain_market import require_plain
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tables import messages_table
from nashgrid.runs.wire_laying import lay_wires


def charges(
    scenario: Scenario,
    rules: Sequence[str] = tuple(RULES),
    *,
    fixed_cost: float = 0.0,
    tolerance: float = 1e-5,
    maximum_iterations: int = 2000,
    seed: int = 1,
) -> ChargeComparison:
    """Run network charges in a loop with the schedules that answer them, rule by rule.

    The operator sees the wires by LinDistFlow, whatever flow model the scenario chooses.

    Parameters
    ----------
    scenario : with a feeder, and agents that it names
    rules : names in `RULES`
    fixed_cost : what the charges have to bring in beside the losses [currency]
    tolerance : schedules and prices stay when they move by no more than this, relative to the
        largest power and the mean retail price
    maximum_iterations : a rule gives up after so many announcements
    seed : of what the message network leaves to chance

    Raises
    ------
    ValueError
        If the scenario has no feeder or a population, there is no such rule, or none to run, a
        number has no meaning, or no schedules keep the limits, whatever the charge.
    """
    unknown = [name for name in rules if name not in RULES]
    if unknown:
        raise ValueError(f"there is no charge {unknown[0]!r}; there are {', '.join(RULES)}")
    if not rules or len(set(rules)) < len(rules):
        raise ValueError(f"each charge once, and one at least: {', '.join(rules) or 'none'}")
    if scenario.population is not None or scenario.feeder is None:
        raise ValueError(
            f"{scenario.name}: network charges need a feeder, and agents that a scenario names"
        )
    require_plain(scenario, f"{scenario.name}: a network charge")
    if scenario.feeder.inverter_kva_per_kw is not None:
        raise ValueError(
            f"{scenario.name}: inverter_kva_per_kw = {scenario.feeder.inverter_kva_per_kw}: a "
            "network charge leaves reactive power fixed; leave it out"
        )
    linear = scenario.feeder.model_copy(update={"model": "lindistflow"})
    study = with_values(scenario.model_copy(update={"feeder": linear}))
    wires = lay_wires(study)
    terms = ChargeTerms(wires.tariff, fixed_cost, tolerance, maximum_iterations)
    model = ChargesModel(study, wires, rules, terms, seed)
    outcomes = tuple(_settled(model, rule) for rule in rules)
    messages = messages_table(model.post.network.log)
    return ChargeComparison(
        scenario=study,
        places=wires.places,
        terms=terms,
        seed=seed,
        outcomes=outcomes,
        messages=messages,
        certificate=charge_certificate(
            outcomes, audit_all(messages, rules, wires, terms), wires, terms
        ),
    )


def _settled(model: ChargesModel, rule: str) -> Charged:
    """Let a rule and the schedules that answer it come to rest, and take stock."""
    course = model.settle(rule)
    problems = [prosumer.problems[TRADING] for prosumer in model.prosumers]
    for problem in problems:
        problem.recall()
    return charge_outcome(rule, course, course.answered_per_kwh, problems, model.wires)

"""Who saves how much: the rule of the market in words, the utility's ledger, the bars."""

from nashgrid.runs.outcome import BASELINE, Outcome
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.savings_figure import MATTERS, savings_figure
from nashgrid.runs.report.utility_ledger import ledger
from nashgrid.runs.report.words import money
from nashgrid.runs.scenario import OPERATOR

_ALONE = "<p>Nobody trades with another: everybody pays the utility's tariff for itself.</p>"


def savings_section(outcome: Outcome) -> Section:
    """Section 5: bars per agent, the utility's ledger beside them."""
    if outcome.market == BASELINE:
        return Section(
            "savings",
            "Costs",
            "What everybody pays",
            _ALONE + ledger(outcome),
            (savings_figure(outcome),),
        )
    return Section(
        "savings",
        "Savings",
        "Savings and payments",
        _words(outcome) + ledger(outcome),
        (savings_figure(outcome),),
    )


def _words(outcome: Outcome) -> str:
    players = outcome.accounts[outcome.accounts["weight"] > 0]
    fixed = "" if players["weight"].nunique() == 1 else " Their bargaining weights differ."
    rule = {
        "nash-bargaining": "The savings are shared by Nash bargaining: every player gains in "
        f"proportion to its bargaining weight, whatever it brings.{fixed}",
        "competitive": "Everybody pays the clearing price for all that it trades. Nothing "
        "promises that everybody gains: who paid less than the clearing price before may lose.",
        "two-part": "Everybody pays retail for what it would buy alone, and the clearing price "
        "for the deviation from it. This rewards a baseline that is reported too high.",
    }.get(outcome.market, "")
    return (
        f"<p>{rule} Cost is what an agent's devices cost plus what it pays; a negative payment "
        f"is received.{_operator(outcome)}</p>"
    )


def _operator(outcome: Outcome) -> str:
    """What is left with an operator that is no player."""
    rows = outcome.accounts[outcome.accounts["kind"] == OPERATOR]
    left = float(rows["saving"].sum())
    if rows.empty or float(rows["weight"].sum()) > 0 or abs(left) < MATTERS:
        return ""
    return (
        f" The operator of the wires {'keeps' if left > 0 else 'loses'} "
        f"<b>{money(abs(left), outcome.scenario.currency)}</b>: what the agents pay at the prices "
        "of their buses, less what it pays upstream."
    )

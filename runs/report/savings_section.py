"""Who saves how much: the rule of the market in words, the utility's ledger, the bars."""

from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.generator_table import generator_table
from nashgrid.runs.report.savings_figure import MATTERS, savings_figure
from nashgrid.runs.report.utility_ledger import ledger
from nashgrid.runs.report.words import money
from nashgrid.runs.scenario import OPERATOR


def savings_section(outcome: Outcome) -> Section:
    """Section 5: bars per agent, the utility's ledger beside them."""
    market = market_named(outcome.market)
    figures = (savings_figure(outcome),)
    if not market.has_trading:
        words = f"<p>{market.explanation}</p>{ledger(outcome)}"
        return Section("savings", "Costs", "What everybody pays", words, figures)
    words = _words(outcome) + ledger(outcome) + generator_table(outcome)
    return Section("savings", "Savings", "Savings and payments", words, figures)


def _words(outcome: Outcome) -> str:
    market = market_named(outcome.market)
    players = outcome.accounts[outcome.accounts["weight"] > 0]
    differ = market.weighted and players["weight"].nunique() > 1
    rule = market.explanation + (" Their bargaining weights differ." if differ else "")
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

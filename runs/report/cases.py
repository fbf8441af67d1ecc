"""Before and after trading."""

from nashgrid.runs.outcome import BASELINE, TRADING, Outcome
from nashgrid.runs.report.figure import Choice, Option

CASES = {BASELINE: "before: utility alone", TRADING: "after: trading"}


def cases_of(outcome: Outcome) -> list[str]:
    """The cases of an outcome, in order; market "utility-only" has one."""
    return [str(case) for case in outcome.trades["case"].unique()]


def case_choice(outcome: Outcome) -> Choice:
    """A control for the case; the last is shown first."""
    cases = cases_of(outcome)
    options = tuple(Option(case, CASES[case]) for case in cases)
    return Choice("Show", "buttons", options, cases[-1])

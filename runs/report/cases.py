"""Before and after trading."""

from nashgrid.runs.outcome import BASELINE, TRADING, Outcome
from nashgrid.runs.report.figure import Choice, Option


def cases_of(outcome: Outcome) -> list[str]:
    """The cases of an outcome, in order; market "utility-only" has one."""
    return [str(case) for case in outcome.trades["case"].unique()]


def case_words(outcome: Outcome) -> dict[str, str]:
    """What the cases of an outcome are called."""
    if cases_of(outcome) == [BASELINE]:
        return {BASELINE: "utility alone"}
    return {BASELINE: "before: utility alone", TRADING: "after: trading"}


def case_choice(outcome: Outcome) -> Choice:
    """A control for the case; the last is shown first."""
    options = tuple(Option(case, words) for case, words in case_words(outcome).items())
    return Choice("Show", "buttons", options, options[-1].key)

"""Before and after trading."""

from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Choice, Option


def cases_of(outcome: Outcome) -> list[str]:
    """The cases of an outcome, in order; market "utility-only" has one."""
    return [str(case) for case in outcome.trades["case"].unique()]


def case_words(outcome: Outcome) -> dict[str, str]:
    """What the cases of an outcome are called."""
    cases = cases_of(outcome)
    if cases == [UTILITY_ONLY]:
        return {UTILITY_ONLY: "utility alone"}
    return {UTILITY_ONLY: "before: utility alone", cases[-1]: "after: trading"}


def case_choice(outcome: Outcome) -> Choice:
    """A control for the case; the last is shown first."""
    options = tuple(Option(case, words) for case, words in case_words(outcome).items())
    return Choice("Show", "buttons", options, options[-1].key)

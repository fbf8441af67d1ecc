"""The certificate in words: every claim with its value, bound and verdict; findings beside."""

from collections.abc import Mapping
from typing import Any

from nashgrid.runs.findings import POPULATION
from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.ac_findings import ac_findings
from nashgrid.runs.report.convergence_figure import EXCHANGES
from nashgrid.runs.report.core_findings import core_words
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.game_findings import game_finding
from nashgrid.runs.report.privacy_findings import privacy_findings
from nashgrid.runs.report.words import listing, measure, money, number, text

_BOTH_WAYS_KW = 0.05
_MOST_NAMED = 40


def certificate_section(outcome: Outcome) -> Section:
    """Section 7."""
    claims = outcome.certificate["claims"]
    failing = [claim for claim in claims.values() if not claim["holds"]]
    if failing:
        opening = (
            f"<p><b>{len(failing)} of {len(claims)} claims fail. The outcome is not proved: do "
            "not take it for an equilibrium.</b></p>"
        )
    else:
        opening = f"<p>All {len(claims)} claims hold.</p>"
    body = (
        f"{opening}<p>The numbers are computed from the tables of the outcome, apart from the "
        "negotiation that found it. The deviations meant are "
        f"<b>{text(str(outcome.certificate['deviation']))}</b>.</p>"
        f"{claims_table(claims, outcome.scenario.currency)}"
        f"{_findings(outcome)}{ac_findings(outcome)}"
    )
    return Section("certificate", "Certificate", "The certificate", body)


def verdict(claim: dict[str, Any]) -> str:
    """A mark with its word: colour alone says nothing to some."""
    if claim["holds"]:
        return '<span class="holds">✓ holds</span>'
    return '<span class="fails">✗ FAILS</span>'


def claim_group(name: str, groups: Mapping[str, str] = EXCHANGES) -> tuple[str, str]:
    """Group and short name of a claim: "trading: welfare" belongs to Trading."""
    head, _, tail = name.partition(": ")
    if not tail:
        return "Money", name
    if head == "converged":
        return "Convergence", EXCHANGES.get(tail, tail)
    return groups.get(head, head.capitalize()), tail


def claims_table(
    claims: dict[str, dict[str, Any]], currency: str, names: Mapping[str, str] = EXCHANGES
) -> str:
    """Every claim with its value, bound and verdict, group by group; `names` of the groups."""
    groups: dict[str, list[str]] = {}
    for name, claim in claims.items():
        group, short = claim_group(name, names)
        words = str(claim["words"]).replace("[currency", f"[{currency}")
        groups.setdefault(group, []).append(
            f"<tr><td>{verdict(claim)}</td><td>{text(short)}</td><td>{text(words)}</td>"
            f'<td class="number">{measure(float(claim["value"]))}</td>'
            f'<td class="number">{measure(float(claim["bound"]))}</td></tr>'
        )
    lines = [
        f'<tr class="group"><th colspan="5">{text(group)}</th></tr>{"".join(rows)}'
        for group, rows in groups.items()
    ]
    return (
        '<div class="tables"><table><thead><tr><th>verdict</th><th>claim</th>'
        '<th>what is measured</th><th class="number">value</th>'
        '<th class="number">at most</th></tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _findings(outcome: Outcome) -> str:
    """What no market promises stands beside the claims, without a verdict."""
    currency = outcome.scenario.currency
    lines = []
    for case, welfare in outcome.certificate["welfare"].items():
        name = EXCHANGES.get(case, case)
        game = outcome.certificate["games"].get(case)
        found = game_finding(game, welfare, currency) if game else _welfare(welfare, currency)
        lines.append(f"<b>{name}, {found}")
    for case, epsilons in outcome.certificate["epsilon"].items():
        if POPULATION in epsilons:
            words = _population(epsilons[POPULATION], currency)
            lines.append(f"<b>{EXCHANGES.get(case, case)}, building by building:</b> {words}")
    for case, sum_ in outcome.certificate["nash_conv"].items():
        lines.append(
            f"<b>{EXCHANGES.get(case, case)}, all participants together</b> could gain at most "
            f"{measure(float(sum_))} {currency} by changing their own schedules at these prices "
            "(sum of epsilon, by weak duality)."
        )
    for case, limits in outcome.certificate["limits_not_kept"].items():
        if limits:
            broken = "; ".join(text(str(limit)) for limit in limits)
            lines.append(f"<b>{EXCHANGES.get(case, case)}, limits not quite kept:</b> {broken}.")
    both_kw = float(outcome.certificate["charging_while_discharging_kw"])
    if both_kw > _BOTH_WAYS_KW:
        lines.append(
            f"<b>A battery charges and discharges at once</b>, with up to {number(both_kw, 1)} kW: "
            "worth while where the price is negative enough, but no real battery can do it."
        )
    if market_named(outcome.market).has_trading:
        lines.append(_losers(outcome))
        if outcome.certificate["core"] is not None:
            lines.append(core_words(outcome.certificate["core"], outcome.scenario.currency))
    lines += privacy_findings(outcome.certificate["message_audit"], outcome.scenario)
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<h3>Findings beside the claims</h3><ul>{items}</ul>"


def _welfare(welfare: Mapping[str, Any], currency: str) -> str:
    """Against the central optimum; of a population against what weak duality proves."""
    least, total = float(welfare["central_cost"]), float(welfare["total_cost"])
    gap = measure(float(welfare["relative_gap"]))
    beyond = float(welfare["beyond_money"])
    beside = (
        f" Of the negotiation's, {number(beyond, 4)} {currency} count beside money, by the "
        "operator's objective; nobody pays them."
        if beyond > 0.0
        else ""
    )
    difference = welfare["largest_price_difference_per_kwh"]
    if difference is None:
        return (
            f"against a proven lower bound.</b> The negotiation costs {number(total, 4)} "
            f"{currency}. By weak duality no schedules of all together cost less than "
            f"{number(least, 4)}: the total less what everybody could still gain at these prices. "
            f"The relative gap is {gap}; the optimum lies between. So many buildings are not "
            "solved as one central problem, and there are no central prices to compare with."
            f"{beside}"
        )
    return (
        f"against the central optimum.</b> One problem with all data in one place "
        f"costs {number(least, 4)} {currency}, the negotiation "
        f"{number(total, 4)}: a relative gap of "
        f"{gap}. Prices differ from the central "
        f"multipliers by at most {measure(float(difference))} "
        f"{currency}/kWh; where the optimal prices are not unique they may.{beside}"
    )


def _population(epsilons: Mapping[str, Any], currency: str) -> str:
    """The largest and the sum of what the buildings could gain, and how it is spread."""
    count_ = number(int(epsilons["buildings"]), 0)
    spread = ", ".join(
        f"{share} at most {measure(float(value))}"
        for share, value in epsilons.get("relative_epsilon_quantiles", {}).items()
    )
    return (
        f"none of the {count_} could gain more than "
        f"{measure(float(epsilons['largest_epsilon']))} {currency}, all together not more than "
        f"{measure(float(epsilons['sum_of_epsilons']))} {currency}. Relative to its bill the "
        f"largest is {measure(float(epsilons['largest_relative_epsilon']))}"
        f"{f'; of the buildings {spread}' if spread else ''}."
    )


def _losers(outcome: Outcome) -> str:
    currency = outcome.scenario.currency
    rationality = outcome.certificate["individual_rationality"]
    losers = sorted(rationality["losers"].items(), key=lambda item: item[1])
    total = int(rationality["number_of_losers"])
    if not total:
        return (
            "<b>Nobody loses.</b> The smallest saving of a player is "
            f"{money(float(rationality['smallest_saving']), currency)}."
        )
    named = [f"{text(name)} ({money(-float(loss), currency)})" for name, loss in losers]
    shown = named[:_MOST_NAMED]
    if total > len(shown):
        shown.append(f"{number(total - len(shown), 0)} more")
    return (
        f"<b>{number(total, 0)} lose</b> against paying the utility alone by more than the "
        f"rounding of payments{', worst first' if total > 1 else ''}: {listing(shown, total + 1)}."
    )

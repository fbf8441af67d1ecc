"""The heading: in plain words what was run, and what came out."""

from datetime import timedelta

from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.certificate_section import claim_group
from nashgrid.runs.report.words import count, listing, measure, money, number, percent, text
from nashgrid.runs.scenario_feeder import FeederEntry

NOTHING = 1e-6
"""Savings and losses below this are none [currency]."""
_LARGE = 1e5


def page_title(outcome: Outcome) -> str:
    """The title of the page; a failed certificate stands first."""
    title = f"{outcome.scenario.name}, {market_named(outcome.market).title} – nashgrid"
    return text(title if outcome.certified else f"✗ NOT CERTIFIED – {title}")


def headline(outcome: Outcome) -> str:
    """Name, what was run, verdict and the main figures."""
    market = market_named(outcome.market).title
    cards = "".join(
        f'<div class="card"><b>{figure}</b><span>{words}</span></div>'
        for figure, words in _cards(outcome)
    )
    return (
        f"<h1>{text(outcome.scenario.name)}: {text(market)}</h1>"
        f'<p class="what">{_what(outcome)}</p>{_verdict(outcome)}<div class="cards">{cards}</div>'
    )


def _what(outcome: Outcome) -> str:
    scenario, horizon = outcome.scenario, outcome.scenario.horizon
    kinds = len({entry.kind for entry in scenario.buildings})
    parts = [f"{count(len(scenario.buildings), 'building')} of {count(kinds, 'kind')}"]
    drawn = scenario.population
    if drawn is not None:
        different = count(len(drawn.kinds), "kind")
        parts.append(f"{count(drawn.count, 'building')} of {different} drawn at random")
    if scenario.community_batteries:
        parts.append(count(len(scenario.community_batteries), "community battery"))
    if scenario.generators:
        parts.append(count(len(scenario.generators), "generator"))
    own = [entry.community for entry in scenario.agents]
    communities = len({*own, drawn.community} if drawn is not None else {*own})
    where = f"on the feeder {text(scenario.feeder.name)}" if scenario.feeder else "without a feeder"
    end = horizon.start + horizon.slots * timedelta(minutes=horizon.slot_minutes)
    day = f"{horizon.start:%A} {horizon.start.day} {horizon.start:%B %Y}"
    until = "" if end - horizon.start <= timedelta(days=1) else f" to {end.day} {end:%B %Y}"
    described = f"{text(scenario.description.rstrip('.'))}. " if scenario.description else ""
    grouped = f"in {communities} communities " if communities > 1 else ""
    rule = market_named(outcome.market).rule
    return (
        f"{described}{listing([p for p in parts if not p.startswith('0 ')]).capitalize()} {grouped}"
        f"{where}, {day}{until}, {count(horizon.slots, 'slot')} of {horizon.slot_minutes} minutes. "
        f"Market: {text(rule)}.{_aim(scenario.feeder)} Seed {outcome.seed}."
    )


def _aim(entry: FeederEntry | None) -> str:
    """What the operator minimises beside money."""
    if entry is None or entry.objective == "cost":
        return ""
    losses, voltage = entry.weights
    named = [
        words
        for weight, words in (
            (losses, f"losses (weight {losses:g})"),
            (voltage, f"deviations of voltage (weight {voltage:g})"),
        )
        if weight > 0.0
    ]
    return f" Beside money the operator minimises {listing(named)}." if named else ""


def _verdict(outcome: Outcome) -> str:
    claims = outcome.certificate["claims"]
    if outcome.certified:
        return (
            '<div class="verdict good" role="status"><b class="mark">✓ Converged and certified'
            f"</b><br>All {len(claims)} claims about the outcome were checked apart from the "
            'negotiation and hold (<a href="#certificate">certificate</a>).</div>'
        )
    failing = {name: claim for name, claim in claims.items() if not claim["holds"]}
    items = "".join(
        f"<li>{text(', '.join(claim_group(name)))}: {text(str(claim['words']))} is "
        f"{measure(float(claim['value']))}, but may be at most "
        f"{measure(float(claim['bound']))}</li>"
        for name, claim in failing.items()
    )
    return (
        '<div class="verdict bad" role="alert"><b class="mark">✗ NOT CERTIFIED</b><br>'
        f"{len(failing)} of {len(claims)} claims fail: the numbers below are <b>not</b> a proved "
        f'equilibrium.<ul>{items}</ul><a href="#certificate">See the certificate</a></div>'
    )


def _cards(outcome: Outcome) -> list[tuple[str, str]]:
    summary, currency = outcome.summary, outcome.scenario.currency
    before, after = float(summary["cost_before"]), float(summary["cost_after"])
    rounds = " + ".join(number(int(r), 0) for r in summary["rounds"].values())
    messages = sum(int(cost["messages"]) for cost in summary["messages"].values())
    traffic = (f"{rounds} rounds", f"of negotiation, {number(messages, 0)} messages")
    if not market_named(outcome.market).has_trading:
        return [
            (
                f"{_short(after)} {currency}",
                "cost of the community; nothing is traded among the agents",
            ),
            traffic,
        ]
    saving = before - after
    share = "by all together"
    if before > NOTHING:
        share += f", {percent(saving / before)} of the cost before"
    return [
        (
            f"{_short(before)} → {_short(after)} {currency}",
            "cost of the community: utility alone → with trading",
        ),
        (f"{_short(saving)} {currency} saved", share),
        _who(outcome),
        traffic,
    ]


def _short(amount: float) -> str:
    """An amount on a card: whole where it is large."""
    if abs(amount) < _LARGE:
        return money(amount, "").rstrip()
    return number(amount, 0)


def _who(outcome: Outcome) -> tuple[str, str]:
    currency = outcome.scenario.currency
    players = outcome.accounts[outcome.accounts["weight"] > 0]
    savings = players["saving"]
    winners, losers = int((savings > NOTHING).sum()), int((savings < -NOTHING).sum())
    low, high = float(savings.min()), float(savings.max())
    if losers:
        worst = players["agent"].iloc[int(savings.to_numpy().argmin())]
        return (
            f"{number(winners, 0)} save, {number(losers, 0)} lose",
            f"of {count(len(players), 'agent')}; {text(str(worst))} loses most: "
            f"{money(-low, currency)}",
        )
    if high - low < 0.005:
        words = f"each of {count(len(players), 'agent')} {money(high, currency)}"
    else:
        words = f"from {money(low, currency)} to {money(high, currency)}"
    if winners == len(players):
        return ("Everybody saves", words)
    return (
        f"{number(winners, 0)} of {number(len(players), 0)} save",
        f"{words}; nobody loses",
    )

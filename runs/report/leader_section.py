"""The charges that a leader tried, and what each earned it."""

from nashgrid.runs.charges_tried import ChargeTried, read_charges
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Figure, Section, Trace
from nashgrid.runs.report.style import BLUE, GREEN, ORANGE, VERMILLION, axis, layout
from nashgrid.runs.report.words import money, number, percent, rounded


def leader_section(outcome: Outcome) -> Section | None:
    """For outcomes with a leader; None otherwise."""
    if outcome.charges_tried.empty:
        return None
    tried = sorted(read_charges(outcome.charges_tried), key=lambda one: one.share)
    found, currency = outcome.certificate["leader"], outcome.scenario.currency
    chosen = next(one for one in tried if one.share == found["share"])
    figure = Figure(
        name="leader-figure",
        words="Profit of the leader and energy traded inside, by the charge",
        data=[*_lines(tried, currency), _mark(chosen, currency)],
        layout=_layout(currency),
    )
    aim = (
        "earns it most"
        if found["required"] is None
        else f"is the least that earns {money(found['required'], currency)}"
    )
    tries, share = number(len(tried), 0), percent(chosen.share)
    charge = f"{number(chosen.charge_per_kwh, 4)} {currency}/kWh"
    profit, income = (money(found[what], currency) for what in ("profit", "income"))
    body = (
        f"<p>The {found['who']} charges for every kilowatt-hour that is bought or sold inside the "
        "community: on top of the price for who buys, off it for who sells. It tried "
        f"{tries} charges, each in an exchange of its own, and chose the one that {aim}: {charge} "
        f"in the mean of all slots, {share} of the largest under which a trade inside may pay. Of "
        f"its profit of {profit}, {income} are charges; the rest comes from full wires "
        "and losses. There may be a better charge between those tried.</p>"
    )
    return Section("leader", "The leader", "The leader's charge", body, (figure,))


def _lines(tried: list[ChargeTried], currency: str) -> list[Trace]:
    charge = rounded([one.charge_per_kwh for one in tried], 5)
    quantities = (
        ("profit", [one.profit for one in tried], currency, BLUE, "solid", "y"),
        ("of it from charges", [one.income for one in tried], currency, ORANGE, "dash", "y"),
        ("traded inside", [one.inside_kwh for one in tried], "kWh", GREEN, "dot", "y2"),
    )
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"{name} [{unit}]",
            "x": charge,
            "y": rounded(values, 3),
            "yaxis": side,
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"size": 6},
            "hovertemplate": f"%{{y:,.2f}} {unit}",
        }
        for name, values, unit, colour, dash, side in quantities
    ]


def _mark(chosen: ChargeTried, currency: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "chosen",
        "x": rounded([chosen.charge_per_kwh], 5),
        "y": rounded([chosen.profit], 3),
        "marker": {"color": VERMILLION, "size": 13, "symbol": "diamond"},
        "hovertemplate": f"%{{y:,.2f}} {currency}",
    }


def _layout(currency: str) -> dict[str, object]:
    return layout(
        400,
        hovermode="x unified",
        xaxis=axis(f"charge for a kWh bought or sold inside, mean of all slots [{currency}/kWh]"),
        yaxis=axis(f"money [{currency}]", rangemode="tozero"),
        yaxis2=axis(
            "traded inside [kWh]",
            overlaying="y",
            side="right",
            tickmode="auto",
            rangemode="tozero",
            showgrid=False,
        ),
        margin={"l": 64, "r": 64, "t": 60, "b": 56},
    )

"""Figure: the price of anarchy of market `cournot` falls to 1 as the buildings are replicated.

Every point is a negotiation by messages whose certificate holds. Run from the repository's root,
with nashgrid and matplotlib installed (about four minutes): python docs/scripts/price_of_anarchy.py
"""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

import nashgrid as ng

HERE = Path(__file__).parent
COPIES = (1, 2, 4, 8, 16, 32, 64)
BLUE, INK = "#0072B2", "#333333"  # Okabe and Ito: told apart by the colour-blind as well


def replicated(scenario: ng.Scenario, copies: int) -> ng.Scenario:
    """Every building so many times, and a supply that has grown with them."""
    buildings = [
        building.model_copy(update={"name": f"{building.name} {number}"})
        for number in range(copies)
        for building in scenario.buildings
    ]
    limit_kw = copies * scenario.utility.exchange_limit_kw
    utility = scenario.utility.model_copy(update={"exchange_limit_kw": limit_kw})
    return scenario.model_copy(update={"buildings": tuple(buildings), "utility": utility})


def price_of_anarchy(copies: int) -> float:
    """Cost of the certified equilibrium over cost of the optimum."""
    outcome = ng.simulate(
        replicated(ng.load_scenario(HERE / "lane.toml"), copies), market="cournot"
    )
    if not outcome.certified:
        raise ValueError(f"the equilibrium of {copies} copies is not certified")
    ratio = float(outcome.certificate["games"]["cournot"]["price_of_anarchy"])
    print(f"{copies} copies: price of anarchy {ratio:.7f}")
    return ratio


def main() -> None:
    """Negotiate every size and draw."""
    excess = [price_of_anarchy(copies) - 1 for copies in COPIES]
    mpl.rcParams.update({"svg.hashsalt": "nashgrid", "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    axes.loglog(COPIES, excess, "o-", color=BLUE, lw=2)
    for copies, value in zip(COPIES, excess, strict=True):
        axes.annotate(
            f"{1 + value:.5f}", (copies, value), (6, 5), textcoords="offset points", color=INK
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(COPIES, [str(copies) for copies in COPIES])
    axes.set_xlim(0.85, 130)
    axes.set_ylim(top=0.2)
    axes.set_xlabel("copies of each of the two buildings [number]")
    axes.set_ylabel("price of anarchy less 1 [share of the optimum]")
    axes.grid(True, which="major", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE.parent / "price-of-anarchy.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()

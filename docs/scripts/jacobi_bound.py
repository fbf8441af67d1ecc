"""Figure: best responses of all at once, at 0.9, 1.0 and 1.1 times the proximal bound.

Six sellers without costs of their own at a price that falls by b with the sum of their powers. Run
from the repository's root, with nashgrid and matplotlib installed: python
docs/scripts/jacobi_bound.py
"""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from nashgrid.market.games import CournotGame

SELLERS, SLOPE, PRICE = 6, 0.01, 0.35  # number, EUR/kW2h, EUR/kWh
BOUND = SLOPE * (SELLERS - 3) / 2
ROUNDS = 60
# Okabe and Ito, and different dashes: told apart by the colour-blind and in grey as well.
LOOKS = {
    0.9: ("#D55E00", "--", "diverges"),
    1.0: ("#333333", ":", "cycles"),
    1.1: ("#0072B2", "-", "converges"),
}
LABELLED = 30


def main() -> None:
    """Play the three and draw how far they are from the equilibrium."""
    nothing = np.zeros((SELLERS, 1))
    game = CournotGame(nothing, nothing, [PRICE], nothing + SLOPE)
    equilibrium = game.equilibrium().x
    mpl.rcParams.update({"svg.hashsalt": "nashgrid", "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for share, (colour, dashes, ending) in LOOKS.items():
        played = game.game.play(
            "jacobi", start=equilibrium + 0.5, proximal=share * BOUND, rounds=ROUNDS
        )
        distance = np.abs(played.path - equilibrium).max(axis=1)
        print(f"{share} times the bound: {played.outcome}, period {played.period}")
        if played.outcome == "cycle":  # it goes on for ever
            distance = np.resize(distance, ROUNDS + 1)
        axes.semilogy(distance, dashes, color=colour, lw=2)
        axes.annotate(
            f"{share} times the bound: {ending}",
            (LABELLED, distance[LABELLED]),
            (-8, 8) if share < 1 else (8, 8),
            textcoords="offset points",
            ha="right" if share < 1 else "left",
            color=colour,
        )
    axes.set_xlabel("round [number]")
    axes.set_ylabel("farthest from the equilibrium [kW]")
    axes.grid(True, which="major", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).parents[1] / "jacobi-bound.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()

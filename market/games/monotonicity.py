"""Is the pseudo-gradient of a game monotone?"""

import numpy as np

from nashgrid.market.games.game_data import Floats

_ROUNDING = 1e-12


def require_monotone(jacobian: Floats) -> None:
    """Refuse a pseudo-gradient F(x) = J x + q that is not monotone.

    F is monotone, (F(x) - F(y))'(x - y) >= 0, exactly when the symmetric part (J + J')/2 is
    positive semidefinite. Without it a variational equilibrium may not exist, may not be
    unique, and no method finds it surely.

    Parameters
    ----------
    jacobian : (n, n) array

    Raises
    ------
    ValueError
        With the eigenvalues, if the smallest is negative beyond rounding.

    References
    ----------
    Rosen 1965, Existence and uniqueness of equilibrium points for concave n-person games,
    Econometrica 33(3). Facchinei and Kanzow 2010, Generalized Nash equilibrium problems,
    Annals of Operations Research 175.
    """
    eigenvalues = np.linalg.eigvalsh(0.5 * (jacobian + jacobian.T))
    if eigenvalues[0] < -_ROUNDING * len(jacobian) * max(abs(eigenvalues[0]), abs(eigenvalues[-1])):
        listed = ", ".join(f"{value:.6g}" for value in eigenvalues)
        raise ValueError(
            "the game is not monotone: the symmetric part of its pseudo-gradient has the "
            f"eigenvalues [{listed}]"
        )

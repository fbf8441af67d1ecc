"""Small games: quadratic costs, shared limits, variational equilibria, played best responses."""

from nashgrid.market.games.cournot import CournotGame
from nashgrid.market.games.game_certificate import GameCertificate
from nashgrid.market.games.play import Play
from nashgrid.market.games.quadratic_game import QuadraticGame, VariationalEquilibrium

__all__ = ["CournotGame", "GameCertificate", "Play", "QuadraticGame", "VariationalEquilibrium"]

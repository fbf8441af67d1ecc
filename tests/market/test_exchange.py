"""The exchange: against a textbook ADMM, and its inner products against explicit vectors."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from nashgrid.market.exchange import Exchange, ExchangeRules, OfferSums
from nashgrid.market.participation import Participation

HOURS = 0.5


@dataclass
class QuadraticTrader:
    """f(x) = dt (a / 2 (x - wish)^2), no limits: the optimisation in closed form."""

    curvature: np.ndarray
    wish: np.ndarray
    low: float = -np.inf
    high: float = np.inf

    def respond(self, price, target, stiffness):
        pull = self.curvature * self.wish - price + stiffness * target
        return np.clip(pull / (self.curvature + stiffness), self.low, self.high)


class Market:
    """Seats and an exchange, by plain calls instead of messages, every vector in view."""

    def __init__(self, rules: ExchangeRules, traders: list[QuadraticTrader], sizes: np.ndarray):
        self.sizes = sizes
        self.traders = traders
        self.seats = [
            Participation(w[None], len(w), self._respond(w, trader), rules)
            for w, trader in zip(sizes, traders, strict=True)
        ]
        width = sizes.shape[1]
        self.exchange = Exchange(rules, sizes.sum(axis=0), np.full(width, 0.3))
        self.states: list[np.ndarray] = []
        self.residuals: list[np.ndarray] = []
        self.sums: list[OfferSums] = []
        self.target = np.zeros_like(sizes)

    @staticmethod
    def _respond(size: np.ndarray, trader: QuadraticTrader):
        return lambda price, target, step: trader.respond(price, target, step / size)

    def round(self) -> None:
        exchange = self.exchange
        quote = {
            "price": exchange.price[None].copy(),
            "imbalance": exchange.imbalance[None],
            "step": np.array([[exchange.step]]),
            "memory_slot": np.array([[float(exchange.memory_slot)]]),
            "mixing_weights": exchange.weights[None],
        }
        offers = [seat.offer(quote) for seat in self.seats]
        said = np.concatenate([offer["quantity"] for offer in offers])
        # What the seats aim at, from what they do: said = alpha x + (1 - alpha) z.
        alpha = exchange.rules.over_relaxation
        done = np.concatenate([seat.quantity for seat in self.seats])
        target = (said - alpha * done) / (1 - alpha) if alpha != 1 else self.target
        imbalance = said.sum(axis=0) / self.sizes.sum(axis=0)
        image = said - self.sizes * imbalance
        self.states.append(np.concatenate([target.ravel(), quote["price"][0]]))
        self.residuals.append(np.concatenate([(image - target).ravel(), exchange.step * imbalance]))
        self.target = image
        self.sums.append(
            OfferSums(
                said.sum(axis=0),
                float(sum(offer["squared_norm"][0, 0] for offer in offers)),
                np.sum([offer["residual_products"][0] for offer in offers], axis=0),
            )
        )
        exchange.close(self.sums[-1])

    def norm_weights(self) -> np.ndarray:
        """rho / w on the targets, W / rho on the prices."""
        step = self.exchange.step
        return np.concatenate([(step / self.sizes).ravel(), self.sizes.sum(axis=0) / step])


def traders(seed: int, count: int, width: int) -> tuple[list[QuadraticTrader], np.ndarray]:
    rng = np.random.default_rng(seed)
    people = [
        QuadraticTrader(rng.uniform(0.05, 0.3, width), rng.normal(0.0, 3.0, width), -4.0, 4.0)
        for _ in range(count)
    ]
    return people, rng.uniform(1.0, 6.0, (count, width))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_offers_give_the_inner_products_of_the_whole_residual(seed: int) -> None:
    people, sizes = traders(seed, 5, 3)
    market = Market(ExchangeRules(step=0.2, tolerance=1e-12, memory=6), people, sizes)
    for _ in range(6):
        market.round()
    weights, step = market.norm_weights(), market.exchange.step
    assert step == 0.2
    # Six rounds fill six slots in turn: products of round b with slot a are those of a and b.
    assert not any(record.restarted for record in market.exchange.records)
    for newer in range(1, 6):
        products = market.sums[newer].residual_products
        for older in range(newer):
            explicit = market.residuals[older] @ (weights * market.residuals[newer])
            assert step * products[older] == pytest.approx(explicit, rel=1e-9, abs=1e-12)
        own = market.residuals[newer] @ (weights * market.residuals[newer])
        assert step * products[-1] == pytest.approx(own, rel=1e-9)


def test_targets_always_sum_to_zero() -> None:
    people, sizes = traders(4, 6, 2)
    market = Market(ExchangeRules(step=0.2, tolerance=1e-12, memory=5), people, sizes)
    for _ in range(30):
        market.round()
    whole = np.array([state[:-2].reshape(6, 2).sum(axis=0) for state in market.states])
    np.testing.assert_allclose(whole, 0.0, atol=1e-9)


def test_plain_rounds_are_the_sharing_admm() -> None:
    # Boyd et al. 2011, section 7.3.2 (exchange ADMM, scaled dual u): with equal sizes w,
    # x_i+ = argmin f_i(x) + r/2 ||x - x_i + xbar + u||^2,  u+ = u + xbar+,  r = rho dt / w.
    people, _ = traders(5, 4, 3)
    size, step = 2.5, 0.15
    rules = ExchangeRules(step=step, tolerance=1e-12, over_relaxation=1.0, memory=1)
    market = Market(rules, people, np.full((4, 3), size))
    x = np.zeros((4, 3))
    penalty = HOURS * step / size
    u = HOURS * np.full(3, 0.3) / penalty
    for _ in range(40):
        mean = x.mean(axis=0)
        centre = x - mean - u
        x = np.array(
            [
                np.clip(
                    (HOURS * one.curvature * one.wish + penalty * middle)
                    / (HOURS * one.curvature + penalty),
                    one.low,
                    one.high,
                )
                for one, middle in zip(people, centre)
            ]
        )
        u = u + x.mean(axis=0)
        market.round()
        np.testing.assert_allclose([seat.quantity[0] for seat in market.seats], x, atol=1e-9)
        np.testing.assert_allclose(market.exchange.price, penalty * u / HOURS, atol=1e-9)


@pytest.mark.parametrize("memory", [1, 6])
def test_finds_the_competitive_price(memory: int) -> None:
    people, sizes = traders(6, 5, 3)
    people = [replace(one, low=-np.inf, high=np.inf) for one in people]
    market = Market(ExchangeRules(step=0.2, tolerance=1e-9, memory=memory), people, sizes)
    while not market.exchange.finished:
        market.round()
    assert market.exchange.converged
    # x = wish - price / a sums to zero: price = sum wish / sum 1 / a.
    wish = sum(one.wish for one in people)
    price = wish / sum(1 / one.curvature for one in people)
    np.testing.assert_allclose(market.exchange.clearing_price, price, atol=1e-8)


def test_acceleration_saves_rounds() -> None:
    rounds = {}
    for memory in (1, 8):
        people, sizes = traders(7, 6, 4)
        market = Market(ExchangeRules(step=0.05, tolerance=1e-8, memory=memory), people, sizes)
        while not market.exchange.finished:
            market.round()
        assert market.exchange.converged
        rounds[memory] = len(market.exchange.records)
    assert rounds[8] < 0.6 * rounds[1]


def test_excess_demand_raises_the_price() -> None:
    exchange = Exchange(
        ExchangeRules(step=0.4, tolerance=1e-6, memory=8), np.array([8.0, 2.0]), np.zeros(2)
    )
    exchange.close(OfferSums(np.array([4.0, -1.0]), 1.0, np.zeros(9)))
    np.testing.assert_allclose(exchange.imbalance, [0.5, -0.5])
    np.testing.assert_allclose(exchange.clearing_price, [0.2, -0.2])


def test_residuals_by_hand() -> None:
    rules = ExchangeRules(step=0.4, tolerance=1e-6, over_relaxation=1.6, memory=8)
    exchange = Exchange(rules, np.array([8.0, 2.0]), np.array([0.3, 0.1]))
    # W xbar^2 = 8 x .25 + 2 x .25 = 2.5; of the residual's 6.1 that leaves 3.6 for the targets.
    exchange.close(OfferSums(np.array([4.0, -1.0]), 10.0, np.append(np.zeros(8), 6.1)))
    record = exchange.records[0]
    assert record.primal_residual == pytest.approx(np.sqrt(2.5 / 10) / 1.6)
    # Prices .5 and -.1: sum W lambda^2 = 2.02, more than rho^2 sum W = 1.6.
    assert record.dual_residual == pytest.approx(0.4 * np.sqrt(3.6) / np.sqrt(2.02))
    assert (record.round, record.restarted) == (1, False)
    # Where prices vanish the step is the measure.
    free = Exchange(rules, np.array([8.0, 2.0]), np.array([-0.2, 0.2]))
    free.close(OfferSums(np.array([4.0, -1.0]), 10.0, np.append(np.zeros(8), 6.1)))
    assert free.records[0].dual_residual == pytest.approx(0.4 * np.sqrt(3.6) / np.sqrt(1.6))
    # Where nothing is traded a ten-thousandth of the sizes is: 1e-8 sum W = 1e-7.
    idle = Exchange(rules, np.array([8.0, 2.0]), np.array([0.3, 0.1]))
    idle.close(OfferSums(np.array([4e-9, -1e-9]), 0.0, np.append(np.zeros(8), 6.1e-18)))
    assert idle.records[0].primal_residual == pytest.approx(np.sqrt(2.5e-18 / 1e-7) / 1.6)


def test_nobody_has_a_reason_to_trade() -> None:
    """Answers that differ from 0 by the solver's noise alone are an agreement."""
    noise = np.random.default_rng(3).normal(scale=1e-12, size=(5, 4))
    idle = [QuadraticTrader(np.ones(4), wish, -1e-9, 1e-9) for wish in 0.3 + noise]
    market = Market(ExchangeRules(step=0.2, tolerance=1e-6), idle, np.ones((5, 4)))
    market.round()
    assert market.exchange.converged


def feed(exchange: Exchange, own: float, with_memory: float = 0.0) -> None:
    """A round with the given squared residual, orthogonal to the memory unless said."""
    products = np.append(np.full(exchange.rules.memory, with_memory), own)
    exchange.close(OfferSums(np.zeros_like(exchange.price), 1.0, products))


def test_a_residual_beyond_twice_the_best_sends_everyone_back() -> None:
    exchange = Exchange(ExchangeRules(step=0.4, tolerance=0.0, memory=3), np.ones(1), np.ones(1))
    feed(exchange, own=4.0)
    exchange.price = np.array([2.0])
    feed(exchange, own=1.0)
    best = exchange.memory_slot
    # Exactly twice (four times in squares) still passes; a little more does not.
    exchange.price = np.array([3.0])
    feed(exchange, own=4.0)
    assert not exchange.records[-1].restarted
    exchange.price = np.array([9.0])
    feed(exchange, own=4.01)
    assert exchange.records[-1].restarted
    assert exchange.weights[best] == 1.0
    assert exchange.weights.sum() == 1.0
    # Back to the price of the best round.
    np.testing.assert_array_equal(exchange.price, [2.0])
    # The memory is cleared but for the best: the next round mixes two, not four.
    feed(exchange, own=1.0)
    assert np.count_nonzero(exchange.weights) == 2
    assert exchange.weights[best] == pytest.approx(0.5, abs=1e-4)


def test_the_best_round_outlives_the_memory() -> None:
    exchange = Exchange(ExchangeRules(step=0.4, tolerance=0.0, memory=3), np.ones(1), np.ones(1))
    slots = []
    for own in (9.0, 1.0, 2.0, 2.5, 3.0, 3.5):
        feed(exchange, own)
        slots.append(exchange.memory_slot)
    # Slot 1 holds the best round; the others take turns, the oldest first.
    assert slots == [0, 1, 2, 0, 2, 0]


def test_no_memory_takes_plain_steps() -> None:
    exchange = Exchange(ExchangeRules(step=0.4, tolerance=0.0, memory=1), np.ones(1), np.ones(1))
    for own in (1.0, 100.0, 3.0):
        feed(exchange, own)
        assert (exchange.memory_slot, exchange.weights.tolist()) == (0, [1.0])
        assert not exchange.records[-1].restarted


def drift(exchange: Exchange, primal: float, dual: float) -> None:
    """A round with (about) the given residuals: total size and squared norm are 1."""
    imbalance = primal * exchange.rules.over_relaxation
    drifted = (dual / exchange.step * max(abs(exchange.price[0]), exchange.step)) ** 2
    products = np.append(np.zeros(exchange.rules.memory), imbalance**2 + drifted)
    exchange.close(OfferSums(np.array([imbalance]), 1.0, products))


def settle(primal: float, dual: float, rounds: int) -> Exchange:
    exchange = Exchange(ExchangeRules(step=0.01, tolerance=0.0, memory=1), np.ones(1), np.ones(1))
    for _ in range(rounds):
        exchange.price = np.ones(1)
        drift(exchange, primal, dual)
    return exchange


@pytest.mark.parametrize(
    ("primal", "dual", "factor"),
    [(0.01, 0.0001, 10.0), (0.01, 0.001, np.sqrt(10)), (1e-5, 1e-3, 0.1), (1e-2, 1e-8, 10.0)],
)
def test_step_follows_residuals_that_stay_apart(primal: float, dual: float, factor: float) -> None:
    # Fifteen rounds without halving the residual, and only then: the first sets the milestone.
    before, after = settle(primal, dual, 14), settle(primal, dual, 15)
    assert before.step == 0.01
    assert after.step == pytest.approx(0.01 * factor, rel=1e-3)
    assert [record.restarted for record in after.records] == [False] * 14 + [True]
    # Afresh: the present round alone counts, and patience starts again.
    assert after.weights.tolist() == [1.0]
    assert settle(primal, dual, 16).step == after.step


@pytest.mark.parametrize(("primal", "dual", "end"), [(0.1, 1e-9, 100.0), (1e-9, 0.1, 1e-6)])
def test_step_has_an_end(primal: float, dual: float, end: float) -> None:
    # Ten thousand times the opening step either way, after four changes by ten.
    assert settle(primal, dual, 75).step == pytest.approx(end)


def test_step_stays_while_residuals_agree_or_fall() -> None:
    assert settle(0.01, 0.0025, 40).step == 0.01
    exchange = Exchange(ExchangeRules(step=0.01, tolerance=0.0, memory=1), np.ones(1), np.ones(1))
    for number in range(40):
        exchange.price = np.ones(1)
        # Halved every seven rounds: progress, though the two are far apart.
        drift(exchange, 0.05 * 0.9**number, 0.0005 * 0.9**number)
    assert exchange.step == 0.01


def test_a_mistaken_step_is_mended() -> None:
    # A step ten thousand times too small needs the balance rule to arrive at all.
    people, sizes = traders(8, 5, 2)
    market = Market(ExchangeRules(step=2e-5, tolerance=1e-7), people, sizes)
    while not market.exchange.finished:
        market.round()
    assert market.exchange.converged
    assert market.exchange.step > 1e-3
    assert len(market.exchange.records) < 300


@pytest.mark.parametrize("field", ["quantity", "squared_norm", "residual_products"])
def test_an_offer_that_is_not_finite_is_refused(field: str) -> None:
    exchange = Exchange(ExchangeRules(step=0.4, tolerance=1e-6, memory=8), np.ones(2), np.ones(2))
    good = OfferSums(np.array([1.0, 2.0]), 3.0, np.full(9, 4.0))
    exchange.close(good)
    bad = np.nan if field == "squared_norm" else np.full_like(getattr(good, field), np.nan)
    with pytest.raises(ValueError, match="an offer of round 2 is not finite"):
        exchange.close(replace(good, **{field: bad}))


def test_gives_up_after_the_last_round_and_says_so() -> None:
    rules = ExchangeRules(step=0.4, tolerance=1e-9, maximum_rounds=3, memory=8)
    exchange = Exchange(rules, np.ones(1), np.ones(1))
    assert not exchange.converged
    for number in range(3):
        assert not exchange.finished
        exchange.close(OfferSums(np.ones(1), 1.0 + number, np.full(9, 4.0)))
    assert exchange.finished
    assert not exchange.converged


def test_a_best_state_that_does_not_come_back_is_given_up() -> None:
    exchange = Exchange(ExchangeRules(step=0.4, tolerance=1e-9, memory=4), np.ones(1), np.zeros(1))

    def close(squared_residual: float) -> np.ndarray:
        products = np.append(np.zeros(4), squared_residual)
        exchange.close(OfferSums(np.ones(1), 1.0, products))
        return exchange.weights

    close(1.0)
    # Three times the residual: everyone is sent back to the first state ...
    np.testing.assert_array_equal(close(9.0), [1, 0, 0, 0])
    assert exchange.records[-1].restarted
    # ... which does not reproduce its residual: what was said last is where it goes on.
    np.testing.assert_array_equal(close(8.0), np.eye(4)[exchange.memory_slot])
    np.testing.assert_array_equal(close(2.0)[exchange.memory_slot] > 0, True)
    assert not exchange.records[-1].restarted

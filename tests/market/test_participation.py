"""A participant's seat: targets, over-relaxation and what it tells of its residuals."""

import numpy as np
import pytest

from nashgrid.market.crowd_participation import CrowdParticipation
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.participation import Participation

SIZE = np.array([[2.0, 4.0]])
RULES = ExchangeRules(step=0.5, tolerance=1e-6, over_relaxation=1.5, memory=3)


def quote(
    price: list[float], imbalance: list[float], slot: int, weights: list[float], step: float = 0.5
) -> dict[str, np.ndarray]:
    return {
        "price": np.array([price]),
        "imbalance": np.array([imbalance]),
        "step": np.array([[step]]),
        "memory_slot": np.array([[float(slot)]]),
        "mixing_weights": np.array([weights]),
    }


class Listener:
    """Answers with prepared quantities and keeps what it was asked."""

    def __init__(self, *answers: list[float]) -> None:
        self.answers = [np.array([answer]) for answer in answers]
        self.asked: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def __call__(self, price, target, step):
        self.asked.append((price[0], target[0].copy(), step))
        return self.answers[len(self.asked) - 1]


def test_two_rounds_by_hand() -> None:
    agent = Listener([2.0, -4.0], [1.0, 0.0])
    seat = Participation(SIZE, 2, agent, RULES)
    offer = seat.offer(quote([0.3, 0.2], [0.0, 0.0], -1, [0.0, 0.0, 0.0]))
    price, target, step = agent.asked[0]
    np.testing.assert_array_equal(price, [0.3, 0.2])
    np.testing.assert_array_equal(target, [0.0, 0.0])
    np.testing.assert_array_equal(step, [0.5])
    # 1.5 x - .5 z; sum x^2 / w = 2 + 4; residual d = (3, -6), sum d^2 / w = 4.5 + 9.
    np.testing.assert_allclose(offer["quantity"], [[3.0, -6.0]])
    np.testing.assert_allclose(offer["squared_norm"], [[6.0]])
    np.testing.assert_allclose(offer["residual_products"], [[0, 0, 0, 13.5]])
    # Next target: said - size x imbalance = (3 - 2 x .5, -6 + 4 x .25); all weight on slot 1.
    offer = seat.offer(quote([0.4, 0.2], [0.5, -0.25], 1, [0.0, 1.0, 0.0], step=1.0))
    np.testing.assert_allclose(agent.asked[1][1], [2.0, -5.0])
    np.testing.assert_allclose(agent.asked[1][2], [1.0])
    # d = 1.5 (x - z) = (-1.5, 7.5); with the stored (3, -6): -4.5 / 2 - 45 / 4.
    np.testing.assert_allclose(offer["quantity"], [[0.5, 2.5]])
    np.testing.assert_allclose(offer["residual_products"], [[0, -13.5, 0, 2.25 / 2 + 56.25 / 4]])
    np.testing.assert_array_equal(seat.quantity, [[1.0, 0.0]])


def test_targets_are_mixed_with_the_weights_announced() -> None:
    agent = Listener([2.0, -4.0], [1.0, 0.0], [0.0, 0.0])
    seat = Participation(SIZE, 2, agent, RULES)
    seat.offer(quote([0, 0], [0.0, 0.0], -1, [0.0, 0.0, 0.0]))
    seat.offer(quote([0, 0], [0.5, -0.25], 0, [1.0, 0.0, 0.0]))
    # Stored: slot 0 (2, -5); slot 2 what was said now, (.5, 2.5), less 2 x .25 and 4 x .5.
    seat.offer(quote([0, 0], [0.25, 0.5], 2, [-0.5, 0.0, 1.5]))
    expected = -0.5 * np.array([2.0, -5.0]) + 1.5 * np.array([0.0, 0.5])
    np.testing.assert_allclose(agent.asked[2][1], expected)


def test_going_back_to_a_stored_state_reproduces_it() -> None:
    agent = Listener([2.0, -4.0], [50.0, 90.0], [7.0, 7.0])
    seat = Participation(SIZE, 2, agent, RULES)
    seat.offer(quote([0, 0], [0.0, 0.0], -1, [0.0, 0.0, 0.0]))
    seat.offer(quote([0, 0], [0.5, -0.25], 0, [1.0, 0.0, 0.0]))
    # Round 2 led astray: all weight back on slot 0, whatever goes to slot 1.
    seat.offer(quote([0, 0], [9.0, -9.0], 1, [1.0, 0.0, 0.0]))
    np.testing.assert_array_equal(agent.asked[2][1], agent.asked[1][1])


@pytest.mark.parametrize("memory", [1, 4])
def test_an_offer_tells_sums_only(memory: int) -> None:
    rules = ExchangeRules(step=0.5, tolerance=1e-6, memory=memory)
    size = np.full((2, 1), 3.0)
    seat = Participation(size, 96, lambda price, target, step: np.ones((2, 96)), rules)
    offer = seat.offer(quote([0.0] * 96, [0.0] * 96, -1, [0.0] * memory))
    assert {name: values.shape for name, values in offer.items()} == {
        "quantity": (2, 96),
        "squared_norm": (2, 1),
        "residual_products": (2, memory + 1),
    }


@pytest.mark.parametrize(
    ("seats", "digits"), [(Participation, np.float64), (CrowdParticipation, np.float32)]
)
def test_side_by_side_as_alone(seats: type[Participation], digits: type) -> None:
    rng = np.random.default_rng(5)
    sizes, wishes = rng.uniform(1, 5, (9000, 1)), rng.normal(0, 3, (9000, 4))

    def respond(rows: slice):
        def answer(price, target, step):
            stiffness = step / sizes[rows]
            return (0.1 * wishes[rows] - price + stiffness * target) / (0.1 + stiffness)

        return answer

    together = seats(sizes, 4, respond(slice(None)), RULES)
    lone = {row: slice(row, row + 1) for row in (0, 17, 8999)}
    alone = {row: Participation(sizes[at], 4, respond(at), RULES) for row, at in lone.items()}
    for number in range(12):
        asked = quote(
            rng.uniform(0, 0.4, 4).tolist(),
            [0.0] * 4,
            number % 3 if number else -1,
            [*(mixed := rng.normal(0.3, 0.5, 2)), 1 - mixed.sum()],
        )
        everybody = (9000, 4) if number % 2 else (1, 4)  # one imbalance for each, or for all
        imbalance = np.broadcast_to(rng.normal(0, 0.1, everybody) * 0.5**number, (9000, 4))
        offers = together.offer(asked | {"imbalance": imbalance})
        for row, seat in alone.items():
            own = seat.offer(asked | {"imbalance": imbalance[lone[row]]})
            for name, values in own.items():
                tolerance = 1e-12 if digits is np.float64 else 1e-5
                np.testing.assert_allclose(offers[name][row], values[0], tolerance, tolerance)
    assert together.state_bytes == 9000 * 4 * (8 + 6 * np.dtype(digits).itemsize)


def test_a_row_of_a_crowd_is_the_same_wherever_it_stands() -> None:
    rng = np.random.default_rng(2)
    size, answer = rng.uniform(1, 5, (50, 1)), rng.normal(0, 3, (50, 7))
    offers = []
    for rows in (slice(0, 50), slice(13, 50)):
        seats = CrowdParticipation(size[rows], 7, lambda *_, rows=rows: answer[rows], RULES)
        for slot in (-1, 0, 1):
            asked = quote([0.3] * 7, [0.0] * 7, slot, [0.25, 0.75, 0.0])
            offer = seats.offer(asked | {"imbalance": np.full(answer[rows].shape, 0.1)})
        offers.append(offer)
    for name in offers[0]:
        np.testing.assert_array_equal(offers[0][name][13:], offers[1][name])


def test_what_is_closed_keeps_its_answer_only() -> None:
    seat = Participation(SIZE, 2, Listener([2.0, -4.0]), RULES)
    seat.offer(quote([0, 0], [0.0, 0.0], -1, [0.0, 0.0, 0.0]))
    np.testing.assert_array_equal(seat.close(), [[2.0, -4.0]])
    assert seat.state_bytes == 16


@pytest.mark.parametrize("seats", [Participation, CrowdParticipation])
@pytest.mark.parametrize(
    ("commodities", "slot", "rounds"), [(2, 0, 2), (2, 0, 4), (2, 3, 3), (1, 0, 3), (3, 0, 3)]
)
def test_a_quote_for_another_exchange_is_refused(
    seats: type[Participation], commodities: int, slot: int, rounds: int
) -> None:
    seat = seats(SIZE, 2, Listener([2.0, -4.0]), RULES)
    nothing = [0.0] * commodities
    with pytest.raises(ValueError, match="keeps 3 rounds of 2 commodities"):
        seat.offer(quote(nothing, nothing, slot, [1 / rounds] * rounds))

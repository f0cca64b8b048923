"""Reliability, expected calibration error and Brier score against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from gatewise.calibration import Calibration, calibration
from gatewise.errors import DataError


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("bins", [1, 7, 10])
def test_it_is_what_scikit_learn_says(seed: int, bins: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 400))
    said = random.beta(0.7, 0.5, count).astype(np.float32)
    said[: min(3, count)] = [0, 1, 0.5][: min(3, count)]
    came = random.random(count) < said
    came[:2] = [False, True]  # scikit-learn wants both
    found = calibration(said, came, bins)
    shares, means = calibration_curve(came, said.astype(np.float64), n_bins=bins)
    met = [one for one in found.bins if one.count]
    np.testing.assert_allclose(np.array([one.came for one in met], float), shares, atol=1e-12)
    np.testing.assert_allclose(np.array([one.said for one in met], float), means, atol=1e-12)
    assert found.brier == pytest.approx(brier_score_loss(came, said.astype(np.float64)), abs=1e-12)
    assert found.count == count == sum(one.count for one in found.bins)
    assert found.error == pytest.approx(expected_error(said, came, bins), abs=1e-12)


def expected_error(said: np.ndarray, came: np.ndarray, bins: int) -> float:
    """The definition of Guo et al. 2017, decision by decision."""
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        some = [
            place
            for place, one in enumerate(said.astype(np.float64).tolist())
            if low < one <= high or (number == 0 and one == 0)
        ]
        if some:
            mean = sum(float(said[place]) for place in some) / len(some)
            share = sum(bool(came[place]) for place in some) / len(some)
            total += len(some) / len(said) * abs(mean - share)
    return total


def test_the_ends_of_bins_belong_below() -> None:
    found = calibration(np.array([0.0, 0.5, 0.75, 1.0]), np.array([0, 1, 1, 1]), bins=4)
    assert [one.count for one in found.bins] == [1, 1, 1, 1]
    assert found.bins[0].said == 0.0
    assert found.bins[3].came == 1.0
    assert [(one.start, one.stop) for one in found.bins][1] == (0.25, 0.5)


def test_who_knows_all_makes_no_error() -> None:
    found = calibration(np.array([1.0, 0.0, 1.0]), np.array([True, False, True]))
    assert (found.error, found.brier) == (0.0, 0.0)
    assert isinstance(found, Calibration)
    assert found.bins[4].said is None
    assert found.bins[4].came is None


def test_no_answers_are_refused() -> None:
    with pytest.raises(DataError, match="There are no answers"):
        calibration(np.array([]), np.array([]))

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from gatewise.nn import softmax
from gatewise.nn.softmax import chances, cross_entropy, sampled_cross_entropy, scores

N, E, K = 23, 6, 40


def problem(seed: int, rows: int = N) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Outputs, vectors and bias of all classes, all with gradients, and targets."""
    random = torch.Generator().manual_seed(seed)
    outputs, vectors, bias = (
        torch.randn(*shape, generator=random).requires_grad_()
        for shape in ((rows, E), (K, E), (K,))
    )
    return outputs, vectors, bias, torch.randint(K, (rows,), generator=random)


def sampled(
    parts: tuple[Tensor, Tensor, Tensor, Tensor], drawn: Tensor, chance: Tensor, **how: Any
) -> Tensor:
    """The loss as a network asks for it."""
    outputs, vectors, bias, targets = parts
    own = (outputs * vectors[targets]).sum(dim=1) + bias[targets]
    corrected = bias[drawn] - chance[drawn].log()
    precision = how.get("precision", "fp32")
    return sampled_cross_entropy(outputs, vectors[drawn], corrected, own, targets, drawn, precision)


def plain(
    parts: tuple[Tensor, Tensor, Tensor, Tensor], drawn: list[int], chance: list[float]
) -> Tensor:
    """The same in one loop, in float64: every sum is over the drawn classes and the target."""
    outputs, vectors, bias, targets = parts
    losses = []
    for row, target in enumerate(targets.tolist()):
        score = (vectors.double() @ outputs[row].double()) + bias.double()
        others = [score[id] - math.log(chance[id]) for id in drawn if id != target]
        losses.append(torch.logsumexp(torch.stack([score[target], *others]), 0) - score[target])
    return torch.stack(losses).mean()


def check(found: Tensor, wanted: Tensor, parts: tuple[Tensor, ...], tolerance: float) -> None:
    torch.testing.assert_close(found.double(), wanted.double(), rtol=tolerance, atol=tolerance)
    gradients = [
        torch.autograd.grad(loss, parts[:3], retain_graph=True) for loss in (found, wanted)
    ]
    for one, other in zip(*gradients, strict=True):
        assert other.abs().max() > 0.01
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("rows", [1, 7, N])
@pytest.mark.parametrize("block", [1, 7, 512])
def test_with_all_classes_it_is_the_cross_entropy(
    rows: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "BLOCK", block)
    parts = problem(rows, rows)
    outputs, vectors, bias, targets = parts
    found = sampled(parts, torch.arange(K), torch.ones(K))
    wanted = functional.cross_entropy(outputs @ vectors.T + bias, targets)
    check(found, wanted, parts, 1e-5)
    check(3 * found, 3 * wanted, parts, 1e-5)  # the gradient of the loss itself counts


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_with_some_classes_it_is_the_plain_sum(share: float, seed: int) -> None:
    parts = problem(seed)
    targets = set(parts[3].tolist())
    drawn = torch.nonzero(torch.rand(K, generator=torch.Generator().manual_seed(seed)) < share)
    drawn = drawn[:, 0]
    chance = torch.linspace(0.1, 1, K)
    if share == 0.5:  # targets that are drawn, and some that are not
        assert 0 < len(targets & set(drawn.tolist())) < len(targets)
    found = sampled(parts, drawn, chance)
    wanted = plain(parts, drawn.tolist(), chance.tolist())
    if len(drawn) == 0:
        assert found == wanted == 0
    else:
        check(found, wanted, parts, 1e-5)


@pytest.mark.parametrize("rows", [1, 5, N])
def test_the_exact_one_is_a_mean_over_blocks_of_rows(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "ROWS", rows)
    outputs, vectors, bias, targets = problem(3)
    found = cross_entropy(outputs, vectors, bias, targets, "fp32")
    wanted = plain((outputs, vectors, bias, targets), list(range(K)), [1.0] * K)
    assert found == pytest.approx(wanted.item(), rel=1e-5)


def test_bfloat16_products_are_rounded_and_no_more() -> None:
    parts = problem(0)
    exact, rough = (
        sampled(parts, torch.arange(K), torch.ones(K), precision=p) for p in ("fp32", "bf16")
    )
    assert exact != rough
    assert rough.item() == pytest.approx(exact.item(), rel=0.02)
    outputs, vectors, bias, _ = parts
    torch.testing.assert_close(scores(outputs, vectors, bias, "fp32"), outputs @ vectors.T + bias)
    rounded = scores(outputs, vectors, bias, "bf16")
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, outputs @ vectors.T + bias, rtol=0.05, atol=0.1)


def test_the_estimate_of_the_sum_is_right_on_average() -> None:
    """exp(loss + score of the target) is the sum over all classes, as far as it is estimated."""
    outputs, vectors, bias, targets = (part.detach() for part in problem(4))
    counts = np.geomspace(200, 4, K).astype(np.int64)
    chance = torch.from_numpy(chances(counts, 25))
    assert 0 < (chance == 1).sum() < K
    random = torch.Generator().manual_seed(0)
    outputs = outputs / 2  # so that no class has most of the sum
    exact = (outputs @ vectors.T + bias).double().exp().sum(dim=1)
    row = 5
    one = (outputs[row : row + 1], vectors, bias, targets[row : row + 1])
    own = float(outputs[row] @ vectors[targets[row]] + bias[targets[row]])
    found = []
    for _ in range(4000):
        drawn = torch.nonzero(torch.rand(K, generator=random, dtype=torch.float64) < chance)[:, 0]
        found.append(math.exp(sampled(one, drawn, chance.float()).item() + own))
    error = np.std(found) / math.sqrt(len(found))
    assert 0 < error < 0.02 * float(exact[row])
    assert abs(np.mean(found) - float(exact[row])) < 4 * error


@pytest.mark.parametrize("samples", [1, 5, 30, 99, 100, 101, 100_000])
@pytest.mark.parametrize("kind", ["zipf", "equal", "zeros", "one"])
def test_chances_sum_to_the_samples_and_frequent_classes_always_join(
    samples: int, kind: str
) -> None:
    counts = {
        "zipf": np.random.default_rng(1).zipf(1.5, 100),
        "equal": np.full(100, 7),
        "zeros": np.zeros(100, np.int64),
        "one": np.eye(100, dtype=np.int64)[3] * 10**9,
    }[kind]
    found = chances(counts, samples)
    assert ((found > 0) & (found <= 1)).all()
    assert found.sum() == pytest.approx(min(samples, 100))
    order = np.argsort(-counts, kind="stable")
    assert (np.diff(found[order]) <= 1e-12).all()
    if kind == "zipf" and 5 <= samples < 99:
        assert 0 < (found == 1).sum() < samples
        some = found < 1  # those go with the power of their count
        ratios = found[some] / np.maximum(counts[some], 1) ** 0.75
        np.testing.assert_allclose(ratios, ratios[0])
    if kind == "one" and samples > 1:
        assert found[3] == 1


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the shapes of all products."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shapes: set[tuple[int, ...]] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is torch.ops.aten.mm.default:
            self.shapes.add((len(args[0]), *args[1].shape))
        return func(*args, **kwargs or {})


def test_steps_of_many_sizes_multiply_few_shapes() -> None:
    """Torch keeps what it compiles for every shape of a bf16 product."""
    with Products() as seen:
        for rows in range(1, 60):
            parts = problem(rows, rows)
            drawn = torch.arange(rows % K + 1)
            sampled(parts, drawn, torch.ones(K), precision="bf16").backward()  # type: ignore[no-untyped-call]
    assert seen.shapes == {(64, E, 64), (64, 64, E)}

"""Pictures of the report that a model folder holds for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatewise.pictures import figure, png
from gatewise.tasks.classify.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LABELS = 40
"""Labels up to which a picture names every one."""


def pictures(report: Report) -> dict[str, bytes]:
    """Learning curves and, with dev rows, the answers by label, as PNG by file name.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    drawn = {"learning_curves.png": png(_learning_curves(report))}
    if report.evaluation is not None:
        several = report.evaluation.confusion is None
        picture = _label_scores(report) if several else _confusion(report)
        drawn["labels.png"] = png(picture)
    return drawn


def _learning_curves(report: Report) -> Figure:
    drawing = figure(6.4, 3.6)
    loss_axis = drawing.subplots()
    numbers = range(1, len(report.epochs) + 1)
    losses = [epoch.loss for epoch in report.epochs]
    scores = [epoch.dev_score or 0.0 for epoch in report.epochs]
    loss_axis.plot(numbers, losses, "o-", color="tab:blue", label="training loss")
    loss_axis.set(xlabel="epoch", ylabel="training loss", xticks=list(numbers), ylim=(0, None))
    loss_axis.yaxis.label.set_color("tab:blue")
    lines, _ = loss_axis.get_legend_handles_labels()
    if report.evaluation is not None:
        score_axis = loss_axis.twinx()
        metric = report.evaluation.metric
        score_axis.plot(numbers, scores, "s-", color="tab:orange", label=f"dev {metric}")
        score_axis.axvline(report.best_epoch, color="gray", linestyle=":", label="kept")
        if report.linear is not None:
            score_axis.axhline(
                report.linear.score, color="tab:green", linestyle="--", label="linear model"
            )
        score_axis.set_ylabel(f"dev {metric}")
        score_axis.yaxis.label.set_color("tab:orange")
        lines += score_axis.get_legend_handles_labels()[0]
    drawing.legend(handles=lines, loc="outside upper center", ncols=len(lines), frameon=False)
    return drawing


def _confusion(report: Report) -> Figure:
    assert report.evaluation is not None
    assert report.evaluation.confusion is not None
    counts = report.evaluation.confusion
    names = [str(score.label) for score in report.evaluation.labels]
    size = min(4 + 0.45 * len(names), 16)
    drawing = figure(size, size * 0.85)
    axes = drawing.subplots()
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    drawing.colorbar(image, ax=axes, label="share of the label's rows")
    axes.set(xlabel="answer", ylabel="true label")
    if len(names) <= MOST_LABELS:
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        for i, row in enumerate(counts):
            for j, count in enumerate(row):
                color = "white" if shares[i][j] > 0.5 else "black"
                axes.text(j, i, str(count), ha="center", va="center", color=color)
    return drawing


def _label_scores(report: Report) -> Figure:
    assert report.evaluation is not None
    scores = sorted(report.evaluation.labels, key=lambda score: score.f1)
    drawing = figure(6.4, min(1.5 + 0.25 * len(scores), 16))
    axes = drawing.subplots()
    axes.barh([str(score.label) for score in scores], [score.f1 for score in scores])
    axes.set(xlabel="F1 on the dev rows", xlim=(0, 1))
    axes.grid(axis="x", alpha=0.3)
    return drawing

"""The picture of a comparison: scores, and what they cost."""

from __future__ import annotations

from gatewise import pictures
from gatewise.compare.comparison import Comparison


def picture(comparison: Comparison) -> bytes:
    """Test score, training time and answering time of every model, as PNG.

    Dots are seeds. A bar reaches over the 95 % interval of the difference from the simplest model:
    where it crosses that model's line, nothing shows that the two differ.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    standings, reference = comparison.standings, comparison.reference
    figure = pictures.figure(9.6, 1.9 + 0.33 * len(standings))
    left, middle, right = figure.subplots(1, 3, sharey=True, width_ratios=(2.2, 1, 1))
    level = 100 * reference.test_score
    left.axvline(level, color="gray", linestyle=":")
    for place, standing in enumerate(standings):
        chosen = standing.name == comparison.challenger
        color = "tab:orange" if chosen else "tab:gray" if standing is reference else "tab:blue"
        found = standing.difference
        if found is not None:
            bounds = [level + 100 * found.low, level + 100 * found.high]
            left.plot(bounds, [place, place], color=color, alpha=0.35, linewidth=5, zorder=1)
        scores = [100 * score for score in standing.test_scores]
        left.plot(scores, [place] * len(scores), ".", color=color, zorder=2)
        mean = 100 * standing.test_score
        left.plot(mean, place, "D" if chosen else "o", color=color, markersize=7, zorder=3)
        for axes, cost in ((middle, standing.seconds), (right, standing.milliseconds)):
            axes.plot(cost, place, "o", color=color)
            axes.annotate(f"  {cost:.3g}", (cost, place), va="center", fontsize=8)
    left.set_yticks(range(len(standings)), [standing.title for standing in standings])
    left.invert_yaxis()
    left.set(xlabel=f"test {comparison.metric} (%)")
    middle.set(xlabel="seconds to train", xscale="log")
    right.set(xlabel="ms to answer a text", xscale="log")
    for axes in (middle, right):
        axes.margins(x=0.4)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.tick_params(axis="x", which="minor", bottom=False)
    for axes in (left, middle, right):
        axes.grid(axis="x", alpha=0.3)
    figure.suptitle(
        f"{comparison.train_rows:,} rows to learn from, {comparison.test_rows:,} to test on, "
        f"{comparison.seeds} seed{'s' * (comparison.seeds > 1)}. Diamond: best on the dev rows.\n"
        f"Bar: 95 % interval of the difference from the {reference.title} (dotted). Dots: seeds.",
        fontsize=9,
    )
    return pictures.png(figure)

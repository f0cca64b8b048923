"""The recommendation: which model to take, in sentences that a statistician can sign.

The network that stands for all is chosen on the dev rows, so the test rows decide one question
only: is it better than the simplest model? Where they cannot tell, the simple model is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatewise.compare.significance import Difference
from gatewise.compare.standing import Standing, in_seconds

if TYPE_CHECKING:
    from gatewise.compare.comparison import Comparison

SURE = 0.05
"""p value below which a difference is taken for real."""
SMALL = 0.01
"""A gain below this is called small."""
ALIKE = 1.5
"""Costs that differ by a smaller factor are called alike."""
IN_SCIKIT_LEARN = (
    "In scikit-learn the linear model is make_pipeline(TfidfVectorizer(ngram_range=(1, 2), "
    "min_df=2, sublinear_tf=True), LogisticRegression(C=10, max_iter=1000))."
)


def sentences(comparison: Comparison) -> list[str]:
    """What to take and why, what it costs, and how sure that is."""
    reference = comparison.reference
    challenger = comparison.standing(comparison.challenger)
    found = challenger.difference
    assert found is not None
    better = found.p < SURE and found.gain > 0
    told = [_choice(comparison, challenger)]
    if better:
        told += _take_challenger(comparison, challenger, found)
    else:
        told += _take_reference(comparison, challenger, found)
    if comparison.depth:
        told.append(_stacking(reference, challenger, better))
    if comparison.seeds == 1:
        told.append(
            "Every network had one seed only, so the luck of the seeds is not in these figures: "
            "use 3 or more."
        )
    return told


def _choice(comparison: Comparison, challenger: Standing) -> str:
    """How the challenger was found."""
    others = len(comparison.standings) - 1
    if others == 1:
        return f"{_first(_the(challenger))} is compared with {_the(comparison.reference)}."
    return (
        f"Of the other {others} models {_the(challenger)} did best on the dev rows "
        f"({comparison.metric} {_percent(challenger.dev_score)}), so it is the one that is tested."
    )


def _take_challenger(comparison: Comparison, challenger: Standing, found: Difference) -> list[str]:
    reference = comparison.reference
    told = [
        f"Take {_the(challenger)}: on {comparison.test_rows:,} test rows it beats "
        f"{_the(reference)}, {_figures(comparison, challenger, found)}.",
        f"{_first(_the(challenger))} {_costs(challenger, reference)}.",
    ]
    if found.gain < SMALL:
        told.append(
            f"The gain is real, but small: whether {_points(found.gain)} are worth that is yours "
            "to decide."
        )
    thrifty = comparison.standing(comparison.thrifty)
    if thrifty.seconds * ALIKE < challenger.seconds:
        told.append(
            f"{_first(_the(thrifty))} came within one standard error of it on the dev rows and "
            f"{_costs(thrifty, challenger)}: on the test rows it has {_score(comparison, thrifty)}."
        )
    return told + _how(comparison, challenger)


def _take_reference(comparison: Comparison, challenger: Standing, found: Difference) -> list[str]:
    reference = comparison.reference
    figures = _figures(comparison, challenger, found)
    rows = f"on {comparison.test_rows:,} test rows"
    if found.p < SURE:
        told = [f"Take {_the(reference)}: {rows} it beats {_the(challenger)}, {figures}."]
    else:
        told = [
            f"Take {_the(reference)}: {rows} nothing shows that {_the(challenger)} is better, "
            f"{figures}."
        ]
    told.append(f"{_first(_the(reference))} {_costs(reference, challenger)}.")
    if found.p >= SURE:
        told.append(
            f"These rows cannot show a difference of less than about "
            f"{_points(found.high - found.gain)}: more test rows could."
        )
    return told + _how(comparison, reference)


def _how(comparison: Comparison, taken: Standing) -> list[str]:
    """How to come by the model that is recommended."""
    if taken.kind == "linear":
        return [IN_SCIKIT_LEARN]
    if taken.kind == "classifier":
        return [f"Train it with: gatewise train classify TABLE --out model{flags(taken)}"]
    told = [f"Gatewise trains {_the(taken)} for comparison only and does not save it."]
    own = [standing for standing in comparison.standings if standing.kind == "classifier"]
    if own:
        nearest = max(own, key=lambda standing: standing.dev_score)
        told.append(
            f"Of the models that Gatewise saves, {_the(nearest)} is best on the dev rows; on the "
            f"test rows it has {_score(comparison, nearest)}."
        )
    return told


def _stacking(reference: Standing, challenger: Standing, better: bool) -> str:
    if better:
        return f"Stacking pays up to {challenger.options['num_layers']} layers."
    return f"Stacking does not pay here: {_the(reference)} is enough."


def flags(standing: Standing) -> str:
    """The options of a classifier as the command line takes them."""
    parts = []
    for name, value in standing.options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            parts.append(f" --{flag}" if value else f" --no-{flag}")
        elif (name, value) != ("cell", "lstm"):
            parts.append(f" --{flag} {value}")
    return "".join(parts)


def _figures(comparison: Comparison, challenger: Standing, found: Difference) -> str:
    """The scores of both, and how sure their difference is."""
    return (
        f"{comparison.metric} {_percent(challenger.test_score)} ({challenger.title}) against "
        f"{_percent(comparison.reference.test_score)} ({comparison.reference.title}): a difference "
        f"of {100 * found.gain:+.1f} points, at 95 % between {100 * found.low:+.1f} and "
        f"{100 * found.high:+.1f}, {_p(found.p)}"
    )


def _costs(one: Standing, other: Standing) -> str:
    """What one model costs beside another."""
    training = _times(one.seconds, other.seconds, "quick to train", "quicker to train")
    answering = _times(one.milliseconds, other.milliseconds, "quick to answer", "quicker to answer")
    return (
        f"is {training} ({in_seconds(one.seconds)} s against {in_seconds(other.seconds)} s) and "
        f"{answering} ({one.milliseconds:.2f} ms a text against {other.milliseconds:.2f} ms)"
    )


def _times(one: float, other: float, same: str, quicker: str) -> str:
    slower = quicker.replace("quicker", "slower")
    ratio = max(one, other) / max(min(one, other), 1e-9)
    if ratio < ALIKE:
        return f"about as {same}"
    times = f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"
    return f"{times} times {quicker if one < other else slower}"


def _score(comparison: Comparison, standing: Standing) -> str:
    return f"{comparison.metric} {_percent(standing.test_score)}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _percent(score: float) -> str:
    return f"{100 * score:.1f}"


def _points(share: float) -> str:
    points = f"{100 * share:.1f}"
    return f"{points} point{'s' * (points != '1.0')}"


def _the(standing: Standing) -> str:
    """The title in a sentence: Gatewise's default and averaged words take no article."""
    bare = standing.title.startswith(("Gatewise", "averaged"))
    return standing.title if bare else f"the {standing.title}"


def _first(text: str) -> str:
    """With a capital letter at its start."""
    return text[0].upper() + text[1:]

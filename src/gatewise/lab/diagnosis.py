"""How good a classifier's answers are: what its folder tells, and what the rows of a file show."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from gatewise.calibration import calibration
from gatewise.evaluation import Evaluation, evaluate
from gatewise.lab.rows import Rows
from gatewise.tasks.classify.rows import hard_targets

MOST_MISTAKES = 200
"""Wrong answers that are shown, the surest first."""


def training_of(model: Any) -> dict[str, Any] | None:
    """What the folder tells of the training run: learning curves and the dev rows' figures."""
    report = model.report_
    if report is None:
        return None
    told = report.as_json()
    evaluation = getattr(report, "evaluation", None)
    return {
        "loss": [epoch["loss"] for epoch in told["epochs"]],
        "score": [epoch["dev_score"] for epoch in told["epochs"]],
        "metric": getattr(evaluation, "metric", report.metric),
        "best": report.best_epoch,
        "evaluation": _as_json(evaluation) if isinstance(evaluation, Evaluation) else None,
        "told": str(report),
    }


def diagnosed(classifier: Any, rows: Rows) -> dict[str, Any]:
    """How good the answers on the rows of a file are, how calibrated, and which are the worst.

    Raises:
        DataError: the rows have no labels, or the classifier does not know one.
    """
    known = classifier.fitted().labels
    probabilities = classifier.predict_proba(rows.texts)
    answers = known.decide(probabilities)
    truth = hard_targets(known.targets(rows.labels), known)
    if known.multiple:
        decided, came = probabilities.ravel(), truth.ravel()
        wrong = (answers != truth).any(axis=1)
        # The label whose probability was the furthest from the truth.
        sure = abs(probabilities - truth).max(axis=1)
    else:
        decided, came = probabilities.max(axis=1), answers == truth
        wrong = answers != truth
        sure = probabilities.max(axis=1)
    places = np.flatnonzero(wrong)
    worst = places[np.argsort(-sure[places], kind="stable")][:MOST_MISTAKES]
    named, true = known.named(answers), known.named(truth)
    return {
        "evaluation": _as_json(evaluate(truth, answers, known.names, multiple=known.multiple)),
        "calibration": msgspec.to_builtins(calibration(decided, came)),
        "wrong": len(places),
        "mistakes": [
            {
                "number": place,
                "text": rows.texts[place],
                "truth": _told(true[place]),
                "answer": _told(named[place]),
                "sure": round(float(sure[place]), 4),
            }
            for place in worst.tolist()
        ],
    }


def _told(label: Any) -> str:
    return " | ".join(map(str, label)) if isinstance(label, list) else str(label)


def _as_json(found: Evaluation) -> Any:
    return msgspec.to_builtins(found) | {"metric": found.metric}

"""How good answers are: BLEU (Papineni et al. 2002) and chrF (Popović 2015), by sacreBLEU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatewise.errors import DataError, need


@dataclass(frozen=True)
class TextEvaluation:
    """BLEU and chrF of B answers, with the signatures that say how they were counted."""

    texts: int
    bleu: float
    chrf: float
    bleu_signature: str
    chrf_signature: str

    def as_json(self) -> dict[str, Any]:
        """All figures by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __str__(self) -> str:
        return (
            f"BLEU {self.bleu:.1f}, chrF {self.chrf:.1f} ({self.texts:,} texts)\n"
            f"{self.bleu_signature}\n{self.chrf_signature}"
        )


def need_figures() -> None:
    """Raise a MissingExtraError where no answers could be evaluated."""
    need("Evaluating answers", "train", "sacrebleu")


def evaluate(answers: Sequence[str], *references: Sequence[str | None]) -> TextEvaluation:
    """Compare answers with true ones.

    Args:
        answers: of a model, B of them.
        references: true answers, B each; any of them counts as right. None where a text has fewer
            of them than others.

    Raises:
        DataError: there are none.
        MissingExtraError: sacreBLEU is not installed.
    """
    if not answers:
        raise DataError("There are no texts to evaluate the model on.")
    need_figures()
    from sacrebleu import BLEU, CHRF  # noqa: PLC0415 - answering does without it

    bleu, chrf = BLEU(), CHRF()
    wanted: Any = [list(each) for each in references]  # its types know no None
    return TextEvaluation(
        len(answers),
        bleu.corpus_score(list(answers), wanted).score,
        chrf.corpus_score(list(answers), wanted).score,
        f"BLEU|{bleu.get_signature()}",
        f"chrF|{chrf.get_signature()}",
    )

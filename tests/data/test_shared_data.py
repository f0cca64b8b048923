"""Public sets, when their folder is there: every row, as its README counts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewise.data.checks import check_agreement, check_labels, check_test, check_texts
from gatewise.data.columns import guess_columns
from gatewise.data.multi_label import split_labels
from gatewise.data.split import split
from gatewise.data.tables import open_table

FOLDER = Path(__file__).parents[3] / "shared" / "data"
ROWS = {
    "imdb/train": 25_000, "imdb/test": 25_000, "imdb/unlabelled_25k": 25_000,
    "sst2_sentence/train": 6_920, "sst2_sentence/dev": 872, "sst2_sentence/test": 1_821,
    "sst2_phrases/train": 67_349, "sst2_phrases/dev": 872,
    "ag_news_subset/train": 38_663, "ag_news_subset/test": 7_600,
    "trec6/train": 5_452, "trec6/test": 500,
    "sms_spam/all": 5_574, "uci_sentiment_sentences/all": 3_000,
    "goemotions/train": 43_410, "goemotions/dev": 5_426, "goemotions/test": 5_427,
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no data in {FOLDER.name}")


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_read(name: str) -> None:
    table = open_table(FOLDER / f"{name}.csv.zst")
    assert sum(map(len, table.rows(table.columns))) == ROWS[name]
    assert table.notes == []


@pytest.mark.parametrize("name", ["sst2_sentence", "trec6", "ag_news_subset"])
def test_their_labels_raise_no_alarm(name: str) -> None:
    table = open_table(FOLDER / name / "test.csv.zst")
    guess = guess_columns(table)
    assert check_labels(table.read([guess.label])[guess.label]) == []


def test_a_set_of_several_labels() -> None:
    cells = open_table(FOLDER / "goemotions/dev.csv.zst").read(["text", "labels"])
    rows, told = split_labels(cells["labels"])
    assert told == []
    assert len({label for labels in rows for label in labels}) == 28
    _, dev = split(cells["text"], rows, seed=1)
    assert abs(len(dev) - 543) <= 15


def test_a_set_with_repeated_texts() -> None:
    values = open_table(FOLDER / "sms_spam/all.csv.zst").read(["text", "label"])
    assert "repeated from an earlier row" in check_texts(values["text"])[-1]
    train, dev = split(values["text"], values["label"], seed=0)
    texts = values["text"]
    assert check_test([texts[row] for row in train], [texts[row] for row in dev]) == []
    assert check_agreement(values["text"], values["label"]) == []

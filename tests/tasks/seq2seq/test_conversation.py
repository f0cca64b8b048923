from __future__ import annotations

import pytest

from gatewise.errors import DataError, OptionError
from gatewise.tasks.seq2seq.conversation import turn_pairs
from seq2seq_cases import made

TALK = ["hi", "hello", "what is it", "a dog", "and that", "a cat"]


def test_pairs_hold_the_turns_before_them() -> None:
    answers = ["hello", "a dog", "a cat"]
    assert turn_pairs([TALK], 0) == (["hi", "what is it", "and that"], answers)
    assert turn_pairs([TALK, TALK[:2]], 2) == (
        ["hi", "hi | hello | what is it", "what is it | a dog | and that", "hi"],
        [*answers, "hello"],
    )
    assert turn_pairs([TALK], 9)[0][-1] == "hi | hello | what is it | a dog | and that"
    with pytest.raises(DataError, match="Number 2 has 3 turns"):
        turn_pairs([TALK, TALK[:3]], 1)
    with pytest.raises(OptionError, match=r"whole number of at least 0\. Got -1"):
        turn_pairs([TALK], -1)


@pytest.mark.filterwarnings("ignore:.*max_tokens")
def test_a_conversation_is_read_as_it_was_learned() -> None:
    model = made(seed=5)
    one, other = (model.conversation(context, beam=2) for context in (2, 0))
    said = ["the cat", "A dog!", "on the mat"]
    for place, utterance in enumerate(said):
        before = [*one.turns]
        (source,) = turn_pairs([[*before, utterance, ""]], 2)[0][-1:]
        assert one.reply(utterance) == model.predict([source], beam=2)[0]
        assert other.reply(utterance) == model.predict([utterance], beam=2)[0]
        assert one.turns[:-1] == [*before, utterance]
        assert len(one.turns) == 2 * place + 2
    with pytest.raises(DataError, match=r"takes one text\. Got None"):
        one.reply(None)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="context must be"):
        model.conversation(True)


@pytest.mark.parametrize(
    ("search", "told"),
    [
        ({"bean": 2}, r"Search has no option 'bean'\. Did you mean 'beam'"),
        ({"beam": 0}, "The 'beam' option of Search must be"),
        ({"n_best": 2}, "A reply is one text: leave 'n_best' out"),
    ],
)
def test_a_search_that_cannot_be_meant_is_refused_before_a_word_is_said(
    search: dict[str, int], told: str
) -> None:
    with pytest.raises(OptionError, match=told):
        made().conversation(**search)

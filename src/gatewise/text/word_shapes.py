"""How a word is written: its case, digits and signs, as one of a few shapes.

Pretrained vectors and the learned ones are mostly of words in lower case; what a capital letter
says of a name is lost to them, and few sentences cannot teach it letter by letter (Collobert et al.
2011; Chiu & Nichols 2016).
"""

from __future__ import annotations

ADDRESS, MENTION, LOWER_HASHTAG, HASHTAG, NUMBER, NUMBER_WITH_SIGNS = range(6)
"""http://… and www.…; @user; #tag and #Tag; digits alone and among signs."""
SENTENCE_END, SIGNS, OTHER_SIGNS = 6, 7, 8
"""Signs alone: those that end sentences, ASCII and others."""
CAPITAL_WITH_DIGITS, WITH_DIGITS = 9, 10
CAPITAL, FEW_CAPITALS, CAPITALS, LOWER, TITLE, MIXED = range(11, 17)
"""Letters: one, two or three, and more capitals; aa; Aa; and any others."""
WITH_SIGNS = 6
"""What is added to those where signs stand among the letters, as in don't."""
SHAPES = 23
"""How many there are."""


def word_shape(word: str) -> int:
    """Which shape a word has, from 0 to below SHAPES."""
    if word.startswith(("http://", "https://", "www.")):
        return ADDRESS
    if len(word) > 1 and word[0] == "@":
        return MENTION
    if len(word) > 1 and word[0] == "#":
        return LOWER_HASHTAG if word[1:].islower() else HASHTAG
    letters = [character for character in word if character.isalpha()]
    digits = sum(character.isdigit() for character in word)
    if not letters:
        if digits:
            return NUMBER if digits == len(word) else NUMBER_WITH_SIGNS
        if not word.isascii():
            return OTHER_SIGNS
        return SENTENCE_END if any(sign in word for sign in ".!?") else SIGNS
    if digits:
        return CAPITAL_WITH_DIGITS if word[0].isupper() else WITH_DIGITS
    return _case(letters) + WITH_SIGNS * (len(letters) < len(word))


def _case(letters: list[str]) -> int:
    capitals = [letter.isupper() for letter in letters]
    if all(capitals):
        return CAPITAL if len(letters) == 1 else FEW_CAPITALS if len(letters) <= 3 else CAPITALS
    if not any(capitals):
        return LOWER
    return TITLE if capitals[0] and not any(capitals[1:]) else MIXED

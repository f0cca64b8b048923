"""The rules by which text becomes tokens, written as data: the pipelines of a tokenizer.json.

    clean (controls, quotes, Unicode form, case, markup, names, numbers, runs)  →  split into tokens

Every rule looks at one run of characters without whitespace and never across whitespace. The
tokenizer relies on it: it remembers the ids of every run that it has met (see `tokenizer.py`).

A tokenizer.json of somebody else is never run: `known` compares it with the pipelines here, so a
model folder cannot bring regular expressions of its own. When a rule changes, the old pipeline
must stay readable, or models saved before would answer differently.
"""

from __future__ import annotations

from typing import Any, get_args

from gatewise.options import Level

LEVELS: tuple[Level, ...] = get_args(Level)
Json = dict[str, Any]

UNKNOWN = "<unk>"
END = "<end>"  # what people call the end of a text
SPACE = "▁"  # stands for the space before a word in the pieces of "bpe"

# Scripts written without spaces: every character is a token.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_START = rf"[\p{{L}}\p{{N}}&&[^{_UNSPACED}]]"
_INNER = rf"[\p{{L}}\p{{N}}\p{{M}}&&[^{_UNSPACED}]]"
_EDGE = r"(?![\p{L}\p{N}\p{M}])"
_TAIL = r"[^\s<>\"()]*[^\s<>\"().,!?;:']"  # rest of an address, without the punctuation after it

# (regular expression, replacement), in this order. Each is one clear substitution.
_CONTROLS = [(r"[\x{0}-\x{1F}\x{7F}-\x{9F}&&[^\n]]", " ")]
_QUOTES = [
    ("``|[“”„‟«»″]", '"'),
    ("[`´‘’‛ʼ′]", "'"),  # noqa: RUF001 (apostrophes of every kind are meant)
    ("''", '"'),
    ("[‐‑‒–−]", "-"),  # noqa: RUF001 (and every hyphen)
    ("[—―]", "--"),
]
_MARKUP = [
    (r"(?i)&(?:amp|#0*38|#x26);", "&"),
    (r"(?i)&(?:quot|ldquo|rdquo|#0*34|#x22);", '"'),
    (r"(?i)&(?:apos|lsquo|rsquo|#0*39|#x27);", "'"),
    (r"(?i)&(?:nbsp|#0*160|#xa0);", " "),
    (r"(?i)&(?:lt|#0*60|#x3c);", "<"),
    (r"(?i)&(?:gt|#0*62|#x3e);", ">"),
    # A line break may hold a space, "<br />": its halves "<br" and "/>" are dropped one by one.
    (r"(?i)</?(?:br|hr|p)(?:/?>|(?!\S))|</?(?:i|b|u|em|strong)>|(?<!\S)/>", " "),
]
_PENN_TREEBANK = [("(?i)-lrb-", "("), ("(?i)-rrb-", ")")]
_NAMES = [
    (
        r"(?<![\p{L}\p{N}.+_-])[\p{L}\p{N}.+_-]{1,64}@"
        r"[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,4}",
        "<email>",
    ),
    (rf"(?i)(?:https?://|www\.){_TAIL}", "<url>"),
    (
        # A name without http: its parts are possessive, so that a word without a dot fails at once.
        r"(?<![\p{L}\p{N}.-])[\p{L}\p{N}-]++\.(?:[\p{L}\p{N}-]++\.){0,3}?"
        rf"(?i:com|org|net|co\.uk){_EDGE}(?:/{_TAIL})?",
        "<url>",
    ),
    (r"(?<![\p{L}\p{N}])@[\p{L}_][\p{L}\p{N}_]*+", "<user>"),
]
_NUMBERS = [
    (r"(?<=\p{Nd}),(?=\p{Nd}{3}(?!\p{Nd}))", ""),
    (
        r"(?<![\p{L}\p{N}])(?:\p{Nd}{5,}+(?:\.\p{Nd}++)?|\p{Nd}++\.\p{Nd}{3,}+)(?![\p{L}\p{N}])",
        "<number>",
    ),
]
_RUNS = [
    (r"!{4,}+", "!!!"),
    (r"\?{4,}+", "???"),
    (r"\.{2,}+", "..."),
    (r"\*{6,}+", "*****"),
    (r"-{3,}+|_{3,}+|={3,}+|~{3,}+|\#{3,}+|\+{3,}+", "--"),
]
_INVISIBLE = [
    # Skin tones and variation selectors: all forms of one emoji are one token.
    (r"[\x{FE0E}\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{20E3}]", ""),
    (r"[\x{AD}\x{200B}\x{200C}\x{200E}\x{200F}\x{2060}\x{FEFF}]", ""),
    (r"(?<!\p{Extended_Pictographic})\x{200D}", ""),
]

_WORD = "|".join(
    [
        r"</?[a-zA-Z]{1,10}>",  # <url>, <number>, and <unk>, <eos> of prepared corpora
        r">?[:;=]'?[-o^]?[)(\]\[}{|\\/*$@](?![\p{L}\p{N}])",  # :) :-( ;'( =]
        r"(?<![\p{L}\p{N}])[:;=]-?[dDpPoO3](?![\p{L}\p{N}])",  # :D :-p
        r"(?<!\S)\(-?[:;=](?!\S)",  # (: where it stands alone
        r"</?3(?![\p{L}\p{N}])|\^[_.-]?\^|[-oO]_{1,2}[-oO](?![\p{L}\p{N}])|;_;",
        r"\p{Extended_Pictographic}(?:\x{200D}\p{Extended_Pictographic}){0,5}",
        r"[\x{1F1E6}-\x{1F1FF}]{2}",  # flags
        rf"{_START}{{1,20}}?(?=(?i:n't){_EDGE})|(?i:n't){_EDGE}",  # do|n't, ca|n't
        rf"(?i:can)(?=(?i:not){_EDGE})",  # can|not
        rf"'(?i:s|m|d|re|ve|ll){_EDGE}",  # it|'s, we|'ve
        r"\p{Nd}{1,4}\.\p{Nd}{1,2}(?![\p{L}\p{N}])",  # 3.5
        rf"(?:\p{{L}}\.){{2,6}}{_EDGE}",  # u.s.
        rf"[{_UNSPACED}]\p{{M}}*+",
        rf"{_START}{_INNER}*+",
        r"!{1,3}|\?{1,3}|\.{3}|--",
        r"[^\s\p{Cf}]",
    ]
)
_BPE = rf"{SPACE}?(?:[\p{{L}}\p{{M}}]++|\p{{Nd}}{{1,3}}|[^\s\p{{L}}\p{{M}}\p{{Nd}}{SPACE}]++)"


def pipeline(level: Level, lowercase: bool) -> Json:
    """Everything of a tokenizer.json but its "model"."""
    if level == "word":
        clean = [
            *_replacing(_CONTROLS, _QUOTES),
            {"type": "NFKC"},
            *_lowering(lowercase),
            *_replacing(_MARKUP, _PENN_TREEBANK, _NAMES, _NUMBERS, _RUNS, _INVISIBLE),
        ]
        split: Json = _splitting(_WORD, "Removed", invert=True)
        decoder: Json | None = None
    elif level == "bpe":
        clean = [
            *_replacing(_CONTROLS),
            {"type": "NFKC"},
            *_lowering(lowercase),
            *_replacing(_MARKUP),
        ]
        space = {"replacement": SPACE, "prepend_scheme": "always", "split": False}
        split = {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", **space},
                _splitting(_BPE, "Isolated", invert=False),
            ],
        }
        decoder = {"type": "Metaspace", **space}
    elif level == "whitespace":
        clean = _lowering(lowercase)
        split = {"type": "WhitespaceSplit"}
        decoder = None
    else:
        clean = _lowering(lowercase)
        split = _splitting(r"[\s\S]", "Isolated", invert=False)
        decoder = {"type": "Fuse"}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": clean},
        "pre_tokenizer": split,
        "post_processor": None,
        "decoder": decoder,
    }


def is_word(piece: str) -> bool:
    """Whether a run of characters is a word by itself, as most are: an answer without the rules.

    No rule of "word" parts ASCII letters that stand alone, but that of "cannot".
    """
    return piece.isascii() and piece.isalpha() and piece.lower() != "cannot"


def model(level: Level, vocabulary: dict[str, int], merges: list[list[str]]) -> Json:
    """The "model" of a tokenizer.json: what was learned from texts."""
    if level != "bpe":
        return {"type": "WordLevel", "vocab": vocabulary, "unk_token": UNKNOWN}
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": UNKNOWN,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": vocabulary,
        "merges": merges,
    }


def known(components: Json) -> tuple[Level, bool] | None:
    """Level and lower-casing of a pipeline, or None where Gatewise never wrote such a one."""
    for level in LEVELS:
        for lowercase in (True, False):
            if components == pipeline(level, lowercase):
                return level, lowercase
    return None


def _replacing(*groups: list[tuple[str, str]]) -> list[Json]:
    return [
        {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}
        for group in groups
        for pattern, content in group
    ]


def _lowering(lowercase: bool) -> list[Json]:
    return [{"type": "Lowercase"}] if lowercase else []


def _splitting(pattern: str, behavior: str, *, invert: bool) -> Json:
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": behavior,
        "invert": invert,
    }

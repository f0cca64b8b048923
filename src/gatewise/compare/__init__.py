"""Comparisons: which kind of model suits one's own data, trained and tested alike."""

from gatewise.compare.comparison import Comparison
from gatewise.compare.contest import compare
from gatewise.compare.standing import Standing

__all__ = ["Comparison", "Standing", "compare"]

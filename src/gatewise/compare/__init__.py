"""Comparisons: which kind of model suits one's own data, trained and tested alike."""

from gatewise.compare.comparison import Comparison, Standing
from gatewise.compare.contest import compare

__all__ = ["Comparison", "Standing", "compare"]

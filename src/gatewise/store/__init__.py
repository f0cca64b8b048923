"""A fitted model as a folder of plain data: JSON, text and arrays, nothing that can run.

config.json          format, task, options, checksums of all other files
tokenizer.json       how text becomes ids
labels.json          what the scores stand for
weights.safetensors  named float32 arrays
training.json        how it was trained; not needed to load
README.md, pictures  for people

reading.py   a folder of anybody → ModelFolder, or one clear sentence
writing.py   a fitted model → a folder, whole or not at all
swap.py      puts a finished folder in the place of an old one
strict.py    files and JSON, read with limits
arrays.py    weights.safetensors ↔ numpy arrays
"""

from gatewise.store.reading import ModelFolder, read_folder
from gatewise.store.writing import check_replaceable, write_folder

__all__ = ["ModelFolder", "check_replaceable", "read_folder", "write_folder"]

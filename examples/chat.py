"""Train on conversations and chat: python examples/chat.py FOLDER < utterances

The desk of a museum answers. Every line of standard input is an utterance; an empty line begins a
new conversation. The model is trained once and kept in the folder; it answers without PyTorch.
"""

import sys
from pathlib import Path

from gatewise import Seq2Seq, load
from gatewise.tasks.seq2seq.conversation import turn_pairs

CONTEXT = 2
"""Turns before an utterance that the model reads with it."""

folder = Path(sys.argv[1])
if not folder.exists():
    text = Path(__file__).with_name("chat.txt").read_text("utf-8")
    conversations = [block.splitlines() for block in text.split("\n\n")]
    sources, targets = turn_pairs(conversations, CONTEXT)
    model = Seq2Seq(level="word", min_count=1, embedding_size=64, hidden_size=64)
    model.fit(
        sources, targets, epochs=40, learning_rate=0.008, batch_size=16, dev_share=0, threads=1
    )
    model.save(folder)

desk = load(folder)
conversation = desk.conversation(CONTEXT)
for line in sys.stdin:
    utterance = line.strip()
    if not utterance:
        conversation = desk.conversation(CONTEXT)
        print()
        continue
    print(f"> {utterance}\n{conversation.reply(utterance)}", flush=True)

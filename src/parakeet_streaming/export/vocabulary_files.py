"""Pieces in; the files out from which a loader knows what each token adds to a text.

```
vocab.txt     one `piece id` a line, `<blk>` last: for every program
pieces.json   the same pieces with their types: what names alone cannot say
```
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from parakeet_streaming.torch_model.pieces import Pieces

BLANK: Final = "<blk>"
VOCABULARY_NAME: Final = "vocab.txt"
PIECES_NAME: Final = "pieces.json"

# A piece may be or have a line's end, and a line of `vocab.txt` cannot.
_IN_A_LINE: Final = str.maketrans({"\n": "\\n", "\r": "\\r"})


def write_vocabulary(pieces: Sequence[str], folder: Path) -> None:
    """Writes `vocab.txt`; and `pieces.json` of pieces whose types are known, else none."""
    every = [*pieces, BLANK]
    lines = [f"{piece.translate(_IN_A_LINE)} {index}\n" for index, piece in enumerate(every)]
    (folder / VOCABULARY_NAME).write_bytes("".join(lines).encode())
    if not isinstance(pieces, Pieces):
        (folder / PIECES_NAME).unlink(missing_ok=True)
        return
    told = {
        "version": 1,
        "pieces": every,
        "blank": len(pieces),
        "unknown": sorted(pieces.unknown),
        "control": sorted(pieces.control),
        "byte": sorted(pieces.bytes_),
        "unknown_text": pieces.unknown_text,
    }
    text = json.dumps(told, ensure_ascii=False) + "\n"
    (folder / PIECES_NAME).write_bytes(text.encode())

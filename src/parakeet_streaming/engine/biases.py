"""What was chosen for a stream in; the biases of its decoder out, in the order in which they act.

What rules tokens out comes before what raises some of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parakeet_streaming.boosting.compiled import PhraseBiases
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.splits import WrittenPieces
from parakeet_streaming.engine.stream_state import StreamOptions, StreamState
from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.languages.script_mask import ScriptMasks
from parakeet_streaming.ports import TokenBias


@dataclass(frozen=True, slots=True)
class Biased:
    """What is boosted in the steps to come of a stream."""

    boosting: Boosting | None
    biases: tuple[TokenBias, ...]


class StreamBiases:
    """Biases of the streams of one model; equal choices share them."""

    def __init__(self, pieces: WrittenPieces) -> None:
        self._phrases = PhraseBiases(pieces)
        self.masks = ScriptMasks(pieces)

    def of(self, options: StreamOptions) -> tuple[TokenBias, ...]:
        """The biases of a stream with these options; none where nothing was chosen.

        Raises:
            OptionError: a phrase with letters that the model cannot write.
        """
        boosting = options.boosting
        mask = self.masks.of(options.languages) if options.languages else None
        masks: tuple[TokenBias, ...] = () if mask is None else (mask,)
        return masks if boosting is None else (*masks, self._phrases.of(boosting))

    def check(self, state: StreamState) -> tuple[TokenBias, ...]:
        """The biases of a stream that goes on; refuses states in which they cannot be.

        Raises:
            SnapshotError: there is such a state.
        """
        biases = self.of(state.options)
        before, ahead = state.decoder, state.ahead
        after = before if ahead is None else ahead.decoder
        for states in (before.bias_states, after.bias_states):
            if states and not _possible(biases, states):
                raise SnapshotError("this snapshot has impossible values: states of phrases")
        return biases


def carried(
    before: Sequence[TokenBias], states: Sequence[int], biases: Sequence[TokenBias]
) -> tuple[int, ...]:
    """The states of `biases`: of those that were there before as they were, of others 0."""
    known = {id(bias): state for bias, state in zip(before, states, strict=False)}
    return tuple(known.get(id(bias), 0) for bias in biases)


def _possible(biases: Sequence[TokenBias], states: Sequence[int]) -> bool:
    return len(biases) == len(states) and all(
        0 <= state < bias.states for bias, state in zip(biases, states, strict=True)
    )

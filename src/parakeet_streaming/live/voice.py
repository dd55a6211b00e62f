"""Tasks with news in; their audio taken, and speech judged for all of them together, out.

Rules of this file:

1. What has arrived of all tasks is judged in as few calls as there can be: one call takes up to 8
   frames of each.
2. A call that fails is made again for each task alone, to find whose fault it was. That task ends,
   and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parakeet_streaming.live.task import StreamTask
from parakeet_streaming.ports import Floats, VoiceActivity
from parakeet_streaming.timeline import samples_to_seconds


class VoiceJudge:
    """Takes audio and finds speech in it. Belongs to the worker's thread."""

    def __init__(
        self,
        vad: VoiceActivity | None,
        clock: Callable[[], float],
        fail: Callable[[StreamTask, Exception], None],
        measured: Callable[[float, float], None],
    ) -> None:
        """`fail` ends a task; `measured` is given seconds of audio judged, and how long it took."""
        self._vad = vad
        self._clock = clock
        self._fail = fail
        self._measured = measured

    def listen(self, tasks: Sequence[StreamTask]) -> None:
        """Takes what has arrived, and judges it until nothing is left to judge."""
        while tasks:
            blocks = [
                (task, block) for task in tasks if (block := self._next_block(task)) is not None
            ]
            if blocks:
                self._judge(blocks)
            tasks = [task for task, _ in blocks if not task.is_over]

    def _next_block(self, task: StreamTask) -> Floats | None:
        if task.is_over:
            return None
        try:
            task.take()
            speech = task.speech
            return speech.block_to_judge()
        except Exception as error:
            self._fail(task, error)
            return None

    def _judge(self, blocks: Sequence[tuple[StreamTask, Floats]]) -> None:
        vad = self._vad
        assert vad is not None, "a stream is judged only where something can judge"
        speeches = [task.speech for task, _ in blocks]
        states = [vad.start() if each.vad_state is None else each.vad_state for each in speeches]
        began_s = self._clock()
        try:
            found, following = vad.probabilities([block for _, block in blocks], states)
        except Exception as error:
            if len(blocks) == 1:
                self._fail(blocks[0][0], error)
            else:
                for each in blocks:
                    self._judge([each])
            return
        audio_s = samples_to_seconds(sum(int(block.shape[0]) for _, block in blocks))
        self._measured(audio_s, self._clock() - began_s)
        for speech, probabilities, state in zip(speeches, found, following, strict=True):
            speech.judged(probabilities.tolist(), state)

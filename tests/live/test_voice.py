"""Audio of many streams is judged in few calls, and a bad stream is found."""

import numpy as np
import pytest

from parakeet_streaming.live.voice import VoiceJudge
from parakeet_streaming.testing import HandClock, ScriptedVad

FRAME = 512


class Task:
    """Blocks of frames that are still to judge."""

    def __init__(self, *frames, bad=False):
        self.blocks = [np.full(each * FRAME, 2.0 if bad else 1.0, np.float32) for each in frames]
        self.vad_state, self.found, self.is_over = None, [], False
        self.speech = self

    def take(self):
        pass

    def block_to_judge(self):
        return self.blocks[0] if self.blocks else None

    def judged(self, probabilities, state):
        del self.blocks[0]
        self.found += probabilities
        self.vad_state = state


class Vad(ScriptedVad):
    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def probabilities(self, blocks, states):
        if any(block[0] == 2.0 for block in blocks):
            raise ValueError("no such sound")
        self.clock.now_s += 0.5
        return super().probabilities(blocks, states)


def judge():
    clock, failed, measured = HandClock(), [], []

    def fail(task, error):
        task.is_over = True
        failed.append((task, error))

    vad = Vad(clock)
    return VoiceJudge(vad, clock, fail, lambda *each: measured.append(each)), vad, failed, measured


@pytest.mark.interpreted
def test_blocks_of_all_streams_go_together_until_none_is_left():
    judging, vad, failed, measured = judge()
    tasks = [Task(8, 3), Task(2), Task()]
    judging.listen(tasks)
    assert vad.calls == [2, 1]
    assert [len(task.found) for task in tasks] == [11, 2, 0]
    assert [task.vad_state for task in tasks] == [11, 2, None]
    assert measured == [(10 * FRAME / 16_000, 0.5), (3 * FRAME / 16_000, 0.5)]
    assert failed == []


@pytest.mark.interpreted
def test_a_stream_at_fault_fails_alone():
    judging, vad, failed, _ = judge()
    bad = Task(4, bad=True)
    tasks = [Task(1), bad, Task(2)]
    judging.listen(tasks)
    assert vad.calls == [1, 1]
    assert [task for task, _ in failed] == [bad]
    assert [len(task.found) for task in tasks] == [1, 0, 2]


@pytest.mark.interpreted
def test_a_stream_whose_audio_cannot_be_taken_fails_alone():
    judging, _, failed, _ = judge()

    class Broken(Task):
        def take(self):
            raise KeyError("window")

    broken, good = Broken(1), Task(1)
    judging.listen([broken, good])
    assert [task for task, _ in failed] == [broken]
    assert len(good.found) == 1


@pytest.mark.interpreted
def test_a_stream_that_is_over_is_left_alone():
    judging, vad, _, _ = judge()
    over = Task(1)
    over.is_over = True
    judging.listen([over])
    assert vad.calls == []

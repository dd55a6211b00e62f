"""One probability of speech per frame in; where speech starts and ends, and what is quiet, out.

Rules of this file:

1. Positions are samples of the stream at 16 kHz. Probabilities come in order, one per frame.
2. Two thresholds make a voice of the probabilities: it begins at `threshold` and lasts while
   `neg_threshold` is reached. Durations then decide what counts:

   ```
                 a frame of voice            min_speech_ms of voice
        QUIET ───────────────────► STARTING ────────────────────────► SPEAKING
          ▲  ▲     min_silence_ms without  │                 a frame    │  ▲  a frame
          │  └─────────────────────────────┘                 without    ▼  │  of voice
          └──────────────────────────────────────────────────────── STOPPING
                               min_silence_ms without
   ```

3. Speech is reported when it is sure, and dated back: it starts with the first frame of voice, and
   ends where the silence begins that proved it.
4. What is quiet costs no computing, so quiet is said with care: no frame near reaches even
   `neg_threshold`, whether speech was confirmed or not, and what has not been judged is not quiet.
5. A gap is no voice, and it is not quiet either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from parakeet_streaming.engine.stream_state import Activity, DetectorState
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.ports import VAD_FRAME_SAMPLES
from parakeet_streaming.results import SpeechEnded, SpeechStarted
from parakeet_streaming.timeline import milliseconds_to_samples, samples_to_seconds


@dataclass(frozen=True, slots=True)
class Transition:
    """Speech has started or ended."""

    started: bool
    at_sample: int
    """Position in the stream at 16 kHz."""

    def event(self) -> SpeechStarted | SpeechEnded:
        """The same for users, in seconds."""
        at_s = samples_to_seconds(self.at_sample)
        return SpeechStarted(at_s) if self.started else SpeechEnded(at_s)


@dataclass(slots=True)
class _Run:
    """Samples of possible speech; runs too near for quiet between them are one."""

    start: int
    end: int


class SpeechDetector:
    """Where one stream's speech is. Not thread-safe."""

    def __init__(
        self, options: VadOptions | None = None, frame_samples: int = VAD_FRAME_SAMPLES
    ) -> None:
        """`frame_samples`: samples at 16 kHz of the frame that each probability judges."""
        self.options = options or VadOptions()
        self.frame_samples = frame_samples
        """Samples at 16 kHz that each probability judges."""
        self._voice_from = self.options.threshold
        self._possible_from = self.options.effective_neg_threshold
        self._min_speech = milliseconds_to_samples(self.options.min_speech_ms)
        self.min_silence_samples = milliseconds_to_samples(self.options.min_silence_ms)
        """Samples without voice that end speech."""
        self.padding_samples = milliseconds_to_samples(self.options.prefix_padding_ms)
        """Samples before an onset that belong to what is said."""
        longest_ms = max(self.options.hangover_ms, self.options.min_silence_ms)
        self._hangover = milliseconds_to_samples(longest_ms)
        self.activity = Activity.QUIET
        """What it makes of the last frame."""
        self._onset = 0
        self._voiced = 0
        self.silence_from: int | None = 0
        """Position since which there has been no voice; None while there is."""
        self.known_to = 0
        """Samples judged so far, gaps included."""
        self.finished = False
        """Whether the stream has ended, so that everything is known."""
        self._remembered_from = 0
        self._runs: list[_Run] = []

    def state(self) -> DetectorState:
        """What it knows now, as a value."""
        return DetectorState(
            self.options,
            self.frame_samples,
            self.activity,
            self._onset,
            self._voiced,
            self.silence_from,
            self.known_to,
            self.finished,
            self._remembered_from,
            tuple((run.start, run.end) for run in self._runs),
        )

    @classmethod
    def of(cls, state: DetectorState) -> Self:
        """The detector that a state was taken of."""
        detector = cls(state.options, state.frame_samples)
        detector.activity = state.activity
        detector._onset, detector._voiced = state.onset, state.voiced
        detector.silence_from, detector.known_to = state.silence_from, state.known_to
        detector.finished = state.finished
        detector._remembered_from = state.remembered_from
        detector._runs = [_Run(start, end) for start, end in state.runs]
        return detector

    def feed(self, probability: float) -> Transition | None:
        """Takes the probability of the next frame; returns what it made sure."""
        start, self.known_to = self.known_to, self.known_to + self.frame_samples
        possible = probability >= self._possible_from
        if possible:
            self._remember(start)
        if probability >= self._voice_from or (possible and self.silence_from is None):
            return self._voice(start)
        return self._no_voice(start)

    def is_steady(self, probabilities: Sequence[float]) -> bool:
        """Whether nothing changes with the next frames but how far it has come.

        Voice that is speech goes on, or silence that ends nothing. Most frames are such.
        """
        if self.silence_from is None:
            runs = self._runs
            speaks = (
                self.activity is Activity.SPEAKING and min(probabilities) >= self._possible_from
            )
            return speaks and bool(runs) and runs[-1].end == self.known_to
        if max(probabilities) >= self._possible_from:
            return False
        if self.activity is Activity.QUIET:
            return True
        end = self.known_to + len(probabilities) * self.frame_samples
        return end - self.silence_from < self.min_silence_samples

    def pass_steady(self, frames: int) -> None:
        """Takes so many frames that are steady: what `feed` would do for each, done once."""
        samples = frames * self.frame_samples
        self.known_to += samples
        if self.silence_from is None:
            self._voiced += samples
            self._runs[-1].end = self.known_to

    def skip_to(self, position: int) -> Transition | None:
        """Leaves out what cannot be judged; the next frame starts at `position`.

        What the network remembers does not hold after a gap: start it anew there.

        Raises:
            AudioInputError: a position that has been judged already.
        """
        if position < self.known_to:
            raise AudioInputError(f"judged up to {self.known_to} already, not only to {position}")
        if position == self.known_to:
            return None
        start, self.known_to = self.known_to, position
        self._remember(start)
        return self._no_voice(start)

    def finish(self, end: int) -> Transition | None:
        """The stream has ended at sample `end`; ends speech that goes on.

        A last part of a frame may have been judged, padded, or not; what was not is not quiet.
        """
        self.finished = True
        speech = self.activity in (Activity.SPEAKING, Activity.STOPPING)
        if self.silence_from is None:
            self.silence_from = self.known_to
        self.silence_from = min(self.silence_from, end)
        self.activity = Activity.QUIET
        return Transition(started=False, at_sample=self.silence_from) if speech else None

    @property
    def frames_to_end(self) -> int:
        """How many more frames speech lasts at least; 0 where there is none."""
        if self.activity is not Activity.SPEAKING and self.activity is not Activity.STOPPING:
            return 0
        silent = 0 if self.silence_from is None else self.known_to - self.silence_from
        return -(-(self.min_silence_samples - silent) // self.frame_samples)

    def quiet(self, start: int, end: int) -> bool:
        """Whether samples [start, end) certainly hold no speech, nor anything that belongs to it.

        They are judged, and so are `prefix_padding_ms` after them unless the stream ends before;
        no frame that reaches `neg_threshold`, and no gap, lies in them, nor within
        `prefix_padding_ms` after or `hangover_ms` before them. Nothing that comes later proves
        it wrong.
        """
        judged = self.known_to - (0 if self.finished else self.padding_samples)
        return end <= judged and self.quiet_so_far(start, end)

    def quiet_so_far(self, start: int, end: int) -> bool:
        """Whether samples [start, end) may still turn out to be quiet, by what is known now."""
        if start < self._remembered_from:
            return False
        first, last = start - self._hangover, end + self.padding_samples
        return not any(run.start < last and run.end > first for run in self._runs)

    def silent(self, start: int, end: int) -> bool:
        """Whether all frames before `end` were judged, and nothing after `start` may be speech."""
        judged = self.known_to + self.frame_samples > end
        remembered = start + self._hangover >= self._remembered_from
        return judged and remembered and not any(run.end > start for run in self._runs)

    def forget_before(self, position: int) -> None:
        """Nothing before `position` will be asked for any more; it is not quiet from now on."""
        self._remembered_from = max(self._remembered_from, position)
        runs, reach = self._runs, self._remembered_from - self._hangover
        if runs and runs[0].end <= reach:
            self._runs = [run for run in runs if run.end > reach]

    def _voice(self, start: int) -> Transition | None:
        self.silence_from = None
        if self.activity is Activity.QUIET:
            self.activity, self._onset, self._voiced = Activity.STARTING, start, 0
        elif self.activity is Activity.STOPPING:
            self.activity = Activity.SPEAKING
        self._voiced += self.known_to - start
        if self.activity is Activity.STARTING and self._voiced >= self._min_speech:
            self.activity = Activity.SPEAKING
            return Transition(started=True, at_sample=self._onset)
        return None

    def _no_voice(self, start: int) -> Transition | None:
        if self.silence_from is None:
            self.silence_from = start
        if self.activity is Activity.SPEAKING:
            self.activity = Activity.STOPPING
        if self.known_to - self.silence_from < self.min_silence_samples:
            return None
        ended = self.activity is Activity.STOPPING
        self.activity = Activity.QUIET
        return Transition(started=False, at_sample=self.silence_from) if ended else None

    def _remember(self, start: int) -> None:
        """Samples from `start` to `known_to` are possible speech."""
        if self._runs and start - self._runs[-1].end <= self.padding_samples + self._hangover:
            self._runs[-1].end = self.known_to
        else:
            self._runs.append(_Run(start, self.known_to))

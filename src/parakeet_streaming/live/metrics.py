"""What is measured while live streams run: one attribute for each metric, with its help."""

from __future__ import annotations

from typing import Final

from parakeet_streaming.metrics.histogram import COUNTS, Histogram
from parakeet_streaming.metrics.registry import Counter, Gauge, LabelledCounter, MetricSet

_BATCHES_TOLD: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class LiveMetrics(MetricSet):
    """Everything that is measured while streams run; each says what it is."""

    def __init__(self) -> None:
        self.active_streams = Gauge(help="Streams that are open")
        self.ready_streams = Gauge(
            help="Streams whose next window is complete and waits for a step"
        )
        self.backlog_audio_seconds = Gauge(
            help="Audio received and not decoded, of the stream furthest behind"
        )
        self.rtf_recent = Gauge(
            help="Seconds of computing per second of audio, over the last steps"
        )

        self.streams_total = LabelledCounter(
            "outcome", "finished", "cancelled", "failed", help="Streams that have ended"
        )
        self.audio_seconds_total = Counter(help="Audio decoded")
        self.speech_seconds_total = Counter(help="Audio in which speech was found")
        self.samples_dropped_total = LabelledCounter(
            "reason", "ring_full", help="Samples that were not taken, or lost before they came here"
        )
        self.tokens_total = Counter(help="Tokens committed")
        self.utterances_total = LabelledCounter(
            "reason",
            "silence",
            "max_length",
            "commit",
            "end",
            help="Utterances that have ended, by what ended them",
        )
        self.rejected_total = LabelledCounter(
            "reason", "streams", "load", help="Streams not let in"
        )
        self.context_changes_total = LabelledCounter(
            "direction",
            "longer",
            "shorter",
            help="Times a stream's context was made longer or shorter",
        )

        self.batch_size = Histogram(COUNTS, _BATCHES_TOLD, help="Streams that shared a step")
        self.first_partial_latency_seconds = Histogram(
            help="From the first sound of a stream to its first text"
        )
        self.emission_delay_seconds = Histogram(help="From the end of a token's sound to its text")
        self.finalization_latency_seconds = Histogram(
            help="From the end of speech, or the request, to the final text"
        )
        self.chunk_queue_wait_seconds = Histogram(
            help="From a window being complete to its step's start"
        )
        self.encoder_step_seconds = Histogram(help="Encoder call of a step")
        self.decoder_step_seconds = Histogram(help="Decoding of a step")
        self.vad_step_seconds = Histogram(help="Voice detection of a step")
        self.end_to_end_lag_seconds = Histogram(
            help="Newest audio received less newest audio decoded, of each stream"
        )
        self.utterance_duration_seconds = Histogram(help="Length of utterances")

"""What is measured while live streams run: one attribute for each metric, with its help."""

from __future__ import annotations

from typing import Final

from parakeet_streaming.metrics.histogram import COUNTS, Histogram
from parakeet_streaming.metrics.registry import Counter, Gauge, LabelledCounter, MetricSet

_LISTED_BATCHES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class LiveMetrics(MetricSet):
    """Everything that is measured while streams run."""

    def __init__(self) -> None:
        self.active_streams = Gauge(help="Streams that are open")
        self.ready_streams = Gauge(
            help="Streams whose next window is complete, at the start of a step"
        )
        self.longest_backlog_seconds = Gauge(
            help="Audio received and not decoded, of the stream that has most of it"
        )
        self.rtf_recent = Gauge(
            help="Seconds of computing per second of audio, over the last steps"
        )

        self.streams_total = LabelledCounter(
            "outcome",
            "finished",
            "timed_out",
            "cancelled",
            "failed",
            help="Streams that have ended",
        )
        self.audio_seconds_total = Counter(help="Audio decoded")
        self.speech_seconds_total = Counter(help="Audio in which speech was found")
        self.samples_refused_total = Counter(
            help="Samples that were pushed and not taken, because too much audio waited"
        )
        self.tokens_total = Counter(help="Tokens committed")
        self.utterances_total = LabelledCounter(
            "reason",
            "silence",
            "max_length",
            "commit",
            "no_audio",
            "end",
            help="Utterances that have ended, by what ended them",
        )
        self.rejected_total = LabelledCounter(
            "reason",
            "streams",
            "recordings",
            "load",
            "memory",
            help="Streams that were refused, by the limit that was reached",
        )
        self.context_changes_total = LabelledCounter(
            "direction",
            "longer",
            "shorter",
            help="Times a stream's context was made longer or shorter",
        )

        self.batch_size = Histogram(COUNTS, _LISTED_BATCHES, help="Streams that shared a step")
        self.first_partial_latency_seconds = Histogram(
            help="From the first sound of a stream to its first text"
        )
        self.emission_delay_seconds = Histogram(help="From the end of a word to its text")
        self.finalization_latency_seconds = Histogram(
            help="From the end of speech, or the request, to the final text"
        )
        self.chunk_queue_wait_seconds = Histogram(
            help="From the moment a window is complete to the start of its step"
        )
        self.encoder_step_seconds = Histogram(help="Encoder call of a step")
        self.decoder_step_seconds = Histogram(help="Decoding of a step")
        self.vad_step_seconds = Histogram(help="One call that judges voice activity")
        self.backlog_seconds = Histogram(
            help="Audio received and not decoded, of a stream after each of its steps"
        )
        self.utterance_duration_seconds = Histogram(help="Length of utterances")

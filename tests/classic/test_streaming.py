"""The classic API on fakes: what goes in one end comes out of the other, by hand and by thread."""

import gc
import math
import threading

import numpy as np
import pytest

from parakeet_streaming import (
    ContextConfig,
    DelayRange,
    LiveEngine,
    LiveOptions,
    ModelConfig,
    ParakeetTDTModel,
    StreamingParakeetTDT,
    TokenResult,
    live_tokens,
)
from parakeet_streaming.errors import (
    AudioInputError,
    ContextError,
    OptionError,
    StreamClosedError,
)
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    fake_recognizer,
    marked_audio,
    recognizer_of,
)

CONTEXT = ContextConfig(left=0.8, chunk=0.4, right=0.24)
SCRIPT = [Cue(1, 0, 2), Cue(4, 1, 3), Cue(9, 2, 1), Cue(17, 0, 4), Cue(22, 1, 1)]
TEXTS = ["one", "two", "+ty"]
EXPECTED = [(0, 1, 2), (1, 4, 3), (2, 9, 1), (0, 17, 4), (1, 22, 1)]
AUDIO = marked_audio(frames=25, extra_samples=700)


def new(context: ContextConfig = CONTEXT, **options: object):
    return StreamingParakeetTDT.new(
        ParakeetTDTModel(fake_recognizer(SCRIPT, TEXTS)), context, **options
    )


def in_frames(tokens: list[TokenResult], frame_samples: int = 1280) -> list[tuple[int, int, int]]:
    return [
        (token.token_id, token.timestamp // frame_samples, token.duration // frame_samples)
        for token in tokens
    ]


def drain(consumer) -> list[TokenResult]:
    tokens = []
    while (token := consumer.pop()) is not None:
        tokens.append(token)
    return tokens


@pytest.mark.parametrize("piece", [1, 37, 1280, 5_000, 1_000_000])
def test_rings_in_one_thread(piece: int) -> None:
    engine, producer, consumer = new()
    tokens = []
    for start in range(0, AUDIO.shape[0], piece):
        given = AUDIO[start : start + piece]
        assert producer.push(given if piece > 1 else given[0]) == given.shape[0]
        if piece > 1 or start % 1000 == 0:
            engine.process_audio()
            tokens += drain(consumer)
    assert not engine.ended
    producer.close()
    engine.process_audio()
    tokens += drain(consumer)
    assert in_frames(tokens) == EXPECTED
    assert engine.ended
    assert consumer.ended
    assert [token.text for token in tokens] == ["one", " two", "ty", " one", " two"]


def test_by_hand() -> None:
    engine, _, _ = new()
    tokens = []
    for start in range(0, AUDIO.shape[0], 3000):
        engine.add_audio(AUDIO[start : start + 3000])
        tokens += engine.process_available()
    assert 0 < len(tokens) < len(EXPECTED)
    tokens += engine.finalize()
    assert in_frames(tokens) == EXPECTED
    assert engine.get_tokens() == tokens
    assert engine.finalize() == []


def test_finalize_takes_what_is_still_in_the_ring() -> None:
    engine, producer, consumer = new()
    producer.push(AUDIO)
    assert in_frames(engine.finalize()) == EXPECTED
    assert producer.push(AUDIO) == 0
    assert list(consumer) == []


def test_threads() -> None:
    engine, producer, consumer = new()
    tokens: list[TokenResult] = []

    def capture() -> None:
        with producer:
            for start in range(0, AUDIO.shape[0], 160):
                assert producer.push(AUDIO[start : start + 160]) == len(AUDIO[start : start + 160])

    threads = [
        threading.Thread(target=capture),
        threading.Thread(target=engine.run),
        threading.Thread(target=lambda: tokens.extend(consumer)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert in_frames(tokens) == EXPECTED


def test_dropping_the_producer_ends_the_stream() -> None:
    engine, producer, consumer = new()
    producer.push(AUDIO)
    del producer
    gc.collect()
    engine.run()
    assert in_frames(list(consumer)) == EXPECTED


def test_closing_the_consumer_stops_the_engine() -> None:
    engine, producer, consumer = new()
    thread = threading.Thread(target=engine.run)
    thread.start()
    producer.push(AUDIO[:4000])
    consumer.close()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert engine.ended
    assert producer.push(AUDIO) == 0


def test_a_full_audio_ring_takes_less_and_says_so() -> None:
    engine, producer, _ = new(audio_ring_s=0.0)
    room = CONTEXT.samples.window
    assert producer.push(AUDIO[: room - 10]) == room - 10
    assert producer.push(AUDIO[room - 10 :]) == 10
    assert producer.refused_samples == AUDIO.shape[0] - room
    assert producer.push(AUDIO[:5]) == 0
    assert engine.buffer_size == room
    assert engine.debug_view().refused_samples == AUDIO.shape[0] - room + 5
    engine.process_audio()
    assert producer.push(AUDIO[room : room + 5]) == 5


def test_a_full_token_ring_holds_the_engine_back_and_loses_nothing() -> None:
    engine, producer, consumer = new(token_ring_slots=1)
    producer.push(AUDIO)
    producer.close()
    tokens = []
    for _ in range(20):
        engine.process_audio()
        tokens += drain(consumer)
    assert in_frames(tokens) == EXPECTED
    assert consumer.ended


def test_a_full_token_ring_does_not_stop_a_running_engine() -> None:
    engine, producer, consumer = new(token_ring_slots=1)
    thread = threading.Thread(target=engine.run)
    thread.start()
    producer.push(AUDIO)
    producer.close()
    assert in_frames(list(consumer)) == EXPECTED
    thread.join(timeout=20)
    assert not thread.is_alive()


def test_an_error_while_recognising_ends_both_sides() -> None:
    class Broken(FakeEncoder):
        def encode(self, inputs):
            raise MemoryError("no room")

    recognizer = recognizer_of(Broken(), ScriptedDecoderJoint(SCRIPT, 3), FakePieces(TEXTS))
    engine, producer, consumer = StreamingParakeetTDT.new(ParakeetTDTModel(recognizer), CONTEXT)
    producer.push(AUDIO)
    with pytest.raises(MemoryError):
        engine.run()
    assert list(consumer) == []
    assert producer.push(AUDIO) == 0


def test_times_are_in_samples_of_the_pushed_rate() -> None:
    context = ContextConfig(0.8, 0.4, 0.24, sample_rate=48_000)
    model = ParakeetTDTModel(fake_recognizer([Cue(0, 0), Cue(0, 1)], TEXTS))
    engine, _, _ = StreamingParakeetTDT.new(model, context)
    engine.add_audio(np.zeros((48_000, 2), dtype=np.int16))
    first, *_ = engine.finalize()
    assert (first.timestamp, first.duration) == (0, 3840)
    assert engine.buffer_size == 0


def test_reset_starts_again_at_zero() -> None:
    engine, producer, consumer = new()
    producer.push(AUDIO[:20_000])
    engine.process_audio()
    engine.reset()
    assert engine.get_tokens() == []
    assert engine.buffer_size == 0
    drain(consumer)
    producer.push(AUDIO)
    producer.close()
    engine.process_audio()
    assert in_frames(drain(consumer)) == EXPECTED
    with pytest.raises(StreamClosedError):
        engine.reset()


def test_an_ended_stream_takes_no_audio() -> None:
    engine, _, _ = new()
    engine.finalize()
    with pytest.raises(StreamClosedError):
        engine.add_audio(AUDIO)


def test_debug_view_shows_buffer_context_and_tokens() -> None:
    engine, producer, _ = new()
    producer.push(AUDIO[:15_000])
    engine.process_audio()
    producer.push(AUDIO[15_000:15_100])
    view = engine.debug_view()
    assert view.context == CONTEXT
    assert view.ring_samples == 100
    assert view.decoded_samples % CONTEXT.samples.chunk == 0
    assert view.window_samples + view.decoded_samples == 15_000
    assert in_frames(list(view.tokens)) == EXPECTED[:2]
    assert "'one two'" in str(view)
    assert "0.4 s" in str(view)


def test_bad_samples_are_refused_whole() -> None:
    engine, producer, _ = new()
    with pytest.raises(AudioInputError):
        producer.push([0.0, float("nan")])
    with pytest.raises(AudioInputError):
        engine.add_audio(["a"])
    assert engine.buffer_size == 0


def test_impossible_choices_are_refused() -> None:
    with pytest.raises(OptionError):
        new(token_ring_slots=0)
    with pytest.raises(ContextError):
        new(ContextConfig(left=500.0, chunk=1.0, right=1.0))


def test_from_pretrained_loads_what_load_loads() -> None:
    model = ParakeetTDTModel.from_pretrained("tiny-en", ModelConfig(threads=1, provider="cpu"))
    assert model.recognizer.name == "tiny-en"
    with pytest.raises(OptionError):
        ParakeetTDTModel.from_pretrained("tiny-en", ModelConfig(precision="int7"))


def live_options(context: ContextConfig = CONTEXT) -> LiveOptions:
    return LiveOptions(DelayRange.fixed(context), vad=None, endpoint=None)


@pytest.mark.parametrize("slots", [1, 64])
def test_a_live_streams_tokens_come_out_of_a_ring_that_holds_nothing_up(slots):
    with LiveEngine(fake_recognizer(SCRIPT, TEXTS)) as engine:
        producer, consumer = live_tokens(engine, live_options(), token_ring_slots=slots)
        assert producer.push(AUDIO) == len(AUDIO)
        producer.finish()
        tokens = list(consumer)
        assert producer.get(60) is None
    assert [token.token_id for token in tokens] == [token for token, _, _ in EXPECTED]
    assert [token.timestamp for token in tokens] == [frame * 1280 for _, frame, _ in EXPECTED]
    assert consumer.ended


def test_a_live_consumer_that_is_closed_ends_its_stream():
    with LiveEngine(fake_recognizer(SCRIPT, TEXTS)) as engine:
        producer, consumer = live_tokens(engine, live_options())
        consumer.close()
        producer.push(AUDIO)
        producer.finish()
        with pytest.raises(StreamClosedError, match="consumer"):
            list(iter(lambda: producer.get(60), None))
    assert producer.stats().outcome == "failed"
    assert list(consumer) == []


def test_a_live_streams_tokens_count_samples_of_the_pushed_rate():
    context = ContextConfig(0.8, 0.4, 0.24, sample_rate=8_000)
    with LiveEngine(fake_recognizer(SCRIPT, TEXTS)) as engine:
        producer, consumer = live_tokens(engine, live_options(context))
        producer.push(AUDIO[::2])
        producer.finish()
        tokens = list(consumer)
    assert all(token.timestamp % 640 == 0 for token in tokens)


def test_finalize_behind_a_full_ring_loses_no_token() -> None:
    engine, producer, consumer = new(token_ring_slots=2)
    producer.push(AUDIO)
    engine.process_audio()
    assert len(engine.get_tokens()) > 2
    returned = engine.finalize()
    assert not consumer.ended
    assert in_frames([*drain(consumer), *returned]) == EXPECTED
    assert consumer.ended
    assert engine.ended


def test_finalize_decodes_all_that_a_producer_was_told_is_taken() -> None:
    engine, producer, _ = new()
    taken: list[int] = []

    class PushedMeanwhile:
        """An audio ring into which a producer pushes in the moment after it was read."""

        def __init__(self, ring: object) -> None:
            self.ring = ring

        def __getattr__(self, name: str) -> object:
            return getattr(self.ring, name)

        def read(self) -> object:
            samples = self.ring.read()  # type: ignore[attr-defined]
            taken.append(producer.push(AUDIO))
            return samples

    engine._audio = PushedMeanwhile(engine._audio)  # type: ignore[assignment]
    engine.finalize()
    assert taken == [0]


def test_reset_drops_the_tokens_in_the_ring() -> None:
    engine, producer, consumer = new()
    producer.push(AUDIO)
    engine.process_audio()
    assert engine.get_tokens()
    engine.reset()
    assert consumer.pop() is None
    producer.push(AUDIO)
    producer.close()
    engine.process_audio()
    assert in_frames(drain(consumer)) == EXPECTED


def test_reset_behind_a_full_ring_drops_what_waits_too() -> None:
    engine, producer, consumer = new(token_ring_slots=2)
    producer.push(AUDIO)
    engine.process_audio()
    engine.reset()
    assert not consumer.ended
    producer.push(AUDIO)
    producer.close()
    tokens: list[TokenResult] = []
    while not consumer.ended:
        engine.process_audio()
        tokens += drain(consumer)
    assert in_frames(tokens) == EXPECTED


def test_finalize_in_one_thread_ends_run_in_another() -> None:
    for slots in (2, 4096):
        engine, producer, consumer = new(token_ring_slots=slots)
        running = threading.Thread(target=engine.run)
        running.start()
        producer.push(AUDIO)
        while engine.buffer_size == len(AUDIO):
            pass
        returned = engine.finalize()
        tokens = list(consumer)
        running.join(60)
        assert not running.is_alive()
        assert in_frames([*tokens, *returned]) == EXPECTED


def test_threads_that_process_at_once_take_turns() -> None:
    for _ in range(5):
        engine, producer, consumer = new()
        threads = [threading.Thread(target=engine.run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for start in range(0, len(AUDIO), 800):
            producer.push(AUDIO[start : start + 800])
        producer.close()
        assert in_frames(list(consumer)) == EXPECTED
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def test_threads_that_push_and_pop_at_once_break_no_ring() -> None:
    engine, producer, consumer = new()
    pushed, popped = [0] * 4, [[], [], []]  # type: ignore[var-annotated]

    def push(number: int) -> None:
        for _ in range(300):
            pushed[number] += producer.push(AUDIO[:37])

    def pop(number: int) -> None:
        popped[number].extend(consumer)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=pop, args=(number,)) for number in range(3)]
    running = threading.Thread(target=engine.run)
    for thread in [*threads, *readers, running]:
        thread.start()
    for thread in threads:
        thread.join(60)
    producer.close()
    for thread in [*readers, running]:
        thread.join(60)
        assert not thread.is_alive()
    assert sum(pushed) == 4 * 300 * 37
    assert engine._stream.windowed.window.fed_samples == sum(pushed)
    assert sum(map(len, popped)) == len(engine.get_tokens())


@pytest.mark.parametrize(
    "choice",
    [
        *({"audio_ring_s": each} for each in (-1, 3_601, 1e9, 1e300, math.inf, math.nan, "30")),
        *({"token_ring_slots": each} for each in (0, -1, 10**7, 10**30, 2.5, "8", None)),
    ],
    ids=str,
)
def test_rings_that_no_memory_holds_are_refused(choice: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(choice))):
        new(**choice)


def test_a_context_beyond_the_model_is_refused_before_a_ring_is_made() -> None:
    with pytest.raises(ContextError, match="at most 400 s"):
        new(ContextConfig(3_600, 3_600, 3_600, sample_rate=384_000))


@pytest.mark.parametrize("slots", [0, 10**7, 1.5])
def test_a_live_token_ring_has_the_same_bounds(slots: int) -> None:
    with (
        LiveEngine(fake_recognizer([], TEXTS)) as engine,
        pytest.raises(OptionError, match="token_ring_slots"),
    ):
        live_tokens(engine, live_options(), token_ring_slots=slots)

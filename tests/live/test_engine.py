"""The engine with its thread: many threads push, read and go, and each stream gets its own."""

import asyncio
import gc
import sys
import threading
import weakref

import numpy as np
import pytest

from parakeet_streaming import (
    ContextConfig,
    EndpointOptions,
    LiveEngine,
    LiveOptions,
    RecognitionOptions,
    VadOptions,
    load,
    open_audio,
)
from parakeet_streaming.errors import (
    CapacityError,
    ContextError,
    EngineFailedError,
    OptionError,
    StreamClosedError,
    UsageError,
)
from parakeet_streaming.limits import MOST_SYMBOLS
from parakeet_streaming.results import Final, Partial, SpeechEnded, SpeechStarted
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    ScriptedVad,
    fake_recognizer,
    marked_audio,
    recognizer_of,
)
from tests.live.by_hand import CONTEXT, WORDS, finals_of, fixed, outcome_of, tokens_of
from tests.model.hashed import hashed_recognizer

WAIT_S = 120
SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]


def fake():
    return fake_recognizer(SCRIPT, WORDS)


def threads_of_engines():
    return [thread for thread in threading.enumerate() if thread.name == "parakeet-live"]


def read_all(stream):
    return list(iter(lambda: stream.get(WAIT_S), None))


def in_threads(*acts):
    errors = []

    def guarded(act):
        try:
            act()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert errors == []


def test_a_stream_from_beginning_to_end():
    with LiveEngine(fake()) as engine:
        stream = engine.open(fixed())
        audio = marked_audio(30)
        for start in range(0, len(audio), 1_000):
            stream.push(audio[start : start + 1_000])
        stream.finish()
        events = read_all(stream)
        assert events[-1].transcript.text == "one two three"
        assert engine.stats().active_streams == 0
        assert engine.metrics.tokens_total.total == 3
    assert threads_of_engines() == []


def test_speech_is_found_and_ends_utterances():
    vad = ScriptedVad([0.0] * 4 + [1.0] * 60)
    with LiveEngine(fake(), vad) as engine:
        stream = engine.open(fixed(vad=VadOptions(), endpoint=EndpointOptions()))
        stream.push(marked_audio(60))
        stream.finish()
        events = read_all(stream)
    assert [type(each) for each in events if not isinstance(each, Partial)] == [
        SpeechStarted,
        SpeechEnded,
        Final,
        Final,
    ]
    assert [each.reason for each in finals_of(events)] == ["silence", "end"]
    assert stream.stats().skipped > 0


def test_an_event_loop_reads_many_streams():
    async def read(stream):
        return [event async for event in stream]

    async def run(engine):
        streams = [engine.open(fixed()) for _ in range(5)]
        for stream in streams:
            stream.push(marked_audio(30))
            stream.finish()
        return await asyncio.wait_for(asyncio.gather(*map(read, streams)), WAIT_S)

    with LiveEngine(fake()) as engine:
        given = asyncio.run(run(engine))
    assert [finals_of(events)[-1].transcript.text for events in given] == ["one two three"] * 5


def test_leaving_the_block_drains_and_an_error_cancels():
    with LiveEngine(fake()) as engine:
        stream = engine.open(fixed())
        stream.push(marked_audio(30))
    assert outcome_of(stream) == "finished"
    assert tokens_of(read_all(stream))
    engine = LiveEngine(fake())
    stream = engine.open(fixed())
    engine.__exit__(KeyError, KeyError("the caller's own"), None)
    assert outcome_of(stream) == "cancelled"
    with pytest.raises(StreamClosedError):
        engine.open(fixed())
    engine.close()
    assert threads_of_engines() == []


def test_what_cannot_be_opened():
    recognizer = fake_recognizer(SCRIPT, WORDS, max_samples=160_000)
    with LiveEngine(recognizer, most_streams=1) as engine:
        with pytest.raises(OptionError, match="load_vad"):
            engine.open()
        with pytest.raises(ContextError, match="shorten"):
            engine.open(fixed(ContextConfig(20.0, 1.0, 1.0)))
        stream = engine.open(fixed())
        with pytest.raises(CapacityError):
            engine.open(fixed())
        assert engine.stats().active_streams <= 1
        stream.cancel()


def test_a_stream_takes_the_place_of_one_that_still_decodes():
    with LiveEngine(fake(), most_streams=1) as engine:
        first = engine.open(fixed())
        second = engine.open(fixed(), instead_of=first)
        with pytest.raises(CapacityError):
            engine.open(fixed())
        for stream in (first, second):
            stream.finish()
            assert list(stream)[-1].reason == "end"
        engine.open(fixed()).cancel()


@pytest.mark.interpreted
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_engine_that_is_well_says_so_and_one_that_failed_says_why():
    engine = LiveEngine(fake())
    assert engine.failure is None
    stream = engine.open(fixed())

    def broken(now_s):
        raise SystemError("a fault of ours")

    engine._loop.turn = broken
    stream.cancel()
    with pytest.raises(SystemError):
        read_all(stream)
    assert engine._worker.join(WAIT_S)
    assert isinstance(engine.failure, SystemError)
    with pytest.raises(EngineFailedError, match=r"a fault of ours.*make a new engine"):
        engine.open(fixed())
    engine.close()


def test_a_recording_and_live_streams_share_an_engine():
    recognizer = hashed_recognizer(blanks=0.3)
    audio = np.random.default_rng(5).standard_normal(400_000).astype(np.float32)
    context = ContextConfig(2.0, 1.6, 0.8)
    with LiveEngine(recognizer) as engine:
        live = engine.open(fixed())
        recording = engine.open(LiveOptions.recording(context), id="upload")

        def upload():
            at = 0
            while at < len(audio):
                count = recording.wait_for_room(16_000, WAIT_S)
                at += recording.push(audio[at : at + min(count, 16_000)])
            recording.finish()

        def speak():
            for start in range(0, 80_000, 1_600):
                live.push(audio[start : start + 1_600])
            live.finish()

        in_threads(upload, speak)
        events = read_all(recording)
        assert finals_of(read_all(live))
    alone = recognizer.stream(context)
    wanted = [*alone.feed(audio), *alone.finish()]
    assert tokens_of(events) == tokens_of(wanted)
    assert finals_of(events) == finals_of(wanted)
    assert tokens_of(events)


def test_a_recording_of_the_built_in_model_gives_exactly_a_streams_tokens():
    recognizer = load("tiny-en")
    context = ContextConfig(2.0, 1.0, 0.5, sample_rate=8_000)
    with open_audio("examples/recordings/phone.wav") as source:
        audio = np.concatenate(list(source.blocks()))[::2]
    with LiveEngine(recognizer) as engine:
        recording = engine.open(LiveOptions.recording(context))
        for start in range(0, len(audio), 4_000):
            recording.wait_for_room(4_000, WAIT_S)
            recording.push(audio[start : start + 4_000])
        recording.finish()
        events = read_all(recording)
    alone = recognizer.stream(context, tentative=False)
    assert events == [*alone.feed(audio), *alone.finish()]
    assert finals_of(events)[-1].transcript.text


def test_an_event_loop_waits_for_room():
    async def upload(stream, audio):
        at = 0
        while at < len(audio):
            count = await stream.wait_for_room_async(1_000)
            at += stream.push(audio[at : at + count])
        stream.finish()
        return [event async for event in stream]

    with LiveEngine(fake(), most_ring_s=0.1) as engine:
        stream = engine.open(fixed())
        events = asyncio.run(asyncio.wait_for(upload(stream, marked_audio(300)), WAIT_S))
    assert finals_of(events)[-1].transcript.text == "one two three"
    assert stream.stats().refused_samples == 0


def test_a_snapshot_from_any_thread_and_from_no_callback():
    with LiveEngine(fake()) as engine:
        errors, asked = [], threading.Event()

        def consume(_):
            try:
                other.snapshot()
            except UsageError as error:
                errors.append(error)
            asked.set()

        other = engine.open(fixed())
        stream = engine.open(fixed(), consume)
        stream.push(marked_audio(14))
        assert asked.wait(WAIT_S)
        assert "another thread" in str(errors[0])
        assert other.snapshot()
        other.cancel()
        read_all(other)
        with pytest.raises(StreamClosedError):
            other.snapshot()


def test_a_thousand_joins_take_as_many_calls_each():
    """The first of them, those to a full engine, and all between."""
    streams, refused, calls = [], 0, []

    def count(_frame, event, _of):
        calls[-1] += event in ("call", "c_call")

    with LiveEngine(fake(), most_streams=500) as engine:
        for _ in range(1_000):
            calls.append(0)
            sys.setprofile(count)
            try:
                streams.append(engine.open(fixed()))
            except CapacityError:
                refused += 1
            finally:
                sys.setprofile(None)
    assert (len(streams), refused) == (500, 500)
    few, many, full = (sorted(calls[at : at + 100])[50] for at in (10, 400, 900))
    assert many < 1.5 * few
    assert full < 1.5 * few


def test_closing_from_a_callback_does_not_wait_for_itself():
    engine, closed = LiveEngine(fake()), threading.Event()

    def consume(_):
        engine.close()
        closed.set()

    stream = engine.open(fixed(), consume)
    stream.push(marked_audio(30))
    assert closed.wait(WAIT_S)
    assert read_all(stream) == []
    engine.close()
    assert outcome_of(stream) == "finished"
    assert threads_of_engines() == []


def test_an_engine_that_is_dropped_stops():
    engine = LiveEngine(fake())
    stream = engine.open(fixed())
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    assert gone() is not None
    stream.push(marked_audio(30))
    stream.finish()
    assert read_all(stream)
    del stream
    gc.collect()
    assert gone() is None
    assert threads_of_engines() == []


def test_pushing_reading_and_asking_from_many_threads():
    """Streams in threads of their own, sliced at random; none disturbs another."""
    recognizer = hashed_recognizer(blanks=0.3)
    audio = [
        np.random.default_rng(number).standard_normal(40_000 + 777 * number).astype(np.float32)
        for number in range(6)
    ]
    received = [None] * 6
    with LiveEngine(recognizer) as engine:

        def speak(number, stream):
            generator, at = np.random.default_rng(100 + number), 0
            while at < len(audio[number]):
                count = int(generator.integers(1, 3_000))
                assert stream.push(audio[number][at : at + count]) == min(
                    count, len(audio[number]) - at
                )
                at += count
                assert stream.wait_for_room(1_000, WAIT_S) >= 1_000
                stream.stats()
                stream.transcript()
                engine.stats()
            stream.finish()

        def listen(number, stream):
            received[number] = read_all(stream)

        streams = [engine.open(fixed()) for _ in range(6)]
        in_threads(
            *(lambda n=n, s=s: speak(n, s) for n, s in enumerate(streams)),
            *(lambda n=n, s=s: listen(n, s) for n, s in enumerate(streams)),
        )
    for number, events in enumerate(received):
        alone = recognizer.stream(CONTEXT)
        alone.push(audio[number])
        alone.end(0.5)
        assert tokens_of(events) == alone.finish()[-1].transcript.tokens
        assert tokens_of(events)


def test_streams_that_come_and_go_while_others_speak():
    with LiveEngine(fake()) as engine:

        def visit(number):
            for turn in range(15):
                stream = engine.open(fixed())
                stream.push(marked_audio(14))
                if (number + turn) % 3 == 0:
                    stream.cancel()
                elif (number + turn) % 3 == 1:
                    stream.finish()
                    assert finals_of(read_all(stream))[-1].transcript.text == "one two"

        in_threads(*(lambda n=n: visit(n) for n in range(4)))
        gc.collect()
    assert threads_of_engines() == []
    totals = engine.metrics.streams_total.totals()
    assert sum(totals.values()) == 60
    assert totals["failed"] == 0
    assert totals["finished"] >= 20
    assert engine.metrics.active_streams.value == 0


def test_options_have_the_defaults_of_the_field():
    options = LiveOptions()
    assert options.delay.context == ContextConfig(5.0, 0.5, 0.5)
    assert options.vad == VadOptions()
    assert options.endpoint.min_silence_ms == 500


@pytest.mark.parametrize(
    "choice",
    [
        *({"most_streams": each} for each in (-1, 10**15, 2.5, "4", True)),
        *({"most_recordings": each} for each in (-1, 10**15, 2.5, None)),
        *({"most_ring_s": each} for each in (0, 3_601, 1e300, float("inf"), float("nan"), "1")),
    ],
    ids=str,
)
def test_numbers_that_make_no_sense(choice):
    before = threads_of_engines()
    with pytest.raises(OptionError, match=next(iter(choice))):
        LiveEngine(fake(), **choice)
    assert threads_of_engines() == before


@pytest.mark.parametrize("timeout_s", [1e300, float("inf"), float("nan")])
def test_no_call_waits_for_ever_by_a_number(timeout_s):
    with LiveEngine(fake()) as engine:
        stream = engine.open(fixed())
        for call in (stream.get, lambda wait_s: stream.wait_for_room(1, wait_s)):
            with pytest.raises(OptionError, match="timeout_s"):
                call(timeout_s)


def test_a_decoder_that_never_leaves_a_frame_is_moved_on_at_the_bound():
    """One stream hears what its decoder stays on; without a bound it would be computed for ever."""

    class Stuck(ScriptedDecoderJoint):
        def score(self, frames, output):
            logits, skips = super().score(frames, output)
            logits[frames[..., 0] == 9, 0] = 1_000.0
            skips[frames[..., 0] == 9] = np.eye(1, skips.shape[-1]) * 1_000.0
            return logits, skips

    joint = Stuck(SCRIPT, len(WORDS))
    options = RecognitionOptions(max_symbols=MOST_SYMBOLS)
    recognizer = recognizer_of(FakeEncoder(), joint, FakePieces(WORDS), options=options)
    with LiveEngine(recognizer) as engine:
        stuck, sound = engine.open(fixed()), engine.open(fixed())
        stuck.push(marked_audio(30))
        sound.push(marked_audio(8))
        for stream in (stuck, sound):
            stream.finish()
        assert read_all(stuck)
        assert read_all(sound)
        frames = [token.start_frame for token in stuck.transcript().tokens]
        assert frames.count(9) == MOST_SYMBOLS


def test_a_model_is_asked_for_room_before_a_stream_is_let_in():
    """By contexts, and by what is kept; recordings are streams, too."""
    recognizer, asked = fake(), []

    def places(kind, open_streams):
        asked.append((*kind, sum(open_streams.values())))
        return 2 - sum(open_streams.values())

    recognizer._transducer.places = places
    with LiveEngine(recognizer) as engine:
        first = engine.open(fixed())
        recording = engine.open(LiveOptions.recording(CONTEXT))
        with pytest.raises(CapacityError, match="memory of the model's device"):
            engine.open(fixed())
        assert engine.metrics.rejected_total.totals()["memory"] == 1
        assert asked == [(CONTEXT, False, 0), (CONTEXT, False, 1), (CONTEXT, False, 2)]
        first.cancel()
        read_all(first)
        second = engine.open(fixed())
        third = engine.open(fixed(), instead_of=second)
        assert len(asked) == 4
        for stream in (second, third, recording):
            stream.cancel()

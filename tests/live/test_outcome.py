"""What was decoded is counted, reported, and told to whoever must know."""

from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.outcome import StreamOutcome
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.results import Gap, Partial
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig

CONTEXT = ContextConfig(1.0, 0.48, 0.48)


def outcome_of(script):
    recognizer = fake_recognizer(script, ["one", "two"])
    stream = recognizer.open(StreamOptions(CONTEXT))
    writer = AudioQueueWriter(160_000, 160_000, lambda: 5.0, lambda: None)
    unreported, endpointer = [], Endpointer(EndpointOptions())
    speech = StreamSpeech(stream, unreported)
    outcome = StreamOutcome(stream, writer.reader, speech, endpointer, unreported, hears=False)
    return outcome, stream, recognizer, endpointer


def step(outcome, stream, recognizer):
    made = recognizer.prepare([stream])
    made.encode()
    made.decode()
    outcome.stepped()
    for event in made.commit()[0]:
        outcome.decoded(event, has_lookahead=True)
        outcome.report(event)


def test_a_step_is_counted_and_reported_once():
    outcome, stream, recognizer, endpointer = outcome_of([Cue(2, 0), Cue(8, 1)])
    stream.window.feed(marked_audio(13))
    step(outcome, stream, recognizer)
    counts = outcome.counts
    assert (counts.steps, counts.tokens, counts.utterances, counts.skipped) == (1, 1, 0, 0)
    assert outcome.decoded_samples == 6 * FRAME_SAMPLES
    (partial,) = outcome.events()
    assert (partial.text, partial.tentative_text) == ("one", " two")
    assert outcome.events() == []
    state = endpointer.state()
    assert (state.committed_to, state.decoded_to) == (6 * FRAME_SAMPLES, 12 * FRAME_SAMPLES)
    assert state.said.tokens == 1


def test_what_is_settled_needs_no_step():
    outcome, stream, recognizer, _ = outcome_of([Cue(2, 0), Cue(8, 1)])
    stream.window.feed(marked_audio(13))
    step(outcome, stream, recognizer)
    outcome.events()
    outcome.settle(stream.read_to)
    assert (outcome.counts.steps, outcome.counts.skipped, outcome.counts.tokens) == (1, 1, 2)
    assert [each.text for each in outcome.events()] == [" two"]
    assert outcome.decoded_samples == 12 * FRAME_SAMPLES


def test_a_quiet_chunk_is_reported_only_where_it_clears_what_was_tentative():
    outcome, stream, recognizer, _ = outcome_of([Cue(8, 1)])
    stream.window.feed(marked_audio(25))
    step(outcome, stream, recognizer)
    outcome.events()
    outcome.skip(0)
    assert [each.tentative for each in outcome.events()] == [()]
    outcome.skip(0)
    assert outcome.events() == []
    assert outcome.counts.skipped == 2


def test_gaps_before_what_was_decoded_are_forgotten():
    outcome, stream, recognizer, _ = outcome_of([])
    outcome._speech.gaps.begin(0, FRAME_SAMPLES, ())
    outcome.report(Gap(0.0, 0.08))
    stream.window.feed(marked_audio(60))
    while stream.window.next_span() is not None:
        step(outcome, stream, recognizer)
    assert not outcome._speech.gaps.any
    kinds = [type(each) for each in outcome.events()]
    assert kinds == [Gap, *[Partial] * outcome.counts.steps]

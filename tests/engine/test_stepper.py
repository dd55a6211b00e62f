"""The recognizer is the stepper of live streams, by signature and by use."""

from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.results import Final
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import ContextConfig
from tests.protocols import missing_from

CONTEXT = ContextConfig(0.4, 0.3, 0.2)


def test_a_recognizer_satisfies_the_protocol():
    assert missing_from(fake_recognizer([], ["one"]), Stepper) == set()


def run(stepper: Stepper, streams):
    """All steps of streams, in phases, as a live loop runs them."""
    events = [[] for _ in streams]
    while not all(stream.closed for stream in streams):
        step = stepper.prepare(streams)
        step.encode()
        step.decode()
        for place, given in enumerate(step.commit()):
            events[place] += given
    return events


def test_streams_are_opened_stepped_written_down_and_continued():
    recognizer = fake_recognizer([Cue(1, 0), Cue(9, 1)], ["one", "two"])
    stepper: Stepper = recognizer
    options = StreamOptions(CONTEXT)
    stepper.check_context(CONTEXT)
    stream, audio = stepper.open(options), marked_audio(20)
    stream.window.feed(audio[:10_000])
    while stream.ready:
        step = stepper.prepare([stream])
        step.encode()
        step.decode()
        step.commit()
    codec = stepper.snapshots
    continued = stepper.open(options, codec.decode(codec.encode(stream.state())))
    for each in (stream, continued):
        each.window.feed(audio[10_000:])
        each.end()
    ours, theirs = run(stepper, [continued, stream])
    assert ours == theirs
    assert isinstance(ours[-1], Final)
    whole = recognizer.stream(CONTEXT)
    whole.feed(audio)
    assert ours[-1] == whole.finish()[-1]
    assert ours[-1].transcript.text == "one two"

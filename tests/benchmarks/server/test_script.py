"""What a client says, and what must be heard of it."""

import asyncio

import numpy as np

from benchmarks.server.script import (
    Due,
    expected_from,
    expected_of,
    recordings_of,
    scripts_of,
    squeezed,
)
from parakeet_streaming import Final, LiveEngine, LiveOptions, Partial, load, load_vad
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.results import Transcript, Word
from parakeet_streaming.timeline import ContextConfig


def test_scripts_have_whole_packets_and_begin_at_different_places():
    recordings = recordings_of(None)
    one, other = scripts_of(recordings, 2, 1.0, 16_000, 0.4)
    assert one.packets == other.packets == 50
    assert one.commits == {20, 40, 50}
    assert (one.samples != other.samples).any()
    assert np.concatenate([one.packet(each) for each in range(50)]).tolist() == one.samples.tolist()


def test_a_script_at_another_rate_is_as_long():
    (script,) = scripts_of(recordings_of(None), 1, 1.0, 24_000, 0)
    assert (script.packets, script.packet_samples, script.commits) == (50, 480, {50})


def test_what_is_due_when():
    def partial(text, to_s):
        return Partial(text, (), "", (), to_s - 0.5, to_s)

    def final(text, end_s, reason):
        words = (Word(text, 0.2, end_s - 0.4, 1.0),)
        return Final(Transcript(text, (), words, (), end_s), 0, reason)

    found = expected_from(
        [partial(" one", 1.0), partial("", 1.5), partial(" two", 2.0),
         final("one two", 2.0, "silence"), partial(" six", 3.0), final("six", 3.0, "commit")],
        frozenset({150, 200}),
    )  # fmt: skip
    assert found.text == "onetwosix"
    assert found.texts == (Due(3, 1.0), Due(6, 2.0), Due(9, 3.0))
    assert found.silences == (Due(6, 1.6),)
    assert found.commits == (Due(9, 3.0),)


def test_an_engine_says_what_is_expected():
    options = LiveOptions(DelayRange.fixed(ContextConfig.parse("1-0.5-0.5")))
    (script,) = scripts_of(recordings_of(None), 1, 4.0, 16_000, 0)

    async def expected():
        async with LiveEngine(load("tiny-en"), load_vad(), most_streams=1) as engine:
            return await expected_of(engine, options, script)

    found = asyncio.run(expected())
    assert found.text.startswith(squeezed("three one four one five nine"))
    assert found.texts[-1].characters == len(found.text)
    assert found.commits == (Due(len(found.text), 4.0),)

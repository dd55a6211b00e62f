"""What is lost, doubled or changed is found, and how long it took to go on."""

from dataclasses import replace

from benchmarks.chaos.faults import Done, Fault
from benchmarks.chaos.judging import judged, lateness, quantiles, recoveries, resumed
from benchmarks.chaos.speakers import Speaker, Told
from parakeet_streaming.client import Final, Gap, Partial, Reconnecting, Resumed
from parakeet_streaming.results import Token, Word

WORDS = tuple(Word(text, at, at + 0.3, 0.9) for at, text in enumerate(("one", "two", "three")))


def told(words, extra=()):
    text = " ".join(word.text for word in words)
    final = Final(0, text, 0.0, 4.0, "silence", words)
    events = [Partial(0, text, "", 4.0, 4.0), *extra, final]
    return [Told(float(at), event) for at, event in enumerate(events)]


def test_equal_is_right():
    assert judged(told(WORDS), told(WORDS, [Resumed("exact")])).is_right


def test_what_differs_is_told():
    lost, doubled = judged(told(WORDS), told(WORDS[:2])), judged(told(WORDS[:2]), told(WORDS))
    assert (lost.lost, lost.doubled, doubled.lost, doubled.doubled) == (1, 0, 0, 1)
    other = (*WORDS[:2], replace(WORDS[2], confidence=0.8))
    verdict = judged(told(WORDS), told(other))
    assert (verdict.lost, verdict.doubled) == (0, 0)
    assert "words" in verdict.changed[0]
    assert judged(told(WORDS), told(WORDS, [Gap(1.0, 2.0)])).changed == [f"gaps: {[Gap(1.0, 2.0)]}"]
    early = [Told(9.0, Final(0, "one", 0.0, 1.0, "end")), *told(WORDS)]
    assert not judged(told(WORDS), early).is_right


def speaker(*events):
    made = Speaker(None, 16_000, {}, begun_s=100.0)
    made.told = [Told(at_s, event) for at_s, event in events]
    return made


def text(at_s):
    token = Token(1, " one", 12, 2, 1.0, 1.2, 0.9)
    return Partial(0, " one", "", at_s, at_s, (token,))


def test_the_time_from_a_loss_to_the_next_text():
    done = [
        Done(110.0, Fault(10.0, "kill", 0.0), None), Done(111.0, Fault(11.0, "cut", 0.0), 1),
        Done(120.0, Fault(20.0, "disk", 0.0), None), Done(130.0, Fault(30.0, "hang", 0.0), 0),
    ]  # fmt: skip
    made = speaker(
        (110.2, Reconnecting("x")), (112.0, Resumed("exact")), (112.5, text(1.0)),
        (138.5, Reconnecting("x")), (139.0, Resumed("exact")), (139.5, text(2.0)),
    )  # fmt: skip
    assert recoveries(made, 0, done) == [2.5, 9.5]
    assert [round(each, 3) for each in lateness(made)] == [11.3, 38.3]
    assert resumed([made, speaker((1.0, Resumed("anew", "expired")))]) == {
        "exact": 2, "anew (expired)": 1,
    }  # fmt: skip


def test_nothing_has_no_quantiles():
    assert quantiles([]).p50 is None
    assert quantiles([1.0, 3.0]).p50 == 2.0

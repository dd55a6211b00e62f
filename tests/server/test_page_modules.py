"""Modules of the page that only calculate, run in Chromium, beside what the package gives."""

import random

import pytest
from playwright.sync_api import sync_playwright

from parakeet_streaming.formats import to_srt, to_txt, to_vtt
from parakeet_streaming.results import Segment, Transcript, Word
from parakeet_streaming.server.protocols.openai_realtime_events import Conversation, ItemTelling
from parakeet_streaming.server.protocols.openai_realtime_settings import Settings
from parakeet_streaming.server.replies import SessionTimeError
from parakeet_streaming.server.session_events import Ended, Heard, Started, Stopped
from tests.server.browser import chromium, launch
from tests.server.processes import Served

chromium()


@pytest.fixture(scope="module")
def run():
    """Runs a function of these modules on a value."""
    with sync_playwright() as playwright, Served() as server:
        browser = launch(playwright)
        page = browser.new_page()
        page.goto(server.url)

        def run(body, value=None):
            modules = ("transcript", "formats", "delays", "realtime_events")
            imports = "".join(
                f"const {each} = await import('/page/{each}.js');" for each in modules
            )
            return page.evaluate(f"async (value) => {{ {imports} {body} }}", value)

        yield run
        browser.close()


def a_transcript(seeded):
    at, segments = 0.0, []
    for _ in range(seeded.randint(0, 8)):
        words = []
        at += seeded.choice([0.0, 0.2, 3.0])
        for _ in range(seeded.randint(1, 30)):
            at = round(at + seeded.choice([0.0, 0.08, 0.4, 1.2]), 3)
            end = round(at + seeded.choice([0.08, 0.4, 0.8]), 3)
            letters = [seeded.choice("abcdé&<;{\\") for _ in range(seeded.randint(1, 50))]
            words.append(Word("".join(letters), at, end, 0.5))
            at = end
        text = " ".join(word.text for word in words)
        segments.append(Segment(text, words[0].start, words[-1].end, tuple(words)))
    return Transcript(
        text=" ".join(each.text for each in segments),
        tokens=(),
        words=tuple(word for segment in segments for word in segment.words),
        segments=tuple(segments),
        audio_s=at + 0.2,
    )


def as_utterances(transcript):
    return [
        {
            "text": segment.text,
            "start": segment.start,
            "end": segment.end,
            "words": [
                {"text": word.text, "start": word.start, "end": word.end} for word in segment.words
            ],
        }
        for segment in transcript.segments
    ]


def test_text_and_subtitles_are_those_of_the_package(run):
    seeded = random.Random(1)
    body = """
        const made = ["txt", "srt", "vtt"].map((name) => formats.rendered(value, name, null));
        return Promise.all(made.map(async (each) => (await each).text()));"""
    for _ in range(60):
        transcript = a_transcript(seeded)
        value = {"utterances": as_utterances(transcript), "audioS": transcript.audio_s}
        wanted = [to_txt(transcript), to_srt(transcript), to_vtt(transcript)]
        assert run(body, value) == wanted


def test_why_there_are_no_subtitles_is_told(run):
    body = "return formats.rendered(value, 'srt', null).then(() => null, (error) => error);"
    error = run(body, {"utterances": [{"text": 5, "words": []}], "audioS": 9})
    assert error["message"] == "utterances[0].text is 5; use a text"


def test_events_become_utterances(run):
    events = [
        {"type": "ready", "model": "m", "context": {}, "latency_s": 1},
        {"type": "speech_started", "utterance": 0, "at": 0.5},
        {"type": "partial", "text": "one", "tentative": " two"},
        {"type": "partial", "text": " three", "tentative": ""},
        {"type": "what is not known"},
        {"type": "final", "text": "one three", "start": 0, "end": 4, "words": [
            {"text": "one", "start": 1, "end": 2}, {"text": "three", "start": 2, "end": 3}]},
        {"type": "final", "text": "", "start": 4, "end": 5, "words": []},
        {"type": "gap", "start": 65, "end": 67.5},
        {"type": "context_changed", "at": 70, "latency_s": 2},
        {"type": "hint", "message": "It is loud."},
        {"type": "partial", "text": "cut", "tentative": " off"},
    ]  # fmt: skip
    body = """
        const made = new transcript.Transcript({ source: "s", started: new Date(0) });
        const shown = [];
        for (const event of value) {
            made.take(event);
            shown.push(`${made.committed}|${made.tentative}`);
        }
        made.cutOff();
        const { utterances, remarks, isEmpty } = made;
        return { shown, utterances, remarks, isEmpty, told: JSON.parse(formats.json(made)) };"""
    made = run(body, events)
    assert made["shown"][2:6] == ["one| two", "one three|", "one three|", "|"]
    texts = [(each["text"], each["start"], each["end"]) for each in made["utterances"]]
    assert texts == [("one three", 1, 3), ("cut", 3, 5)]
    assert made["remarks"] == [
        "2.5 s of sound at 1:05 were lost.",
        "From 1:10 on the delay is 2 s: the server is busy.",
        "It is loud.",
    ]
    assert not made["isEmpty"]
    assert made["told"]["text"] == "one three cut"
    assert made["told"]["started"] == "1970-01-01T00:00:00.000Z"


def test_events_of_a_call_become_those_of_a_stream(run):
    conversation = Conversation("x")
    telling = ItemTelling(conversation, Settings("m"))

    def heard(text):
        return Heard(0, text, (), "", (), 2.0, 2.0)

    words = (Word("one", 1.0, 1.2, 0.9), Word("two", 1.4, 1.8, 0.8))
    told = [
        Started(0, 1.0), heard("one"), heard(" two"), Stopped(0, 2.0),
        Ended(0, "one two", words, (), 0.8, 2.5, "silence"),
        Started(1, 4.0), Ended(1, "", (), (), 4.0, 5.0, "silence"),
    ]  # fmt: skip
    messages = [
        conversation.session("created", Settings("m")),
        *(message for event in told for message in telling.tell(event)),
        *telling.failed(SessionTimeError("too long")),
        conversation.error(SessionTimeError("too long")),
    ]
    body = """
        const events = new realtime_events.RealtimeEvents(0.96);
        const read = value.map((each) => events.read(JSON.parse(each)));
        return read.filter((each) => each !== null);"""
    ready, *partials, final, silent, error = run(body, messages)
    assert ready == {"type": "ready", "model": "m", "context": None, "latency_s": 0.96}
    assert partials == [
        {"type": "partial", "text": text, "tentative": ""} for text in ("one", " two")
    ]
    assert (final["type"], final["text"]) == ("final", "one two")
    assert final["words"] == [
        {"text": "one", "start": 1.0, "end": 1.2, "confidence": 0.9},
        {"text": "two", "start": 1.4, "end": 1.8, "confidence": 0.8},
    ]
    assert (final["start"], final["end"]) == (0.7, 2.5)
    assert (silent["text"], silent["words"]) == ("", [])
    assert error == {"type": "error", "code": "timeout", "message": "too long"}


def test_words_of_a_file_go_to_their_segments(run):
    words = [{"word": word, "start": at, "end": at + 1} for at, word in enumerate("abcd")]
    answer = {
        "duration": 4,
        "words": words,
        "segments": [
            {"text": "a b", "start": 0, "end": 2},
            {"text": "c d", "start": 2, "end": 4},
        ],
    }
    body = """
        const made = new transcript.Transcript({ source: "s", started: new Date(0) });
        made.takeFile(value);
        return made.utterances.map(({ words }) => words.map(({ text }) => text).join(""));"""
    assert run(body, answer) == ["ab", "cd"]


def test_delays_count_from_the_end_of_a_word(run):
    body = """
        const made = new delays.Delays();
        const before = made.medians;
        // Sound is heard 100 ms after it ends; one piece is late.
        made.heard(1, 1100);
        made.heard(2, 2900);
        made.shown("", "one", 1500);
        made.shown("", "one tow", 2400);
        made.shown("one", " two", 2600);
        made.shown("one two", "", 3000);
        made.ended([{ text: "one", end: 1 }, { text: "two", end: 2 }], 3100);
        return [before, made.medians];"""
    before, medians = run(body)
    assert before == {"seenS": None, "settledS": None}
    # "one": seen 0.4 s after it, final 1.5 s; "two": 0.5 s and 0.9 s.
    assert medians["seenS"] == pytest.approx(0.5, abs=0.002)
    assert medians["settledS"] == pytest.approx(1.5, abs=0.002)

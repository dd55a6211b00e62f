"""The order in which OpenAI's Realtime clients may be told things, checked event by event."""

import json

BUFFER = "input_audio_buffer"
TRANSCRIPTION = "conversation.item.input_audio_transcription"


class Order:
    """`speech_started`? `delta`* `speech_stopped`? `committed` `item.added` `completed` `done`.

    Answers (`session.*`, `error`) may stand anywhere; `cleared` forgets the open item.
    """

    def __init__(self):
        self.item = self.last = None
        self.seen = set()
        self.ids = set()
        self.started_ms = self.stopped_ms = 0
        self.items = []
        """Id, transcript, words and times of each."""
        self.answers = []
        self.failed = []
        self._begin_anew()

    def take(self, message):
        event = json.loads(message)
        assert event["event_id"] not in self.ids
        self.ids.add(event["event_id"])
        kind = event["type"]
        if kind == "error" or "session." in kind:
            self.answers.append(event)
        elif kind == f"{BUFFER}.cleared":
            assert self.state in ("none", "open")
            self.answers.append(event)
            self._begin_anew()
        else:
            name = kind.removeprefix(f"{BUFFER}.").removeprefix(f"{TRANSCRIPTION}.")
            getattr(self, "_" + name.replace("conversation.item.", "item_"))(event)

    def _begin_anew(self):
        self.item, self.state, self.started, self.text = None, "none", None, ""
        self.stopped = None

    def _opened(self, event):
        assert event["item_id"] not in self.seen
        self.seen.add(event["item_id"])
        self.item, self.state = event["item_id"], "open"

    def _speech_started(self, event):
        assert self.state == "none"
        self._opened(event)
        self.started = event["audio_start_ms"]
        assert self.started >= 0

    def _delta(self, event):
        if self.state == "none":
            self._opened(event)
        assert (self.state, event["item_id"]) == ("open", self.item)
        assert event["delta"]
        assert event["content_index"] == 0
        if "logprobs" in event:
            assert "".join(each["token"] for each in event["logprobs"]) == event["delta"]
        self.text += event["delta"]

    def _speech_stopped(self, event):
        assert (self.state, event["item_id"]) == ("open", self.item)
        assert self.started is not None
        self.stopped = event["audio_end_ms"]
        assert self.stopped >= self.started
        self.state = "stopped"

    def _timeout_triggered(self, event):
        assert self.state == "none"
        assert 0 <= event["audio_start_ms"] < event["audio_end_ms"]
        self._opened(event)

    def _committed(self, event):
        if self.state == "none":
            self._opened(event)
        assert self.state == ("open" if self.started is None else "stopped")
        assert event["item_id"] == self.item
        assert event["previous_item_id"] == self.last
        self.state = "committed"

    def _item_added(self, event):
        assert (self.state, event["item"]["id"]) == ("committed", self.item)
        assert event["previous_item_id"] == self.last
        self.state = "added"

    _item_created = _item_added

    def _completed(self, event):
        assert (self.state, event["item_id"]) == ("added", self.item)
        assert event["transcript"] == self.text
        assert " ".join(word["word"] for word in event["words"]) == self.text
        assert event["usage"]["type"] == "duration"
        assert event["usage"]["seconds"] >= 0
        words = [(word["word"], word["start"], word["end"]) for word in event["words"]]
        self.items.append((self.text, words, self.started, self.stopped))
        self.last = self.item
        self._begin_anew()

    def _item_done(self, event):
        assert self.state == "none"
        assert event["item"]["id"] == self.last
        assert event["item"]["content"][0]["transcript"] == self.items[-1][0]

    def _failed(self, event):
        assert event["item_id"] == self.item
        self.failed.append(event)
        self._begin_anew()

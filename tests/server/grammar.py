"""The order in which a session may tell things, checked event by event."""

from parakeet_streaming.server.session_events import Ended, Heard, Marked, Started, Stopped


class Grammar:
    """One utterance after the other: `Started`? `Heard`* `Stopped`? `Ended`; their texts join."""

    def __init__(self):
        self.number = -1
        self.text = ""
        self.tokens = ()
        self.state = "between"
        self.started = False
        self.ended = []
        self.marked = []

    def take(self, event):
        match event:
            case Started():
                assert self.state == "between"
                self._begin(event)
                self.started = True
            case Heard():
                if self.state == "between":
                    if not event.text:
                        return
                    self._begin(event)
                assert self.state == "open"
                assert event.utterance == self.number
                self.text += event.text
                self.tokens += event.tokens
            case Stopped():
                assert (self.state, self.started, event.utterance) == ("open", True, self.number)
                self.state = "stopped"
            case Ended():
                if self.state == "between":
                    self._begin(event)
                assert self.state == ("stopped" if self.started else "open")
                assert event.utterance == self.number
                assert event.text == self.text
                assert event.tokens == self.tokens
                assert " ".join(word.text for word in event.words) == event.text
                assert event.start_s <= event.end_s
                self.ended.append(event)
                self.state = "between"
            case Marked():
                self.marked.append(event.marker)

    def _begin(self, event):
        assert event.utterance > self.number
        self.number, self.text, self.tokens = event.utterance, "", ()
        self.started, self.state = False, "open"

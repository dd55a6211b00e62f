"""Events in; what was said so far, out. It stays, whatever becomes of the connection."""

from __future__ import annotations

from parakeet_streaming.client.events import Cleared, Event, Final, Partial


class Heard:
    """What a stream has told so far."""

    def __init__(self) -> None:
        self.utterances: list[Final] = []
        """Those that have ended, in the order of their ends."""
        self._open: dict[int, str] = {}
        """Committed text of the present utterance, by channel."""

    @property
    def text(self) -> str:
        """All committed text."""
        texts = [each.text for each in self.utterances]
        texts += self._open.values()
        return " ".join(text for text in texts if text)

    def take(self, event: Event) -> None:
        """One event more."""
        match event:
            case Partial():
                self._open[event.channel] = self._open.get(event.channel, "") + event.text
            case Final():
                self._open.pop(event.channel, None)
                self.utterances.append(event)
            case Cleared():
                self._open.pop(event.channel, None)

"""What a session tells in; the events of an OpenAI Realtime client, out, as JSON texts.

Rules of this file:

1. An item is told as `speech_started` (where the server detects turns), any number of `delta`,
   `speech_stopped`, `committed`, `item.added`, `completed`; never mixed with another item. An item
   that was cleared has no end; a client that commits may get one without text.
2. The deltas of an item, joined, are its transcript: committed text only.
3. OpenAI's clients take an unknown type for some other event, so there are no types of ours; what
   we add are fields: `words` of `completed`.
4. Nothing is null that a client may take for an object, but for `previous_item_id` of the first.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal

from parakeet_streaming.results import Token, Word
from parakeet_streaming.server.protocols.openai_realtime_settings import Settings
from parakeet_streaming.server.replies import answer_to
from parakeet_streaming.server.session_events import (
    Cleared,
    Ended,
    Heard,
    SessionEvent,
    Started,
    Stopped,
)

_BUFFER: Final = "input_audio_buffer"
_TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"
_LEAST_CONFIDENCE: Final = 1e-9
"""So that its logarithm is a number."""


class Conversation:
    """Ids and the dialect, which last as long as the client stays."""

    def __init__(self, name: str, *, older: bool = False) -> None:
        """Begins one.

        Args:
            name: what its ids begin with; another one for each client.
            older: whether the client uses the names of before.
        """
        self.session_id: Final = f"sess_{name}"
        self.older = older
        self.last_item: str | None = None
        self._name = name
        self._events = self._items = 0

    def event(self, kind: str, **fields: object) -> str:
        """An event as a message."""
        self._events += 1
        return as_json({"type": kind, "event_id": f"event_{self._name}_{self._events}", **fields})

    def new_item(self) -> str:
        """The id of another item."""
        self._items += 1
        return f"item_{self._name}_{self._items}"

    def session(self, kind: Literal["created", "updated"], settings: Settings) -> str:
        """Tells the session."""
        told = settings.told_before if self.older else settings.told
        name = "transcription_session" if self.older else "session"
        return self.event(f"{name}.{kind}", session=told(self.session_id))

    def error(self, error: BaseException, event_id: str | None = None) -> str:
        """Tells of a mistake, or of what ends the session; `event_id` is the client's."""
        return self.event("error", error=_error(error) | {"event_id": event_id})


class ItemTelling:
    """Tells the items of one stream."""

    def __init__(
        self, conversation: Conversation, settings: Settings, begins_s: float = 0.0
    ) -> None:
        """Begins with a stream.

        Args:
            conversation: which it is part of.
            settings: what holds for its items; what does not change the stream may change.
            begins_s: seconds of audio of the conversation before it.
        """
        self.settings = settings
        self._conversation = conversation
        self.begins_s = begins_s
        self._item: str | None = None
        """The id of the item of which something was told, and which has not ended."""
        self._stopped_s: float | None = None
        self._ended_s = 0.0
        self._asked: deque[Literal["client", "idle"]] = deque()

    def asked(self, who: Literal["client", "idle"]) -> None:
        """A commit was asked for, by the client or because nobody spoke for long."""
        self._asked.append(who)

    def is_idle(self, decoded_s: float) -> bool:
        """Whether there was no speech for so long that the client wants to know.

        Args:
            decoded_s: seconds of the stream that are decoded, and all of them told.
        """
        turns = self.settings.turns
        if turns is None or turns.idle_s is None or self._item is not None or self._asked:
            return False
        return decoded_s - self._ended_s >= turns.idle_s

    def tell(self, event: SessionEvent) -> list[str]:
        """The messages for an event of the session; often none."""
        match event:
            case Started():
                return self._begin(event.at_s) if self.settings.turns is not None else []
            case Heard() if event.text:
                at_s = event.tokens[0].start if event.tokens else event.committed_s
                return [*self._begin(at_s), self._delta(event)]
            case Stopped():
                self._stopped_s = event.at_s
            case Ended():
                return self._end(event)
            case Cleared():
                self._item = self._stopped_s = None
                return [self._conversation.event(f"{_BUFFER}.cleared")]
            case _:
                pass
        return []

    def failed(self, error: BaseException) -> list[str]:
        """Tells that the present item will have no text, if there is one."""
        if self._item is None:
            return []
        item, self._item = self._item, None
        fields = {"item_id": item, "content_index": 0, "error": _error(error)}
        return [self._conversation.event(f"{_TRANSCRIPTION}.failed", **fields)]

    def _begin(self, at_s: float) -> list[str]:
        """Begins the item, unless it has begun."""
        if self._item is not None:
            return []
        self._item = self._conversation.new_item()
        turns = self.settings.turns
        if turns is None:
            return []
        padded_s = max(at_s - turns.prefix_padding_ms / 1000, self._ended_s)
        return [
            self._conversation.event(
                f"{_BUFFER}.speech_started",
                item_id=self._item,
                audio_start_ms=self._ms(min(at_s, padded_s)),
            )
        ]

    def _delta(self, heard: Heard) -> str:
        fields: dict[str, object] = {}
        if self.settings.wants_logprobs:
            fields["logprobs"] = _logprobs(heard.tokens, heard.text)
        return self._conversation.event(
            f"{_TRANSCRIPTION}.delta",
            item_id=self._item,
            content_index=0,
            delta=heard.text,
            **fields,
        )

    def _end(self, ended: Ended) -> list[str]:
        by_commit = ended.reason == "commit"
        asked_by = self._asked.popleft() if by_commit and self._asked else "client"
        events: list[str] = []
        if self._item is None:
            if not by_commit and not ended.text:
                self._ended_s = ended.end_s
                return []
            # Nothing was heard: no speech is told, but for the silence itself.
            self._item = self._conversation.new_item()
            if asked_by == "idle":
                events.append(self._idle(self._item, ended))
        elif self.settings.turns is not None:
            events.append(self._speech_stopped(self._item, ended))
        events += self._committed(self._item, ended)
        self._conversation.last_item = self._item
        self._item = self._stopped_s = None
        self._ended_s = ended.end_s
        return events

    def _idle(self, item: str, ended: Ended) -> str:
        return self._conversation.event(
            f"{_BUFFER}.timeout_triggered",
            item_id=item,
            audio_start_ms=self._ms(self._ended_s),
            audio_end_ms=self._ms(ended.end_s),
        )

    def _speech_stopped(self, item: str, ended: Ended) -> str:
        silence_s = 0.0 if self.settings.turns is None else self.settings.turns.silence_ms / 1000
        at_s = ended.end_s if self._stopped_s is None else self._stopped_s
        end_s = at_s + silence_s
        if ended.reason != "silence":
            end_s = max(at_s, min(end_s, ended.end_s))
        return self._conversation.event(
            f"{_BUFFER}.speech_stopped", item_id=item, audio_end_ms=self._ms(end_s)
        )

    def _committed(self, item: str, ended: Ended) -> list[str]:
        make, before = self._conversation.event, self._conversation.last_item
        older = self._conversation.older
        names = {"previous_item_id": before}
        events = [
            make(f"{_BUFFER}.committed", **names, item_id=item),
            make(f"conversation.item.{'created' if older else 'added'}", **names, item=_item(item)),
            self._completed(item, ended),
        ]
        if not older:
            events.append(make("conversation.item.done", **names, item=_item(item, ended.text)))
        return events

    def _completed(self, item: str, ended: Ended) -> str:
        fields: dict[str, object] = {}
        if self.settings.wants_logprobs:
            fields["logprobs"] = _logprobs(ended.tokens, ended.text)
        seconds = round(max(0.0, ended.end_s - ended.start_s), 3)
        return self._conversation.event(
            f"{_TRANSCRIPTION}.completed",
            item_id=item,
            content_index=0,
            transcript=ended.text,
            usage={"type": "duration", "seconds": seconds},
            words=[self._word(word) for word in ended.words],
            **fields,
        )

    def _word(self, word: Word) -> dict[str, object]:
        return {
            "word": word.text,
            "start": round(self.begins_s + word.start, 3),
            "end": round(self.begins_s + word.end, 3),
            "confidence": round(word.confidence, 4),
        }

    def _ms(self, at_s: float) -> int:
        return round((self.begins_s + at_s) * 1000)


def as_json(value: object) -> str:
    """JSON that can be sent: what is no character, such as half of a pair, stays escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def _item(item: str, transcript: str | None = None) -> dict[str, object]:
    content = {"type": "input_audio"}
    if transcript is not None:
        content["transcript"] = transcript
    return {
        "id": item,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [content],
    }


def _logprobs(tokens: Sequence[Token], text: str) -> list[dict[str, object]]:
    """Of each token; their texts, joined, are `text`, so the first may lack its space."""
    pieces = [token.text for token in tokens]
    if pieces and not text.startswith(pieces[0]):
        pieces[0] = pieces[0].lstrip()
    return [
        {
            "token": piece,
            "logprob": round(math.log(max(token.confidence, _LEAST_CONFIDENCE)), 6),
            "bytes": list(piece.encode(errors="replace")),
        }
        for piece, token in zip(pieces, tokens, strict=True)
    ]


def _error(error: BaseException) -> dict[str, object]:
    answer = answer_to(error)
    return {
        "type": answer.kind,
        "code": answer.code,
        "message": answer.message,
        "param": answer.field,
    }

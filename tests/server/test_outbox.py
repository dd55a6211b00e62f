"""What a client does not read is joined, and nothing that matters is dropped."""

from parakeet_streaming.server.outbox import Outbox
from parakeet_streaming.server.session import Session
from parakeet_streaming.server.session_events import Ended, Heard, Kept, Started, Stopped


def heard(text, tentative="", utterance=0, to=1.0):
    return Heard(utterance, text, (), tentative, (), to, to + 0.5)


def ended(utterance):
    return Ended(utterance, "", (), (), 0.0, 1.0, "silence")


def taken(outbox):
    events = []
    while (event := outbox.take()) is not None:
        events.append(event)
    return events


def test_texts_of_an_utterance_are_joined():
    outbox = Outbox()
    outbox.add([heard("a", "b"), heard(" b", "c", to=2.0)])
    assert taken(outbox) == [heard("a b", "c", to=2.0)]


def test_what_was_taken_is_not_joined():
    outbox = Outbox()
    outbox.add([heard("a")])
    assert taken(outbox) == [heard("a")]
    outbox.add([heard(" b")])
    assert taken(outbox) == [heard(" b")]


def test_all_else_stays_in_order():
    outbox = Outbox()
    events = [Started(0, 0.1), heard("a"), Stopped(0, 0.5), ended(0), heard("b", utterance=1)]
    outbox.add(events)
    assert len(outbox) == 5
    assert taken(outbox) == events


def test_texts_of_two_utterances_stay_apart():
    outbox = Outbox()
    outbox.add([heard("a"), heard("b", utterance=1)])
    assert len(taken(outbox)) == 2


def test_a_reader_that_stays_away_is_noticed():
    outbox = Outbox(3)
    outbox.add([heard(str(at)) for at in range(1_000)])
    assert not outbox.is_full
    outbox.add([ended(at) for at in range(3)])
    assert outbox.is_full


def kept(position):
    state = Session(silence_s=0.5, most_utterance_s=20.0).state()
    return Kept(position, state, bytes)


def test_of_two_places_to_go_on_from_the_later_one_counts():
    outbox = Outbox()
    outbox.add([heard("a"), kept(1), heard(" b"), ended(0), kept(2)])
    assert taken(outbox) == [heard("a b"), ended(0), kept(2)]

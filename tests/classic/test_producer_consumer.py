"""Samples of one thread, tokens for another: what each end takes, gives and signals."""

import gc
import threading

import numpy as np
import pytest

from parakeet_streaming import (
    AudioInputError,
    AudioProducer,
    Final,
    Gap,
    Partial,
    StreamClosedError,
    Token,
    TokenConsumer,
    TokenResult,
    Transcript,
)
from parakeet_streaming.audio.ring import sample_ring, value_ring
from parakeet_streaming.classic.producer_consumer import (
    TokenDelivery,
    token_result,
    token_results,
)

END = Final(Transcript("", (), (), (), 1.0), 0, "end")


def token(number, start_frame=3, duration_frames=2):
    return Token(number, f" {number}", start_frame, duration_frames, 0.24, 0.4, 0.9)


def partial(*numbers):
    return Partial("", tuple(token(number) for number in numbers), "", (), 0.4, 0.8)


def consuming(slots):
    """The writer of a token ring, its consumer, and the two events between them."""
    writer, reader = value_ring(slots)
    recognised, room = threading.Event(), threading.Event()
    return writer, TokenConsumer(reader, recognised, room), recognised, room


def test_a_producer_gives_its_samples_and_says_that_they_arrived():
    writer, reader = sample_ring(4)
    arrived = threading.Event()
    producer = AudioProducer(writer, arrived)
    assert producer.push(np.array([1000, -1000], np.int16)) == 2
    assert arrived.is_set()
    assert producer.push([0.5, 0.25, 0.125]) == 2
    assert producer.refused_samples == 1
    assert reader.read().tolist() == [1000 / 32768, -1000 / 32768, 0.5, 0.25]


def test_a_producer_refuses_bad_samples_whole():
    writer, reader = sample_ring(4)
    arrived = threading.Event()
    producer = AudioProducer(writer, arrived)
    with pytest.raises(AudioInputError):
        producer.push([0.5, float("nan")])
    assert not arrived.is_set()
    assert reader.occupancy == 0


@pytest.mark.parametrize("how", ["close", "with", "drop"])
def test_a_producer_that_goes_ends_the_stream(how):
    writer, reader = sample_ring(4)
    arrived = threading.Event()
    producer = AudioProducer(writer, arrived)
    del writer
    producer.push([0.5])
    arrived.clear()
    if how == "close":
        producer.close()
    elif how == "with":
        with producer:
            pass
    else:
        del producer
        gc.collect()
    assert reader.closed
    assert arrived.is_set()
    assert reader.read().tolist() == [0.5]


def test_a_token_in_samples_of_the_pushed_rate():
    assert token_result(token(7), 16_000) == TokenResult(7, " 7", 3_840, 2_560, 0.9)
    assert token_result(token(7), 8_000) == TokenResult(7, " 7", 1_920, 1_280, 0.9)


def test_only_partials_commit_tokens():
    assert [each.token_id for each in token_results(partial(1, 2), 16_000)] == [1, 2]
    assert token_results(END, 16_000) == token_results(Gap(0.0, 1.0), 16_000) == []


def test_a_consumer_gives_tokens_in_order_and_signals_room():
    writer, consumer, _, room = consuming(2)
    assert consumer.pop() is None
    assert not room.is_set()
    writer.write(token_result(token(1), 16_000))
    assert consumer.pop().token_id == 1
    assert room.is_set()
    assert not consumer.ended
    writer.close()
    assert consumer.ended
    assert list(consumer) == []


def test_iterating_a_consumer_waits_for_tokens_and_ends_with_the_stream():
    writer, consumer, recognised, _ = consuming(4)
    found = []
    thread = threading.Thread(target=lambda: found.extend(each.token_id for each in consumer))
    thread.start()
    for number in range(4):
        writer.write(token_result(token(number), 16_000))
        recognised.set()
    writer.close()
    recognised.set()
    thread.join(60)
    assert found == [0, 1, 2, 3]


def test_a_consumer_that_is_closed_wakes_the_engine():
    writer, consumer, recognised, room = consuming(2)
    with consumer:
        pass
    assert writer.closed
    assert recognised.is_set()
    assert room.is_set()


def test_a_delivery_keeps_tokens_until_there_is_room_and_closes_after_the_last():
    writer, consumer, recognised, _ = consuming(2)
    delivery = TokenDelivery(writer, recognised, 16_000)
    delivery.take(partial(1, 2, 3))
    delivery.take(END)
    assert not writer.closed
    assert consumer.pop().token_id == 1
    delivery.set()
    assert writer.closed
    assert [consumer.pop().token_id for _ in range(2)] == [2, 3]
    assert consumer.ended


def test_the_end_of_an_utterance_is_not_the_end_of_the_stream():
    writer, consumer, recognised, _ = consuming(2)
    utterance = Final(Transcript("", (), (), (), 1.0), 0, "silence")
    TokenDelivery(writer, recognised, 16_000).take(utterance)
    assert not consumer.ended


def test_a_delivery_to_a_closed_consumer_is_an_error():
    writer, consumer, recognised, _ = consuming(2)
    consumer.close()
    with pytest.raises(StreamClosedError, match="consumer"):
        TokenDelivery(writer, recognised, 16_000).take(partial(1))

"""Too much is refused with the limit's name, and what was held is free again."""

import pytest

from parakeet_streaming.server.limits import ByteCount, MessageRate, Places
from parakeet_streaming.server.replies import TooLargeError, TooManyError


def test_a_key_and_an_address_have_their_places():
    places = Places("sockets", 2, 3)
    with places.hold("a", "x"), places.hold("a", "x"):
        with pytest.raises(TooManyError, match="this key has 2 sockets"), places.hold("a", "y"):
            pass
        with places.hold("b", "x"):
            with pytest.raises(TooManyError, match="your address has 3"), places.hold("c", "x"):
                pass
            with places.hold("c", "y"):
                pass
    with places.hold("a", "x"), places.hold("a", "x"):
        pass


def test_a_place_is_free_after_an_error():
    places = Places("uploads", 1)
    for _ in range(3):
        with pytest.raises(KeyError), places.hold("a", "x"):
            raise KeyError
    with places.hold("a", "x"):
        pass


def test_messages_come_in_bursts_but_not_for_ever():
    rate = MessageRate(10, 0.0)
    for _ in range(100):
        rate.message(0.0)
    with pytest.raises(TooManyError, match="10 messages a second"):
        rate.message(0.0)
    later = MessageRate(10, 0.0)
    for at in range(1_000):
        later.message(at * 0.1)


def test_a_body_is_refused_by_what_it_says_and_by_what_it_is():
    count = ByteCount(1)
    for said in (None, "nonsense", "-5", "1000000"):
        count.announced(said)
    for said in ("1000001", "9" * 5_000):
        with pytest.raises(TooLargeError, match="1 MB"):
            count.announced(said)
    count.came(1_000_000)
    with pytest.raises(TooLargeError, match="1 MB"):
        count.came(1)

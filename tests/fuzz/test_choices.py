import math

from fuzz.choices import ODD_REALS, Choices, sliced


def test_bytes_decide():
    choices = Choices(b"\x02\x03abc\x01\xff\x7frest")
    assert choices.number(0, 9) == 2
    assert choices.text() == "abc"
    assert choices.flag()
    assert choices.number(-(2**15), 2**15 - 1) == 0x7FFF - 2**15
    assert choices.rest() == b"rest"
    assert choices.left == 0


def test_without_bytes_all_is_the_first():
    choices = Choices(b"")
    assert choices.number(-5, 5) == -5
    assert choices.one_of("xyz") == "x"
    assert choices.text() == choices.plain_text() == ""
    assert not choices.flag()
    assert list(choices.times(9)) == []


def test_numbers_stay_in_their_bounds():
    for byte in range(256):
        assert 3 <= Choices(bytes([byte])).number(3, 7) <= 7


def test_reals_are_odd_small_or_any():
    assert math.isnan(Choices(b"\0\0").real())
    assert Choices(b"\1\0\x81").real() == 1.0
    assert Choices(b"\2" + bytes(6) + b"\xf0\x3f").real() == 1.0
    assert {Choices(bytes((0, at))).real() for at in range(1, len(ODD_REALS))} <= set(ODD_REALS)


def test_bytes_that_are_no_text_are_half_characters_or_marked():
    assert Choices(b"\2\xff\xfe").text() == "\udcff\udcfe"
    assert Choices(b"\2\xff\xfe").plain_text() == "\ufffd\ufffd"


def test_it_goes_on_as_long_as_there_are_bytes():
    choices = Choices(b"abc")
    assert [choices.number(0, 255) for _ in choices.times(2)] == [97, 98]
    assert len([choices.number(0, 255) for _ in choices.times(9)]) == 1


def test_a_stream_is_cut_in_every_way_and_nothing_of_it_is_lost():
    assert [*sliced(b"abcdef", [1, 0, 3])] == [b"a", b"b", b"cde", b"f", b""]
    assert [*sliced(b"", [4])] == [b""]
    assert b"".join(sliced(bytes(range(100)), [0, 0])) == bytes(range(100))

from parakeet_streaming.client.events import Cleared, Final, Partial
from parakeet_streaming.client.heard import Heard


def test_text_is_that_of_ends_and_of_what_goes_on():
    heard = Heard()
    for event in (
        Partial(0, "a", " b", 0, 0),
        Partial(0, " b", "", 0, 0),
        Final(0, "a b", 0, 1, "silence"),
        Final(1, "", 1, 1, "commit"),
        Partial(2, "c", "", 0, 0),
        Partial(0, "d", "", 0, 0, channel=1),
    ):
        heard.take(event)
    assert heard.text == "a b c d"
    heard.take(Cleared())
    assert heard.text == "a b d"
    assert [each.text for each in heard.utterances] == ["a b", ""]

"""How a stream goes on, by what the server answers."""

from parakeet_streaming.client.continuing import Continuing
from parakeet_streaming.client.events import Final, Gap, Marker, Ready, Resumed
from parakeet_streaming.client.messages import Checkpoint, NotResumed, command
from parakeet_streaming.client.spoken import Spoken
from parakeet_streaming.client.told import Told
from parakeet_streaming.timeline import ContextConfig

RATE_HZ = 1_000


def begun(seconds=4):
    spoken = Spoken(1, RATE_HZ)
    spoken.keeps = True
    for _ in range(seconds):
        spoken.audio(bytes(RATE_HZ))
        spoken.next()
    return spoken, Continuing(spoken, Told())


def ready(resumed=""):
    context = ContextConfig.balanced()
    return Ready("a", "m", RATE_HZ, "u8", 1, False, context, 1.0, 60.0, 60.0, None, resumed)


def waiting_s(spoken):
    found = 0
    while (said := spoken.next()) is not None:
        found += said.samples
    return found / RATE_HZ


def test_it_goes_on_from_the_checkpoint_that_was_shown():
    spoken, continuing = begun()
    continuing.take(Checkpoint("first", 1_000, 0))
    assert continuing.show() == "first"
    # The old connection goes on meanwhile.
    continuing.take(Checkpoint("second", 2_000, 0))
    assert continuing.go_on(ready("exact"), RATE_HZ) == [Resumed("exact")]
    assert waiting_s(spoken) == 3
    continuing.take(Checkpoint("third", 2_000, 0))
    assert continuing.show() == "third"
    continuing.failed()
    continuing.take(Checkpoint("fourth", 3_000, 0))
    assert continuing.latest.token == continuing.show() == "fourth"
    assert continuing.go_on(ready("warm"), RATE_HZ) == [Resumed("warm")]
    assert waiting_s(spoken) == 1


def test_without_a_checkpoint_all_is_said_again():
    spoken, continuing = begun()
    assert continuing.show() is None
    assert continuing.go_on(ready(), RATE_HZ) == [Resumed("exact")]
    assert waiting_s(spoken) == 4


def test_where_it_is_refused_it_begins_anew_with_what_there_is():
    spoken, continuing = begun()
    continuing.take(Checkpoint("first", 2_000, 0))
    continuing.show()
    refused = NotResumed("expired", "too old")
    assert continuing.go_on(refused, RATE_HZ) == [Gap(0.0, 2.0), Resumed("anew", "expired")]
    assert waiting_s(spoken) == 2
    assert continuing.show() is None
    assert continuing.go_on(ready(), RATE_HZ) == [Resumed("anew")]
    # Samples of the stream that begins count from its own beginning.
    continuing.take(Checkpoint("second", 500, 0))
    waiting_s(spoken)
    continuing.show()
    assert continuing.go_on(ready("exact"), RATE_HZ) == [Resumed("exact")]
    assert waiting_s(spoken) == 1.5


def test_markers_and_pauses_are_remembered():
    spoken, continuing = begun(1)
    spoken.command("marker", command("marker", id="m"), "m")
    spoken.next()
    continuing.take(Final(0, "", 0.0, 1.0, "no_audio"))
    continuing.take(Marker("m"))
    continuing.show()
    continuing.go_on(ready(), RATE_HZ)
    assert [spoken.next().kind, spoken.next().kind, spoken.next()] == ["audio", "commit", None]

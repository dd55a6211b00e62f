"""What is common to recognition here and elsewhere; more of it is in `test_live_transcription`."""

from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.results import ContextChanged, Gap
from parakeet_streaming.timeline import ContextConfig
from tests.cli.test_live_transcription import ScriptedStream, Source


def test_it_says_what_is_the_matter():
    longer = ContextConfig(5, 1, 0.5)
    stream = ScriptedStream(Gap(1.0, 3.0), ContextChanged(longer, 4.0))
    listening = Listening(stream, Source(), Interruption(), ContextConfig.balanced())
    assert list(listening.events()) == [Gap(1.0, 3.0), ContextChanged(longer, 4.0)]
    lost, slow = listening.messages()
    assert lost.startswith("2.0 s of sound could not be taken at 0:01: this machine")
    assert slow.startswith(f"text now comes within {longer.latency_s:.2f} s: this machine")
    assert "latency 1.44 s" in listening.status()
    assert listening.summary() == "0.0 s of audio"

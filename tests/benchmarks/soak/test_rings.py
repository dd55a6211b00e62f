"""The stress of the rings: sound ones pass, and one that loses or repeats is caught."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.soak import rings
from parakeet_streaming.audio import ring


def test_sound_rings_pass(run):
    done = run("soak.rings", "--seconds", "1")
    assert done.returncode == 0, done.stdout
    assert "nothing was lost" in done.stdout


class Losing:
    """A reader that drops what it reads, the fifth time that something comes."""

    def __init__(self, reader):
        self.reader = reader
        self.came = 0

    def __getattr__(self, name):
        return getattr(self.reader, name)

    def read(self, *most):
        came = self.reader.read(*most)
        if came is not None and np.size(came):
            self.came += 1
            if self.came == 5:
                return self.reader.read(*most)
        return came


@pytest.mark.parametrize("kind", ["sample_ring", "value_ring"])
def test_a_ring_that_loses_something_is_caught(monkeypatch, capsys, kind):
    def losing(capacity):
        writer, reader = getattr(ring, kind)(capacity)
        return writer, Losing(reader)

    sound = {"sample_ring": ring.sample_ring, "value_ring": ring.value_ring}
    monkeypatch.setattr(rings, "_rings", lambda: SimpleNamespace(**{**sound, kind: losing}))
    assert rings.main(["--seconds", "1"]) == 1
    assert "wrong" in capsys.readouterr().out


def test_a_writer_that_miscounts_is_caught():
    counted = SimpleNamespace(taken=5, refused=0)
    writer, reader = rings.Side(counted, [1], moved=5), rings.Side(counted, [1], moved=4)
    assert "5 were taken" in rings._wrong(writer, reader)
    reader.moved = 5
    writer.refused = 1
    assert "1 were refused" in rings._wrong(writer, reader)
    writer.refused = 0
    assert not rings._wrong(writer, reader)

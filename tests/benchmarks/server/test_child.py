from benchmarks.server.child import Cores


def test_cores_are_divided(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert Cores.divided(None) == Cores((0, 1, 2), (3,))
    assert Cores.divided(2) == Cores((0, 1), (2, 3))
    assert Cores.divided(4) == Cores((0, 1, 2, 3), (0, 1, 2, 3))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {5}, raising=False)
    assert Cores.divided(None) == Cores((5,), (5,))

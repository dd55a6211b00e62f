from parakeet_streaming.cli.unsaid import Unsaid


def test_each_is_told_once():
    warnings = ["a"]
    unsaid = Unsaid(lambda: warnings)
    assert list(unsaid()) == ["a"]
    assert list(unsaid()) == []
    warnings += ["b", "c"]
    assert list(unsaid()) == ["b", "c"]

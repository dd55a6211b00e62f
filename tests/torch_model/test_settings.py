import pytest

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model.settings import Choice, Settings, as_number

TOLD = {"width": 16, "bias": True, "inner": {"kind": "a"}, "durations": [0, 1, 2], "empty": None}


@pytest.fixture
def settings():
    return Settings(TOLD, "config.yaml")


def test_values_and_defaults(settings):
    assert settings.whole("width") == 16
    assert settings.whole("height", 8) == 8
    assert settings.flag("bias", default=False) is True
    assert settings.flag("other", default=False) is False
    assert settings.value("nothing") is None
    assert settings.count_of_durations("durations") == 3
    assert "width" in settings
    assert "empty" not in settings
    assert settings.mentions("empty")
    assert not settings.mentions("nothing")
    assert list(settings) == list(TOLD)


def test_sections(settings):
    settings.section("inner").require("kind", ("a", "b"), None)
    settings.section("none").require("kind", ("a",), "a")
    with pytest.raises(ModelFormatError, match="width is no section"):
        settings.section("width")
    with pytest.raises(ModelFormatError, match=r"config\.yaml: the config is no section"):
        Settings([], "config.yaml")


@pytest.mark.parametrize("value", [0, -1, 2.0, "16", True, None, 65_537, [1]])
def test_no_whole_number(value):
    with pytest.raises(ModelFormatError, match=r"inner\.width is .*, not a whole number"):
        Settings({"inner": {"width": value}}, "config").section("inner").whole("width")


def test_no_flag():
    with pytest.raises(ModelFormatError, match="neither true nor false"):
        Settings({"bias": 1}, "config").flag("bias", default=True)


def test_another_choice(settings):
    with pytest.raises(ModelFormatError, match=r"inner\.kind is 'a', and only 'b' or None can"):
        settings.section("inner").require("kind", ("b", None), "b")


@pytest.mark.parametrize("value", [None, 5, [0], [1, 2], [0, 2], [0, "1"]])
def test_other_durations(value):
    with pytest.raises(ModelFormatError, match="only durations 0, 1, 2"):
        Settings({"durations": value}, "config").count_of_durations("durations")


def test_a_check_of_every_key(settings):
    rules = {"width": Choice((16,), 8), "depth": Choice((2,), 2), "bias": None, "inner": None}
    with pytest.raises(ModelFormatError, match=r"durations is \[0, 1, 2\], a setting that is not"):
        settings.check(rules)
    settings.check({**rules, "durations": None})
    with pytest.raises(ModelFormatError, match="width is 16, and only 8 can be exported; ask"):
        settings.check({**rules, "width": Choice((8,), 8)}, "ask")


@pytest.mark.parametrize("value", [0.5, "0.5", "5e-1", 0.50001])
def test_numbers_are_the_same_however_they_are_written(value):
    Settings({"x": value}, "config").require("x", (0.5,), None)


@pytest.mark.parametrize("value", ["half", None, [0.5], 0.51])
def test_other_values_are_not(value):
    with pytest.raises(ModelFormatError, match="x is"):
        Settings({"x": value}, "config").require("x", (0.5, False), None)


def test_text_that_is_a_number():
    assert as_number("1e-05") == 1e-5
    assert as_number("many") is None
    assert as_number(None) is None


def doubled(times):
    value = ["laugh"]
    for _ in range(times):
        value = [value] * 10
    return value


@pytest.mark.parametrize(
    "value",
    [doubled(60), {"a": doubled(60)}, "x" * 10**6, 10**10_000, -(10**10_000), "\x1b]0;T\x07"],
    ids=["lists", "mapping", "text", "number", "negative", "orders"],
)
def test_values_of_any_size_are_few_words(value):
    settings = Settings({"a": value}, "config")
    for call in (
        lambda: settings.whole("a"),
        lambda: settings.flag("a", default=True),
        lambda: settings.check({}),
        lambda: settings.require("a", (1,), 1),
        lambda: settings.require("b", (value,), 1),
        lambda: settings.count_of_durations("a"),
        lambda: Settings({value if isinstance(value, str | int) else 1: 2}, "config").check({}),
    ):
        with pytest.raises(ModelFormatError) as raised:
            call()
        assert len(str(raised.value)) < 1200
        assert "\x1b" not in str(raised.value)
    assert len(settings.text("a", "")) < 1000
    assert len(next(iter(Settings({10**10_000: 1}, "config")))) < 100


def test_a_text(settings):
    assert Settings({"a": "b"}, "config").text("a", "c") == "b"
    assert settings.text("a", "c") == "c"
    assert settings.text("width", "") == "16"


def test_a_number_of_many_digits_is_endless():
    assert as_number(10**400) == float("inf")
    assert as_number("1e999") == float("inf")

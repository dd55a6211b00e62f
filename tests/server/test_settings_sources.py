from dataclasses import fields

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.settings_sources import option, read_settings, variable


def file(folder, text):
    path = folder / "parakeet.toml"
    path.write_text(text)
    return str(path)


def test_nothing_written_is_the_defaults():
    assert read_settings({}, {}) == Settings()


def test_the_command_line_counts_first_then_the_environment_then_the_file(tmp_path):
    path = file(tmp_path, "port = 1\nthreads = 1\nmax-streams = 1\nidle_s = 1")
    environment = {"PARAKEET_PORT": "2", "PARAKEET_THREADS": "2", "PARAKEET_MAX_STREAMS": ""}
    read = read_settings({"port": 3}, environment, path)
    assert (read.port, read.threads, read.max_streams, read.idle_s) == (3, 2, 1, 1.0)


def test_the_environment_may_name_the_file(tmp_path):
    path = file(tmp_path, "port = 1")
    assert read_settings({}, {"PARAKEET_CONFIG": path}).port == 1


TEXTS = {bool: "true", int: "1024", float: "7.5", str: "auto"}
WORDS = {"context": "10-2-2", "preset": "balanced", "endpointing": "off"}
WORDS |= {
    "checkpoint_key": "sixteen-or-more-characters",
    "max_uploads": "3",
    "io_processes": "3",
    "log_format": "json",
    "numbers": "digits",
    "profanity": "mask",
    "log_level": "debug",
    "stun_server": "stun:example.org:3478",
}


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.name)
def test_each_setting_is_read_from_all_three(each, tmp_path):
    kind = type(each.default) if each.default is not None else str
    if each.name in ("threads", "max_streams", "wyoming_port", "replicas", "most_replicas"):
        kind = int
    text = WORDS.get(each.name, TEXTS.get(kind, "one"))
    written = text if kind in (bool, int, float) else f'"{text}"'
    read = [
        read_settings({each.name: text}, {}),
        read_settings({}, {variable(each.name): text}),
        read_settings({}, {}, file(tmp_path, f"{each.name} = {written}")),
    ]
    assert read[0] == read[1] == read[2]
    value = getattr(read[0], each.name)
    assert value == ((text,) if kind is tuple else kind(text) if kind is not bool else True)


def test_lists(tmp_path):
    path = file(tmp_path, 'api_key = ["a:1", "2"]\nallow_origin = "https://a.org"')
    read = read_settings({}, {"PARAKEET_TRUSTED_PROXY": "10.0.0.1, 10.0.0.2"}, path)
    assert read.api_key == ("a:1", "2")
    assert read.allow_origin == ("https://a.org",)
    assert read.trusted_proxy == ("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize(
    ("given", "environment", "text", "said"),
    [
        ({"port": 70_000}, {}, "", "--port 70000: input should be less than or equal to 65535"),
        ({"max_streams": 0}, {}, "", "--max-streams 0: "),
        ({}, {"PARAKEET_MAX_STREAMS": "some"}, "", "PARAKEET_MAX_STREAMS some: "),
        ({}, {}, 'port = "x"', "port in .*parakeet.toml x: "),
        ({}, {}, "prt = 1", "prt in .*parakeet.toml is no setting; do you mean port?"),
        ({}, {}, "zzz = 1", "zzz in .*parakeet.toml is no setting$"),
        ({}, {}, "port = ", "parakeet.toml is no TOML: "),
        ({"drain_s": float("inf")}, {}, "", "--drain-s inf: "),
        ({"host": ""}, {}, "", "--host : "),
        ({"preset": "fast"}, {}, "", "--preset fast: 'fast' does not exist; use "),
        ({"context": "1-0-0"}, {}, "", "--context 1-0-0: a chunk of 0.0 s"),
        ({"context": "1-1-1", "preset": "balanced"}, {}, "", "--context and --preset exclude"),
        ({}, {}, 'api_key = "a"\nno_auth = true', "api_key in .* and no_auth in .* exclude"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_written(given, environment, text, said, tmp_path):
    with pytest.raises(OptionError, match=said):
        read_settings(given, environment, file(tmp_path, text))


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(OptionError, match=r"none.toml cannot be read: No such file"):
        read_settings({}, {}, str(tmp_path / "none.toml"))


def test_a_message_shows_no_key():
    with pytest.raises(OptionError, match="PARAKEET_API_KEY: ") as error:
        read_settings({}, {"PARAKEET_API_KEY": "my secret"})
    assert "secret" not in str(error.value)


def test_of_settings_that_exclude_each_other_the_one_from_the_higher_place_counts(tmp_path):
    path = file(tmp_path, 'context = "10-2-2"\napi_key = "a"\napi_key_file = "f"')
    read = read_settings({"preset": "balanced", "no_auth": True}, {}, path)
    assert (read.context, read.preset) == (None, "balanced")
    assert (read.api_key, read.api_key_file, read.no_auth) == ((), None, True)
    read = read_settings({"api_key": ["b"]}, {"PARAKEET_NO_AUTH": "1"}, None)
    assert (read.api_key, read.no_auth) == (("b",), False)


def test_what_kubernetes_says_of_a_service_of_our_name_is_no_port():
    assert read_settings({}, {"PARAKEET_PORT": "tcp://10.0.0.1:8000"}).port == 8000


def test_names():
    assert (option("max_streams"), variable("max_streams")) == (
        "--max-streams",
        "PARAKEET_MAX_STREAMS",
    )

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.api_keys import named_keys, read_key, read_key_file


def test_a_key_has_a_name_or_not():
    assert read_key(" alice:sk-1 ") == ("alice", "sk-1")
    assert read_key("sk-1") == (None, "sk-1")
    assert read_key("a:b:c") == ("a", "b:c")


@pytest.mark.parametrize("line", ["", "two words", "kéy", "alice:", "anonymous:sk-1"])
def test_what_is_no_key_is_refused_and_not_shown(line):
    with pytest.raises(OptionError) as error:
        read_key(line)
    assert not line or line not in str(error.value)


def test_keys_without_a_name_are_numbered_by_their_place():
    assert named_keys(["a", "bob:b", "c"]) == {"key-1": "a", "bob": "b", "key-3": "c"}
    assert named_keys([]) == {}


def test_a_name_and_a_key_stand_for_each_other():
    with pytest.raises(OptionError, match="'a' has two keys"):
        named_keys(["a:1", "a:2"])
    with pytest.raises(OptionError, match="the key of 'b' is there twice"):
        named_keys(["a:1", "b:1"])
    with pytest.raises(OptionError, match="1001 keys"):
        named_keys(str(number) for number in range(1001))


def test_a_file_of_keys(tmp_path):
    path = tmp_path / "keys"
    path.write_text("# ours\n\nalice:sk-1\n  sk-2\n")
    assert read_key_file(str(path)) == ["alice:sk-1", "sk-2"]
    path.write_text("sk-1\nmy secret\n")
    with pytest.raises(OptionError, match="keys, line 2: ") as error:
        read_key_file(str(path))
    assert "secret" not in str(error.value)
    path.write_text("# none\n")
    with pytest.raises(OptionError, match="holds none"):
        read_key_file(str(path))
    path.write_bytes(b"\xff")
    with pytest.raises(OptionError, match="it is no text"):
        read_key_file(str(path))
    with pytest.raises(OptionError, match="No such file"):
        read_key_file(str(tmp_path / "none"))

import pytest

pytest.importorskip("torch", reason="the training group")

import yaml

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model import yaml_text
from parakeet_streaming.torch_model.yaml_text import parsed


def laughs(names, start="- &a0 [lol]"):
    lines = [f"- &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, names)]
    return "\n".join([start, *lines]).encode()


def merged(names):
    lines = ["- &a0 {x: 1}"]
    lines += [f"- &a{at} {{<<: [*a{at - 1}, *a{at - 1}], k{at}: 1}}" for at in range(1, names)]
    return "\n".join(lines).encode()


HOSTILE = {
    "aliases": (laughs(12), "values, and at most 500000 are possible"),
    "aliases of mappings": (laughs(12, "- &a0 {lol: lol}"), "values"),
    "merges": (merged(40), "values"),
    "depth": (b"[" * 100_000, "nested 51 deep|no YAML"),
    "depth within libyaml's": (b"[" * 60 + b"]" * 60, "nested 51 deep"),
    "depth of blocks": (b"- " * 100_000, "nested 51 deep"),
    "depth of mappings": (b"{a: " * 100_000, "nested 51 deep|no YAML"),
    "size": (b"a" * (yaml_text.MOST_BYTES + 1), "bytes"),
    "many": (b"- 1\n" * 600_000, "values"),
    "digits": (b"a: " + b"9" * 10_000, "no YAML: a number of 10000 digits"),
    "hex": (b"a: 0x" + b"f" * 1_000_000, "no YAML: a number"),
    "sixties": (b"a: 1" + b":1" * 500_000, "no YAML: a number"),
    "sixties with a point": (b"a: 1" + b":1" * 500_000 + b".5", "no YAML: a number"),
    "code": (b"a: !!python/object/apply:os.system ['true']", "no YAML"),
    "an alias of itself": (b"&a [*a, *a]", None),
    "an unknown alias": (b"*a", "no YAML"),
    "a list as key": (b"? [a]\n: b", "no YAML"),
    "bytes": (b"\xff\xfe\xff", "no YAML"),
    "nothing printable": (b"a: \x1b]0;T\x07", "no YAML"),
}


@pytest.mark.parametrize(("content", "match"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_end_in_one_short_error(content, match):
    if match is None:
        parsed(content, "config")
        return
    with pytest.raises(ModelFormatError, match=match) as raised:
        parsed(content, "config")
    assert len(str(raised.value)) < 400
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1, 2]\nb: *x\nc: {<<: {d: 1.5e-3}, e: -7, f: 0x1F, g: 1:30}",
        "a: {b: {c: {d: [[1], [2]]}}}",
        "",
        "text",
    ],
)
@pytest.mark.parametrize("base", ["CSafeLoader", "SafeLoader"])
def test_other_texts_say_what_they_say(text, base):
    if not hasattr(yaml, base):
        pytest.skip("no libyaml")
    assert parsed(text.encode(), "config") == yaml.load(text, Loader=getattr(yaml, base))

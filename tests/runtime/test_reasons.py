import pytest

from parakeet_streaming.runtime.reasons import MOST_CHARACTERS, first_reason, last_reason

OPSET = (
    "[ONNXRuntimeError] : 1 : FAIL : Load model failed : "
    "/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::"
    "model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string"
    "<char>, int>&, const onnxruntime::logging::Logger&, bool, (anonymous)(int)) "
    "Opset 900 is under development."
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (OPSET, "Opset 900 is under development"),
        ("[ONNXRuntimeError] : 10 : INVALID_GRAPH : Not a graph.\nmore", "Not a graph"),
        ("Error: a.cc:31 ns::C::C(const T&) const [with T = int] no path.", "Error: no path"),
        ("Message: matmul_helper.h:59 Compute MatMul mismatch", "Message: MatMul mismatch"),
        ("a.cc:3 ns::f(never closed", "ns::f(never closed"),
        ("a.cc:3 all of it", "all of it"),
        ("Nope\x1b[2J is no operator", "Nope\\x1b[2J is no operator"),
        ("", "RuntimeError"),
        ("  \n ", "RuntimeError"),
    ],
)  # fmt: skip
def test_the_first_line_without_places(message, reason):
    assert first_reason(RuntimeError(message)) == reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Check 'x' failed at src/a.cpp:12:\nshapes differ.", "shapes differ"),
        ("no operator Nope\nread https://docs.example/", "no operator Nope"),
        ("https://docs.example/", "https://docs.example/"),
        ("", "RuntimeError"),
    ],
)
def test_the_last_line_without_advice(message, reason):
    assert last_reason(RuntimeError(message)) == reason


@pytest.mark.parametrize("reason", [first_reason, last_reason])
@pytest.mark.parametrize("part", ["w", "(", "a.cc:1 b::c(", " : ", "::(", "\n", "\u202e", "[with "])
def test_a_message_of_any_length_is_short(reason, part):
    text = reason(RuntimeError(part * 10**6))
    assert len(text) < 6 * MOST_CHARACTERS + 100
    assert text.isprintable()

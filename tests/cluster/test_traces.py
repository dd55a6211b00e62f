from parakeet_streaming.cluster.traces import reason_in

TRACE = """The deployment failed to start 3 times in a row. Error:
ray::ServeReplica:parakeet.initialize_and_get_metadata()
  File "a.py", line 1, in result
    raise parakeet_streaming.errors.OptionError("no")
RuntimeError: Traceback (most recent call last):
parakeet_streaming.errors.ModelNotFoundError: there is no folder: and no model

"""


def test_our_own_words_are_the_reason():
    assert reason_in(TRACE) == "there is no folder: and no model"


def test_else_the_last_line_is():
    assert reason_in("Error:\n  ImportError: no module x\n\n") == "ImportError: no module x"
    assert reason_in("") == "Ray does not say why"
    assert reason_in("parakeet_streaming.errors.OptionError") == (
        "parakeet_streaming.errors.OptionError"
    )

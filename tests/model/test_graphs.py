"""Graphs of a folder, opened: which encoder it is, and what stands in place of a session."""

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.model.graphs import as_it_is, encoder_of, open_decoder_joint
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import GOLDEN, three_file_folder


def roles_of(folder):
    """The roles of all sessions that are wrapped, in order."""
    parts, roles = find_parts(folder), []
    open_decoder_joint(
        parts, read_spec(parts), "cpu", lambda session, role: roles.append(role) or session
    )
    return roles


def test_both_halves_of_a_decoder_can_be_wrapped(tmp_path):
    assert roles_of(GOLDEN) == ["predictor", "joint"]
    assert roles_of(three_file_folder(tmp_path)) == ["predictor", "joint"]


def test_the_encoder_of_a_folder():
    parts = find_parts(GOLDEN)
    session = open_session(parts.encoder.path, provider="cpu", threads=1)
    assert as_it_is(session, "encoder") is session
    assert isinstance(encoder_of(session, parts, read_spec(parts)), OnnxEncoder)

"""What goes into the log comes out of it."""

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.emission_log import EmissionLog
from parakeet_streaming.ports import Emission

emissions = st.lists(
    st.builds(
        Emission,
        token_id=st.integers(0, 100_000),
        frame=st.integers(0, 2**40),
        duration_frames=st.integers(0, 16),
        confidence=st.floats(0, 1),
        recovered=st.booleans(),
    )
)


@given(st.lists(emissions))
def test_emissions_come_out_as_they_went_in(batches: list[list[Emission]]) -> None:
    log = EmissionLog()
    for batch in batches:
        log.extend(batch)
    everything = [emission for batch in batches for emission in batch]
    assert list(log) == everything
    assert list(log) == everything  # reading takes nothing out
    assert len(log) == len(everything)


@given(emissions, st.integers(0, 5))
def test_columns_make_the_same_log(some: list[Emission], first: int) -> None:
    log = EmissionLog()
    log.extend(some)
    assert list(EmissionLog.of(log.columns(first))) == some[first:]


def test_a_log_is_read_from_its_start_or_from_a_number_on() -> None:
    some = [Emission(token_id, token_id, 1, 0.5) for token_id in range(3)]
    log = EmissionLog()
    assert list(log) == []
    log.extend(some)
    assert list(log) == some
    assert list(log.since(2)) == some[2:]

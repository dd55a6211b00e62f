from dataclasses import dataclass, field

import pytest

from parakeet_streaming.cluster.plan import POLICY
from parakeet_streaming.cluster.scaling import FULLNESS, fullness, wanted, wanted_replicas


@dataclass
class Context:
    """As much of Ray's as the policy reads."""

    target_num_replicas: int
    aggregated_metrics: dict | None = field(default_factory=dict)


def test_a_replica_is_as_full_as_its_streams_or_its_load():
    assert fullness(4, 8, 0.0, 0.9) == 0.5
    assert fullness(4, 8, 0.72, 0.9) == pytest.approx(0.8)
    assert fullness(400, None, 0.45, 0.9) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("fullnesses", "expected"),
    [
        ([0.0], 1),
        ([0.7], 1),
        ([0.71], 2),
        ([1.0], 2),
        ([0.7, 0.7], 2),
        ([1.0, 0.3], 2),
        ([1.0, 1.0], 3),
        ([0.1, 0.1, 0.1], 1),
        ([0.1, 0.2, 0.4], 1),
    ],
)
def test_each_is_to_be_as_full_as_is_wanted(fullnesses, expected):
    assert wanted(dict(enumerate(fullnesses)), now=5) == expected


def test_nothing_known_changes_nothing():
    assert wanted({}, now=5) == 5
    assert wanted_replicas(Context(3, None)) == (3, {})
    assert wanted_replicas(Context(3, {})) == (3, {})


def test_ray_calls_it_by_its_name():
    module, _, name = POLICY.partition(":")
    assert (module, name) == (wanted_replicas.__module__, wanted_replicas.__name__)
    assert wanted_replicas(Context(1, {FULLNESS: {"a": 1.0}})) == (2, {})

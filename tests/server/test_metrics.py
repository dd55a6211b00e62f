"""Connections and refusals are counted, by labels whose values are fixed."""

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.metrics import DOORS, ServerMetrics
from parakeet_streaming.server.replies import CODES


def test_a_connection_counts_while_it_is_open():
    metrics = ServerMetrics(["ann"])
    with metrics.connection("native", "ann"), metrics.connection("rest", "anonymous"):
        assert metrics.open_sockets.value == 2
    assert metrics.open_sockets.value == 0
    assert metrics.connections_total.totals() == dict.fromkeys(DOORS, 0) | {"native": 1, "rest": 1}
    assert metrics.connections_by_key_total.totals() == {"anonymous": 1, "ann": 1}


def test_it_no_longer_counts_after_an_error():
    metrics = ServerMetrics()
    with pytest.raises(KeyError), metrics.connection("native", "anonymous"):
        raise KeyError
    assert metrics.open_sockets.value == 0


def test_labels_are_bounded():
    metrics = ServerMetrics()
    assert set(metrics.refusals_total.totals()) == set(CODES)
    with pytest.raises(OptionError), metrics.connection("native", "somebody"):
        pass

from prometheus_client.parser import text_string_to_metric_families

from parakeet_streaming.metrics.joining import joined
from parakeet_streaming.metrics.prometheus import process_text, prometheus_text
from parakeet_streaming.metrics.registry import MetricSet
from parakeet_streaming.server.metrics import ServerMetrics


def parsed(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(sockets, native):
    metrics = ServerMetrics()
    metrics.open_sockets.set(sockets)
    for _ in range(native):
        metrics.connections_total["native"].add()
    assert isinstance(metrics, MetricSet)
    return prometheus_text(metrics) + process_text()


def test_each_series_says_whose_it_is():
    texts = {"a": counted(1, 3), "b": counted(2, 5)}
    found = parsed(joined(texts, "replica"))
    assert found["parakeet_open_sockets", (("replica", "a"),)] == 1
    assert found["parakeet_open_sockets", (("replica", "b"),)] == 2
    labels = (("door", "native"), ("replica", "b"))
    assert found["parakeet_connections_total", labels] == 5
    alone = [parsed(text) for text in texts.values()]
    assert len(found) == sum(map(len, alone))


def test_a_metric_is_told_once_and_in_one_place():
    text = joined({"a": counted(1, 1), "b": counted(1, 1)}, "replica")
    heads = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    names = [line.split("{")[0] for line in text.splitlines() if line.startswith("parakeet_open")]
    assert names == ["parakeet_open_sockets"] * 2


def test_what_one_alone_has_is_there():
    first = "# HELP x X\n# TYPE x gauge\nx 1.0\n"
    second = (
        '# HELP y Y\n# TYPE y histogram\ny_bucket{le="+Inf"} 2.0\ny_sum 3.0\ny_count 2.0\nz 1\n'
    )
    lines = joined({"a": first, "b": second}, "replica").splitlines()
    assert 'x{replica="a"} 1.0' in lines
    assert lines[-4:] == [
        'y_bucket{replica="b",le="+Inf"} 2.0',
        'y_sum{replica="b"} 3.0',
        'y_count{replica="b"} 2.0',
        'z{replica="b"} 1',
    ]


def test_nothing_is_nothing():
    assert joined({}, "replica") == ""

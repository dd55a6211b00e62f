import dataclasses
import json
import signal
import sys
import threading

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.torch_model.fastconformer import Dropout, EncoderConfig
from parakeet_streaming.torch_model.transducer import TransducerConfig
from training.encoding import Way
from training.manifest import read_manifest
from training.run import read_checkpoint, read_config, write_average, write_weights
from training.settings import Optimisation, Places, smoke_recipe
from training.smoke import smoke_data
from training.store import pack
from training.tokenizer import Tokenizer, train_tokenizer
from training.train import (
    Length,
    Session,
    learning_rate,
    loss_weights,
    pick_device,
    set_dropout,
    train,
    way_of,
)


@pytest.fixture
def prepared(tmp_path):
    places = Places(tmp_path)
    clips = read_manifest(smoke_data(tmp_path / "clips"))
    pack(clips, places.train, 16.0, 1)
    train_tokenizer([clip.text for clip in clips], 32, places.tokenizer)
    recipe = smoke_recipe()
    vocabulary = len(Tokenizer(places.tokenizer).pieces) + 1
    model = dataclasses.replace(recipe.model, vocabulary=vocabulary)
    return dataclasses.replace(recipe, model=model), places


def sitting(steps, **options):
    return Session(Length(steps=steps), "cpu", workers=0, log_every=2, **options)


def test_a_run_goes_on_where_it_stopped(prepared):
    recipe, places = prepared
    assert train(recipe, places, sitting(2)).step == 2
    assert sys.float_info.min / 2 > 0, "torch's arithmetic is left as it was"
    first = read_checkpoint(places.checkpoint)
    run = train(recipe, places, sitting(4))
    assert run.step == 4
    saved = read_checkpoint(places.checkpoint)
    assert saved["spent_s"] > first["spent_s"]
    name = "joint.out.weight"
    assert not torch.equal(saved["model"][name], first["model"][name])
    assert not torch.equal(saved["mean"][name], saved["model"][name])
    assert [json.loads(line)["step"] for line in places.log.read_text().splitlines()] == [2, 4]
    assert not list(places.work.glob("*.partial"))


def test_a_run_that_is_asked_to_stop_saves_and_stops(prepared):
    recipe, places = prepared
    ask = threading.Timer(0.5, signal.raise_signal, [signal.SIGTERM])
    ask.start()
    run = train(recipe, places, sitting(10_000))
    ask.join()
    assert run.stopped
    assert 0 < run.step < 10_000
    assert read_checkpoint(places.checkpoint)["step"] == run.step


def test_fine_tuning_begins_with_the_mean_weights(prepared, tmp_path):
    recipe, places = prepared
    train(recipe, places, sitting(2))
    checkpoint = places.checkpoint.rename(tmp_path / "other.pt")
    run = train(recipe, places, sitting(0, start_from=checkpoint))
    name = "encoder.subsampling.out.weight"
    assert torch.equal(run.model.state_dict()[name], read_checkpoint(checkpoint)["mean"][name])


def test_weights_alone_are_enough_to_begin_with(prepared, tmp_path):
    recipe, places = prepared
    train(recipe, places, sitting(2))
    write_weights(places.checkpoint, tmp_path / "weights.pt")
    assert (tmp_path / "weights.pt").stat().st_size < places.checkpoint.stat().st_size / 6
    assert read_config(tmp_path / "weights.pt") == recipe.model
    mean = read_checkpoint(places.checkpoint)["mean"]
    places.checkpoint.unlink()
    run = train(recipe, places, sitting(0, start_from=tmp_path / "weights.pt"))
    for name, begun in run.model.state_dict().items():
        assert torch.allclose(begun, mean[name], rtol=1e-3, atol=1e-6)


def test_a_tokenizer_of_another_size_is_refused(prepared):
    recipe, places = prepared
    model = dataclasses.replace(recipe.model, vocabulary=100)
    with pytest.raises(OptionError, match="pieces"):
        train(dataclasses.replace(recipe, model=model), places, sitting(1))


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"")
    with pytest.raises(ModelFormatError, match=r"x\.pt"):
        read_checkpoint(tmp_path / "x.pt")


def test_dropout_drops_its_part_and_keeps_the_mean():
    torch.manual_seed(0)
    dropout = Dropout(0.25).train()
    values = torch.ones(40_001, dtype=torch.bfloat16, requires_grad=True)
    dropped = dropout(values)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(dropped.detach().float().mean()) == pytest.approx(1, abs=0.02)
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped.detach())
    set_dropout(dropout, 0.0)
    assert dropout(values) is values
    assert Dropout(0.25).eval()(values) is values


def test_the_rate_rises_and_falls():
    settings = Optimisation(peak_rate=1.0, last_rate=0.01, warmup_steps=10)
    rates = [learning_rate(settings, step, step / 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9]
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)


def test_each_way_to_encode_has_its_part_of_the_steps():
    settings = Optimisation(windowed=0.3, cached=0.5)
    ways = [way_of(settings, drawn / 100) for drawn in range(100)]
    assert [ways.count(way) for way in (Way.WINDOWS, Way.CACHED, Way.WHOLE)] == [30, 50, 20]


def test_ctc_comes_first():
    settings = Optimisation(tdt_from=0.1, tdt_full=0.3, ctc_weight=0.2)
    assert loss_weights(settings, 0.05) == (0.0, 1.0)
    assert loss_weights(settings, 0.2) == pytest.approx((0.5, 0.6))
    assert loss_weights(settings, 0.9) == pytest.approx((1.0, 0.2))


@pytest.mark.parametrize("lengths", [{}, {"minutes": 1.0, "steps": 5}])
def test_a_run_has_one_length(lengths):
    with pytest.raises(OptionError, match="one of them"):
        Length(**lengths)


def test_a_length_counts_minutes_or_steps():
    assert Length(minutes=2).done(99, 60.0) == pytest.approx(0.5)
    assert Length(steps=10).done(5, 1e9) == pytest.approx(0.5)
    assert pick_device("cpu").type == "cpu"


def test_an_average_lies_between(prepared, tmp_path):
    recipe, places = prepared
    train(recipe, places, sitting(1))
    saved = read_checkpoint(places.checkpoint)
    moved = {
        name: each + 1 if each.is_floating_point() else each for name, each in saved["mean"].items()
    }
    torch.save({"config": saved["config"], "mean": moved}, tmp_path / "moved.pt")
    parts = [(places.checkpoint, 3.0), (tmp_path / "moved.pt", 1.0)]
    write_average(parts, tmp_path / "between.pt")
    mean = read_checkpoint(tmp_path / "between.pt")["mean"]
    for name, each in saved["mean"].items():
        expected = each + 0.25 if each.is_floating_point() else each
        torch.testing.assert_close(mean[name], expected)


def test_an_average_of_nothing_is_refused(tmp_path):
    with pytest.raises(OptionError, match="at least once"):
        write_average([], tmp_path / "between.pt")


def test_an_average_of_different_sizes_is_refused(tmp_path):
    for width in (8, 16):
        config = dataclasses.asdict(TransducerConfig(EncoderConfig(width=width, heads=2)))
        torch.save({"config": config, "mean": {}}, tmp_path / f"{width}.pt")
    with pytest.raises(ModelFormatError, match="different sizes"):
        write_average([(tmp_path / "8.pt", 1), (tmp_path / "16.pt", 1)], tmp_path / "between.pt")


def test_an_average_takes_weights_whose_file_lacks_numbers_of_today(tmp_path):
    config = dataclasses.asdict(TransducerConfig())
    weights = {"one": torch.ones(3)}
    torch.save({"config": config, "mean": weights}, tmp_path / "new.pt")
    older = {name: each for name, each in config.items() if name != "max_symbols"}
    torch.save({"config": older | {"dropout": 0.4}, "mean": weights}, tmp_path / "old.pt")
    write_average([(tmp_path / "new.pt", 1), (tmp_path / "old.pt", 1)], tmp_path / "between.pt")
    assert read_config(tmp_path / "between.pt") == TransducerConfig()

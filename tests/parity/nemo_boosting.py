"""Makes `golden/boosting.json`: what NVIDIA NeMo's boosting tree (GPU-PB) answers for TDT models.

It needs an environment of its own, with nemo_toolkit[asr]==3.0.0 and torch==2.13.0, and nothing of
this package:

    python tests/parity/nemo_boosting.py

Each case is the golden model over a golden recording with a list of phrases: offline, and with the
loop of NeMo's `speech_to_text_streaming_infer_rnnt.py`. Decoding is `greedy_batch`, label-looping,
float32 on a processor. The tree is NeMo's fusion model; of weights of one's own per phrase, which
its configuration does not know, the tree is built from its `ContextGraph`. Cases of a batch have
several lists at once (`GPUBiasingMultiModel`), and no durations: of batches NeMo's may be wrong.
"""

import json
import logging
import os
import random
import sys
import wave
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import torch

GOLDEN = Path(__file__).parent / "golden"
MODEL = GOLDEN / "tdt-tiny.nemo"
RECORDINGS = ("cards", "espeak", "jfk", "librivox-short", "pauses", "cut-064000")
CONTEXTS = ("offline", (10, 2, 2), (5, 0.5, 0.5), (2, 0.25, 0.25))
ILL_POSED = [("pauses", (5, 0.5, 0.5)), ("pauses", (2, 0.25, 0.25))]
"""Windows of digital silence: features of it are rounding noise."""
SYLLABLES = ("th", "in", "on", "er", "a", "or", "s", "re", "o", "an", "he", "w", "i", "t", "m")


def lists():
    """Lists by name: (text, weight) each; weight 0 stands for the tree's own score."""
    draw = random.Random(7)

    def word():
        return "".join(draw.choice(SYLLABLES) for _ in range(draw.randint(1, 4)))

    def phrase(most):
        return " ".join(word() for _ in range(draw.randint(1, most)))

    names = ["ask not", "country", "fellow americans", "printing", "the cards", "a the a"]
    some = sorted({phrase(3) for _ in range(60)})
    many = sorted({phrase(2) for _ in range(600)})
    overlapping = ["a b c", "b c d", "a b", "a b c d", "c d a b", "in on", "in on or", "on or a"]
    weights = (0.5, 1.0, 2.0, 3.0, -1.0)
    return {
        "names": [(text, 0.0) for text in names],
        "some": [(text, 0.0) for text in some],
        "many": [(text, 0.0) for text in many],
        "overlapping": [(text, 0.0) for text in overlapping],
        "weighed": [(text, draw.choice(weights)) for text in draw.sample(some, len(some))],
        "avoided": [(text, -draw.choice((1.0, 2.0))) for text in some],
    }


LISTS = lists()
CHOICES = (
    ("some", 1.0, 1.0, 2.0),
    ("many", 1.0, 1.0, 2.0),
    ("many", 0.5, 1.0, 2.0),
    ("some", 2.0, 1.0, 1.0),
    ("weighed", 1.0, 1.0, 2.0),
)
"""List, alpha, context_score, depth_scaling: of every recording and context."""
MORE = (
    ("names", 1.0, 1.0, 2.0),
    ("names", 2.0, 2.0, 2.0),
    ("overlapping", 2.0, 1.0, 2.0),
    ("avoided", 1.0, 1.0, 2.0),
)
"""Of one recording alone."""


def load():
    from nemo.collections.asr.models import ASRModel

    model = ASRModel.restore_from(str(MODEL), map_location="cpu")
    model.freeze()
    model.to(torch.float32)
    model.preprocessor.featurizer.dither = 0.0
    model.preprocessor.featurizer.pad_to = 0
    return model


def decode_with(model, phrases=None, alpha=1.0, score=1.0, scaling=2.0, *, per_stream=False):
    """Gives the model a decoder, with these phrases or with none."""
    from nemo.collections.asr.parts.context_biasing.boosting_graph_batched import (
        BoostingTreeModelConfig,
    )
    from nemo.collections.asr.parts.submodules.rnnt_decoding import RNNTDecodingConfig
    from omegaconf import OmegaConf, open_dict

    chosen = OmegaConf.structured(RNNTDecodingConfig)
    with open_dict(chosen):
        chosen.strategy = "greedy_batch"
        chosen.fused_batch_size = -1
        chosen.greedy.loop_labels = True
        chosen.greedy.max_symbols_per_step = 10
        chosen.tdt_include_token_duration = True
        chosen.model_type = "tdt"
        chosen.durations = list(model.cfg.decoding.durations)
        chosen.greedy.enable_per_stream_biasing = per_stream
        if phrases is not None:
            chosen.greedy.boosting_tree_alpha = alpha
            chosen.greedy.boosting_tree = BoostingTreeModelConfig(
                key_phrases_list=[text for text, _ in phrases],
                context_score=score,
                depth_scaling=scaling,
                use_triton=False,
            )
    model.change_decoding_strategy(chosen, verbose=False)
    computer = model.decoding.decoding.decoding_computer
    if phrases is not None and any(weight for _, weight in phrases):
        computer.fusion_models[0] = tree(model, phrases, score, scaling)
    return computer


def tree(model, phrases, score, scaling):
    from nemo.collections.asr.parts.context_biasing.boosting_graph_batched import (
        GPUBoostingTreeModel,
    )
    from nemo.collections.asr.parts.context_biasing.context_graph_universal import ContextGraph

    graph = ContextGraph(context_score=score, depth_scaling=scaling)
    graph.build(
        token_ids=[model.tokenizer.text_to_ids(text) for text, _ in phrases],
        scores=[weight for _, weight in phrases],
        phrases=[text for text, _ in phrases],
    )
    return GPUBoostingTreeModel.from_context_graph(
        graph, vocab_size=model.tokenizer.vocab_size, unk_score=0.0, use_triton=False
    )


def samples_of(name):
    with wave.open(str(GOLDEN / "audio" / f"{name}.wav")) as file:
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768


@torch.inference_mode()
def windows(model, samples, context):
    """Encoder frames (1, U, D) of each step, from its chunk on, and how many of them are chunk.

    As the loop of NeMo's streaming script cuts them; one window where it is offline.
    """
    audio = torch.as_tensor(samples)[None]
    stride = model.encoder.subsampling_factor * 160
    total, done, found = audio.shape[1], 0, []
    left, chunk, right = (0, total, 0)
    if context != "offline":
        left, chunk, right = (int(seconds * 100 / 8) * stride for seconds in context)
    while done < total:
        is_last = total <= done + chunk + right
        end = total if is_last else done + chunk + right
        # The buffer never holds more than left, chunk and right together.
        begin = max(0, end - (left + chunk + right)) if is_last else max(0, done - left)
        window = audio[:, min(begin, done) : end]
        length = torch.tensor([window.shape[1]])
        encoded, count = model(input_signal=window, input_signal_length=length)
        skipped = (done - min(begin, done)) // stride
        frames = int(count) - skipped if is_last else chunk // stride
        found.append((encoded.transpose(1, 2)[:, skipped:], frames))
        done = total if is_last else done + chunk
    return found


@torch.inference_mode()
def answer(computer, steps, ids=None):
    """Tokens, frames and durations of each stream of a batch, all over the same windows."""
    batch = 1 if ids is None else len(ids)
    more = {} if ids is None else {"multi_biasing_ids": torch.tensor(ids)}
    heard = state = None
    for encoded, frames in steps:
        found, state = computer(
            x=encoded.repeat(batch, 1, 1),
            out_len=torch.full([batch], frames),
            prev_batched_state=state,
            **more,
        )
        heard = found if heard is None else heard.merge_(found)
    return told(heard, batch)


def told(heard, batch):
    counts = heard.current_lengths.tolist()
    return [
        {
            "tokens": heard.transcript[row, : counts[row]].tolist(),
            "frames": heard.timestamps[row, : counts[row]].tolist(),
            "durations": heard.token_durations[row, : counts[row]].tolist(),
        }
        for row in range(batch)
    ]


def cases(model, steps):
    plain = decode_with(model)
    unboosted = {key: answer(plain, each)[0] for key, each in steps.items()}
    found = []
    for chosen in (*CHOICES, *MORE):
        phrases, alpha, score, scaling = chosen
        computer = decode_with(model, LISTS[phrases], alpha, score, scaling)
        for (name, context), each in steps.items():
            if chosen in CHOICES or name == "jfk":
                (heard,) = answer(computer, each)
                case = {"audio": f"{name}.wav", "context": context, "list": phrases}
                case |= {"alpha": alpha, "context_score": score, "depth_scaling": scaling}
                case["differs"] = heard != unboosted[name, context]
                found.append({**case, **heard})
    return found


def batches(model, steps):
    """Several lists at once: no list, and three with alphas of their own."""
    chosen = [("some", 1.0), None, ("weighed", 0.7), ("many", 2.0)]
    computer = decode_with(model, per_stream=True)
    ids = [
        -1
        if each is None
        else computer.biasing_multi_model.add_model(tree(model, LISTS[each[0]], 1.0, 2.0), each[1])
        for each in chosen
    ]
    return [
        {
            "audio": f"{name}.wav",
            "context": context,
            "lists": [None if each is None else list(each) for each in chosen],
            "streams": [without_durations(heard) for heard in answer(computer, each, ids)],
        }
        for (name, context), each in steps.items()
        if name in ("jfk", "cards")
    ]


def without_durations(heard):
    return {name: heard[name] for name in ("tokens", "frames")}


def main():
    logging.disable(logging.WARNING)
    model = load()
    steps = {
        (name, context): windows(model, samples_of(name), context)
        for name in RECORDINGS
        for context in CONTEXTS
        if (name, context) not in ILL_POSED
    }
    answers = {
        "tool": "nemo_toolkit 3.0.0, torch 2.13.0 CPU float32, GPU-PB, greedy_batch",
        "lists": {
            name: [[text, weight, model.tokenizer.text_to_ids(text)] for text, weight in phrases]
            for name, phrases in LISTS.items()
        },
        "cases": cases(model, steps),
        "batches": batches(model, steps),
    }
    lines = json.dumps(answers, separators=(",", ":")).replace('{"audio"', '\n{"audio"')
    (GOLDEN / "boosting.json").write_text(f"{lines}\n", encoding="utf-8")
    changed = sum(each["differs"] for each in answers["cases"])
    sys.stdout.write(f"{len(answers['cases'])} cases, {changed} of them differ from no list\n")


if __name__ == "__main__":
    main()

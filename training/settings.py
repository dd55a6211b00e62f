"""Names of files and all numbers of a run in one place; frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import TransducerConfig


@dataclass(frozen=True)
class Places:
    """Where the stages of a run write their files."""

    work: Path

    @property
    def synthetic(self) -> Path:
        """Folder of synthetic speech."""
        return self.work / "synthetic"

    @property
    def people(self) -> Path:
        """Folder of books that made voices read."""
        return self.work / "people"

    @property
    def phrases_manifest(self) -> Path:
        """List of parts of the training clips."""
        return self.work / "phrases.jsonl"

    @property
    def heard(self) -> Path:
        """What was heard in clips whose texts are looked at."""
        return self.work / "heard.jsonl"

    @property
    def doubts(self) -> Path:
        """List of the clips whose texts are plainly not what is said."""
        return self.work / "doubts.jsonl"

    @property
    def train(self) -> Path:
        """Folder of packed audio."""
        return self.work / "train"

    @property
    def tokenizer(self) -> Path:
        return self.work / "tokenizer.model"

    @property
    def checkpoint(self) -> Path:
        return self.work / "checkpoint.pt"

    @property
    def averaged(self) -> Path:
        """What a checkpoint is the mean of, if it is one."""
        return self.work / "average.json"

    @property
    def weights(self) -> Path:
        """Mean weights alone, to fine-tune from."""
        return self.work / "weights.pt"

    @property
    def log(self) -> Path:
        return self.work / "train.jsonl"

    @property
    def export(self) -> Path:
        """Folder of the model in float32."""
        return self.work / "export"

    @property
    def export_int8(self) -> Path:
        """Folder of the model with int8 weights."""
        return self.work / "export-int8"

    @property
    def export_cached(self) -> Path:
        """Folder of the model in float32 with an encoder that keeps its past."""
        return self.work / "export-cached"

    @property
    def export_cached_int8(self) -> Path:
        """The same with int8 weights."""
        return self.work / "export-cached-int8"

    @property
    def evaluation(self) -> Path:
        return self.work / "evaluation.json"

    @property
    def card(self) -> Path:
        return self.work / "README.md"


@dataclass(frozen=True)
class Phase:
    """A part of the curriculum."""

    name: str
    until: float
    """Part of the whole run, 0 to 1, at which it ends."""
    longest_s: float
    """Longest example, without the silence around it."""
    least_steps: int = 0
    """Steps at which it ends at the soonest, however short the run."""
    digits_only: bool = False
    augmentation: float = 0.0
    """How likely and how strong, 0 to 1."""


# Mixed data from the start leaves CTC on its plateau for long; a few words repeated, in short and
# clean strings, teach it to align within minutes, and everything else builds on that.
CURRICULUM = (
    Phase("digits", 0.03, 4.0, least_steps=200, digits_only=True),
    Phase("short", 0.12, 5.0, least_steps=600, augmentation=0.3),
    Phase("all", 1.0, 16.0, augmentation=0.35),
)


@dataclass(frozen=True)
class Optimisation:
    """How the weights are found."""

    batch_s: float = 100.0
    """Seconds of audio, padding included, in one step."""
    pool_batches: int = 24
    """Batches' worth of examples that are sorted by length together. With few clips, many of these
    put copies of one clip into one batch, and nothing is learnt; use 1 then.
    """
    peak_rate: float = 3e-3
    last_rate: float = 1e-5
    warmup_steps: int = 150
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    ema_decay: float = 0.995
    tdt_from: float = 0.65
    """Part of the run at which the transducer's loss comes in; before, there is CTC alone.

    A step with it takes twice as long, and the prediction network learns texts faster than the
    encoder learns sounds: too early, it takes over, and CTC stays on its plateau.
    """
    tdt_full: float = 0.75
    """Part of the run at which it has its full weight."""
    ctc_weight: float = 0.5
    """Weight of CTC beside the full transducer's loss."""
    middle_ctc: float = 0.3
    """Part of CTC's loss that is taken from the frames in the middle of the encoder."""
    taught_weight: float = 2.0
    """Weight of the error in a teacher's vectors, if there is a teacher: the mean square over
    frames and dimensions, which is 1 for a prediction of their mean.
    """
    sigma: float = 0.05
    omega: float = 0.1
    """Part of the steps that take the loss without durations."""
    windowed: float = 0.25
    """Part of the steps with the transducer's loss that encode random windows."""
    cached: float = 0.2
    """Part of them that encode as cached streams do."""


@dataclass(frozen=True)
class Recipe:
    """All settings of a run."""

    model: TransducerConfig = field(default_factory=TransducerConfig)
    optimisation: Optimisation = field(default_factory=Optimisation)
    curriculum: tuple[Phase, ...] = CURRICULUM
    pieces: int = 128
    """Pieces of the tokenizer, without the blank."""
    joined: float = 0.35
    """Part of the examples that are several clips, one after the other."""
    wordless: float = 0.03
    """Part of the examples that have no words, where augmentation is full."""
    corpus_weights: tuple[tuple[str, float], ...] = (
        ("grid", 0.15),
        ("asterisk-en", 0.5),
        # Few texts, said by many:
        ("dspspeech-20", 0.3),
        ("picovoice-wake-words", 0.3),
        ("coswara-counting", 0.3),
        ("speech-commands", 0.5),
        # Numbers, and books:
        ("an4", 1.5),
        ("coswara-numbers", 1.5),
        ("librispeech-train-clean-100", 1.5),
    )
    """How often a clip of a corpus is drawn; 1 for a corpus that is not named."""
    seed: int = 1


def full_recipe() -> Recipe:
    """16 million parameters, for the built-in model."""
    encoder = EncoderConfig(subsampling_channels=24, width=256, layers=10, heads=4)
    return Recipe(TransducerConfig(encoder))


def smoke_recipe() -> Recipe:
    """So small that the whole chain takes a minute; it learns next to nothing."""
    encoder = EncoderConfig(subsampling_channels=8, width=48, layers=2, heads=2)
    model = TransducerConfig(encoder, vocabulary=33, predictor_width=32, joint_width=32)
    optimisation = Optimisation(
        batch_s=24.0, peak_rate=3e-3, warmup_steps=5, ema_decay=0.9, tdt_from=0.2, tdt_full=0.4
    )
    curriculum = tuple(replace(phase, least_steps=0) for phase in CURRICULUM)
    return Recipe(model, optimisation, curriculum, pieces=32)

"""Nothing in; the files beside this one out: a random model of transformers, and what it answers.

Run it where transformers (5.23 wrote what is here), sentencepiece and protobuf are installed:
`python write.py`. The tests need none of these but sentencepiece.
"""

import io
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from transformers import (
    ParakeetEncoderConfig,
    ParakeetForTDT,
    ParakeetTDTConfig,
    ParakeetTokenizer,
)
from transformers.convert_slow_tokenizer import ParakeetConverter

HERE = Path(__file__).parent
PIECES = 24
LENGTHS = (37, 24)
TOKENS = ((PIECES, 3, 5), (PIECES, 7, 0))


def write_tokenizer() -> None:
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["one two three four five six seven eight nine zero"] * 9),
        model_writer=trained,
        model_type="bpe",
        vocab_size=PIECES,
        unk_id=0,
        pad_id=1,
        bos_id=-1,
        eos_id=-1,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    (HERE / "tokenizer.model").write_bytes(trained.getvalue())
    tokenizer = ParakeetTokenizer(
        tokenizer_object=ParakeetConverter(str(HERE / "tokenizer.model")).converted(),
        clean_up_tokenization_spaces=False,
    )
    tokenizer.add_tokens(["<blank>"])
    tokenizer.save_pretrained(HERE)
    (HERE / "tokenizer_config.json").unlink()


def new_model() -> ParakeetForTDT:
    encoder = ParakeetEncoderConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_kernel_size=5,
        subsampling_conv_channels=4,
        num_mel_bins=80,
        scale_input=False,
    )
    config = ParakeetTDTConfig(
        vocab_size=PIECES + 1,
        blank_token_id=PIECES,
        pad_token_id=1,
        decoder_hidden_size=12,
        num_decoder_layers=2,
        encoder_config=encoder.to_dict(),
    )
    torch.manual_seed(0)
    model = ParakeetForTDT(config).eval()
    for name, values in model.state_dict().items():
        if "running_var" in name:
            torch.nn.init.uniform_(values, 0.5, 2)
        elif values.is_floating_point():
            torch.nn.init.normal_(values, 0.5 if "norm" in name else 0.0, 0.3)
    return model


@torch.no_grad()
def answers(model: ParakeetForTDT, features: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Frames (B, U, D) and raw logits (B, U, n, V + durations); rows end where theirs do."""
    steps = torch.arange(features.shape[2])
    mask = steps[None, :] < torch.tensor(LENGTHS)[:, None]
    encoded = model.get_audio_features(features.transpose(1, 2), attention_mask=mask)
    histories = model.decoder(torch.tensor(TOKENS))
    logits = model.joint(histories[:, None], encoded.pooler_output[:, :, None])
    return encoded.last_hidden_state.numpy(), logits.numpy()


def main() -> None:
    write_tokenizer()
    model = new_model()
    model.save_pretrained(HERE)
    (HERE / "generation_config.json").unlink()
    features = torch.randn(2, 80, max(LENGTHS)).half()
    frames, logits = answers(model, features.float())
    model.encoder.input_scale = 4.0  # what scale_input sets at this width
    scaled_frames, _ = answers(model, features.float())
    np.savez(
        HERE / "expected.npz",
        features=features.numpy(),
        lengths=LENGTHS,
        tokens=TOKENS,
        frames=frames,
        logits=logits,
        scaled_frames=scaled_frames,
    )


if __name__ == "__main__":
    main()

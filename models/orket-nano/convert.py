"""Convert trained weights to the F16 GGUF file of orket-nano.

    pip install -e ".[train]"
    python models/orket-nano/convert.py weights.pt orket-nano-F16.gguf

On the way the channels are rescaled (see `rescale`), so that quantization costs this small model
what it costs a large one. The defaults are the ones the published files were made with.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import torch
from torch import Tensor

TOKENIZER_PATH: Final = Path(__file__).resolve().parent / "tokenizer.json"
SPECIAL_TOKENS: Final = tuple(
    f"<|{name}|>" for name in ("bos", "eos", "user", "assistant", "system", "pad")
)
CHAT_TEMPLATE: Final = (
    "{% for m in messages %}"
    "{% if m['role'] == 'user' %}<|user|>{{ m['content'] }}<|assistant|>"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] }}<|eos|>{% endif %}"
    "{% endfor %}"
)
# These three cannot be read off the shapes of the tensors.
HEAD_WIDTH: Final = 64
ROPE_BASE: Final = 10_000.0
NORM_EPSILON: Final = 1e-5
# Training reached 1,024 positions. The file allows twice as many on purpose: where the model stops
# being right is for a sweep to find out.
CONTEXT_LENGTH: Final = 2048
SCALE_LIMIT: Final = 64.0

Weights = dict[str, Tensor]


def layer_count(weights: Weights) -> int:
    """Return the number of layers."""
    return sum(name.endswith(".attn_q.weight") for name in weights)


def rescale(weights: Weights, sigma: float, seed: int) -> None:
    """Spread the channels over orders of magnitude without changing what the model computes.

    Each scale is exp(sigma * z) with z from the standard normal distribution, divided out in one
    tensor and multiplied in again in the next one. Block quantization gives the weights of a block
    one common scale, so it suffers from the spread as it does in large models.

    Args:
        weights: Tensors by name, changed in place; matrices are (outputs, inputs).
        sigma: Standard deviation of the logarithm of a scale; 0 leaves the weights as they are.
        seed: Seed of the scales.
    """
    generator = torch.Generator().manual_seed(seed)

    def scales(channels: int) -> Tensor:
        spread = torch.exp(sigma * torch.randn(channels, generator=generator))
        return spread.clamp(1 / SCALE_LIMIT, SCALE_LIMIT)

    def columns(name: str, scale: Tensor) -> None:
        weights[name] = weights[name] * scale

    def rows(name: str, scale: Tensor) -> None:
        weights[name] = weights[name] / scale.reshape(-1, *[1] * (weights[name].ndim - 1))

    for layer in range(layer_count(weights)):
        block = f"blk.{layer}."
        for norm, readers in (
            ("attn_norm", ("attn_q", "attn_k", "attn_v")),
            ("ffn_norm", ("ffn_gate", "ffn_up")),
        ):
            scale = scales(len(weights[f"{block}{norm}.weight"]))
            rows(f"{block}{norm}.weight", scale)
            for reader in readers:
                columns(f"{block}{reader}.weight", scale)
        scale = scales(len(weights[f"{block}ffn_up.weight"]))
        rows(f"{block}ffn_up.weight", scale)
        columns(f"{block}ffn_down.weight", scale)
        scale = scales(len(weights[f"{block}attn_v.weight"]))
        rows(f"{block}attn_v.weight", scale)
        columns(f"{block}attn_output.weight", _per_query_head(scale, weights, block))


def _per_query_head(scale: Tensor, weights: Weights, block: str) -> Tensor:
    """Return the scales of value channels, repeated for the query heads that share a head."""
    inputs = weights[f"{block}attn_output.weight"].shape[1]
    sharing = inputs // len(scale)
    return scale.reshape(-1, 1, HEAD_WIDTH).expand(-1, sharing, HEAD_WIDTH).reshape(inputs)


def add_shape(writer: gguf.GGUFWriter, weights: Weights) -> None:
    """Write the metadata that describes the network."""
    vocabulary, width = weights["token_embd.weight"].shape
    writer.add_name("orket-nano")
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(width)
    writer.add_block_count(layer_count(weights))
    writer.add_feed_forward_length(len(weights["blk.0.ffn_up.weight"]))
    writer.add_head_count(len(weights["blk.0.attn_q.weight"]) // HEAD_WIDTH)
    writer.add_head_count_kv(len(weights["blk.0.attn_k.weight"]) // HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(NORM_EPSILON)
    writer.add_rope_dimension_count(HEAD_WIDTH)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer: dict[str, Any]) -> None:
    """Write the vocabulary, the merges, the special tokens and the chat template.

    Args:
        writer: The file.
        tokenizer: Content of tokenizer.json.
    """
    ids: dict[str, int] = tokenizer["model"]["vocab"]
    tokens = sorted(ids, key=ids.__getitem__)
    merges = tokenizer["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [
            gguf.TokenType.CONTROL if token in SPECIAL_TOKENS else gguf.TokenType.NORMAL
            for token in tokens
        ]
    )
    # Versions of the tokenizers package differ in how they write a merge: as a pair or as a text.
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_bos_token_id(ids["<|bos|>"])
    writer.add_eos_token_id(ids["<|eos|>"])
    writer.add_pad_token_id(ids["<|pad|>"])
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def write(path: Path, weights: Weights, tokenizer: dict[str, Any]) -> None:
    """Write the GGUF file: matrices in half precision, norms in single precision."""
    writer = gguf.GGUFWriter(path, "llama")
    add_shape(writer, weights)
    add_tokenizer(writer, tokenizer)
    for name, tensor in weights.items():
        precision = np.float32 if tensor.ndim == 1 else np.float16
        writer.add_tensor(name, tensor.float().numpy().astype(precision))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """Convert as the command line says."""
    parser = argparse.ArgumentParser(description="Convert weights of train.py to GGUF.")
    parser.add_argument("weights", type=Path, help="state dict that train.py saved")
    parser.add_argument("out", type=Path, help="GGUF file to write")
    parser.add_argument("--sigma", type=float, default=0.75, help="spread of the channels")
    parser.add_argument("--seed", type=int, default=0, help="seed of the spread")
    options = parser.parse_args()
    weights: Weights = torch.load(options.weights, map_location="cpu", weights_only=True)
    rescale(weights, options.sigma, options.seed)
    write(options.out, weights, json.loads(TOKENIZER_PATH.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()

"""Train orket-nano from scratch, or further, on the CPU.

    pip install -e ".[train]"
    python models/orket-nano/train.py --minutes 60 --out weights.pt
    python models/orket-nano/train.py --minutes 60 --init weights.pt --out weights.pt

The examples come from `families.py`; loss is taken on answers only. The accuracy of every family
is printed every 500 steps. The module names give the parameters the names that llama.cpp has for
them, so `convert.py` needs no table of names.

Shapes in the docstrings: N rows, T tokens of a row, D width, H heads, E width of a head, V entries
of the vocabulary.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from families import FAMILIES, Example, Family, ask_marked, draw
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

TOKENIZER_PATH = Path(__file__).resolve().parent / "tokenizer.json"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Size of the network.

    The widths are multiples of 256 because k-quants pack blocks of 256 weights of a row.
    """

    layers: int = 4
    width: int = 256
    heads: int = 4
    kv_heads: int = 2
    head_width: int = 64
    feed_forward: int = 768
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5
    positions: int = 4096


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a training run besides the data."""

    minutes: float = 60.0
    rate: float = 1e-3
    seed: int = 1
    warmup_steps: int = 200
    last_rate_share: float = 0.02
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.05
    gradient_norm: float = 1.0
    batch_tokens: int = 2048
    report_every: int = 500
    report_tasks: int = 40
    report_seed: int = 99
    report_sentences: tuple[int, ...] = (30, 60, 110, 160)
    # Short rows first: they teach the families cheaply. Long ones come once those are learnt.
    first_row_tokens: int = 192
    long_rows_from: float = 0.45
    later_row_tokens: tuple[int, int] = (256, 1024)
    later_short_share: float = 0.6

    def rate_at(self, step: int, done: float) -> float:
        """Return the learning rate: linear warm-up times a cosine over the share of time done."""
        cosine = 0.5 * (1 - self.last_rate_share) * (1 + math.cos(math.pi * done))
        warmup = min(1.0, (step + 1) / self.warmup_steps)
        return self.rate * warmup * (cosine + self.last_rate_share)

    def row_tokens_at(self, random: Random, done: float) -> int:
        """Return the row length of the next batch."""
        if done < self.long_rows_from:
            return self.first_row_tokens
        short, long = self.later_row_tokens
        return short if random.random() < self.later_short_share else long


class Codec:
    """Turns examples into token ids in the chat format of the model."""

    def __init__(self, path: Path) -> None:
        """Load the tokenizer."""
        self._tokenizer = Tokenizer.from_file(str(path))
        self.size: int = self._tokenizer.get_vocab_size()
        self.bos, self.eos, self.user, self.assistant, self.pad = (
            self._tokenizer.token_to_id(f"<|{name}|>")
            for name in ("bos", "eos", "user", "assistant", "pad")
        )

    def encode(self, example: Example) -> tuple[list[int], list[int]]:
        """Return the ids of the prompt and those of the reply, its end mark included."""
        question = self._tokenizer.encode(example.instruction).ids
        answer = self._tokenizer.encode(example.answer).ids
        return [self.bos, self.user, *question, self.assistant], [*answer, self.eos]


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return x with rotary position embedding.

    Neighbouring elements form a pair, as llama.cpp expects of architecture `llama`.

    Args:
        x: Queries or keys, (N, H, T, E).
        cos: Cosines of the angles, (T, E / 2).
        sin: Sines of the angles, (T, E / 2).
    """
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


class Norm(nn.Module):
    """Root-mean-square norm with a weight for each channel."""

    def __init__(self, shape: Shape) -> None:
        """Start with weights of one."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self._epsilon = shape.norm_epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return x (N, T, D) normalised over D."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self._epsilon)


class Block(nn.Module):
    """One layer: grouped-query attention, then a gated feed-forward network."""

    def __init__(self, shape: Shape) -> None:
        """Make the projections, all without bias."""
        super().__init__()
        self._shape = shape
        queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
        self.attn_norm, self.ffn_norm = Norm(shape), Norm(shape)
        self.attn_q = nn.Linear(shape.width, queries, bias=False)
        self.attn_k = nn.Linear(shape.width, keys, bias=False)
        self.attn_v = nn.Linear(shape.width, keys, bias=False)
        self.attn_output = nn.Linear(queries, shape.width, bias=False)
        self.ffn_gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def _split(self, x: Tensor) -> Tensor:
        """Return x (N, T, H * E) as heads (N, H, T, E)."""
        rows, tokens, _ = x.shape
        return x.view(rows, tokens, -1, self._shape.head_width).transpose(1, 2)

    def _attend(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        """Return what attention adds to x (N, T, D)."""
        query = rotate(self._split(self.attn_q(x)), cos, sin)
        key = rotate(self._split(self.attn_k(x)), cos, sin)
        value = self._split(self.attn_v(x))
        sharing = self._shape.heads // self._shape.kv_heads
        heads = functional.scaled_dot_product_attention(
            query,
            key.repeat_interleave(sharing, dim=1),
            value.repeat_interleave(sharing, dim=1),
            attn_mask=mask,
            is_causal=mask is None,
        )
        return self.attn_output(heads.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        """Return the hidden states (N, T, D) after this layer.

        Args:
            x: Hidden states before it, (N, T, D).
            cos: Cosines of the rotary angles, (T, E / 2).
            sin: Sines of the rotary angles, (T, E / 2).
            mask: True where a token may look, (N, 1, T, T); plain causal attention without it.
        """
        x = x + self._attend(self.attn_norm(x), cos, sin, mask)
        normed = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(normed)) * self.ffn_up(normed))


class Model(nn.Module):
    """The decoder; the embedding is also the output matrix."""

    def __init__(self, shape: Shape, codec: Codec) -> None:
        """Draw the weights from a normal distribution of deviation 0.02."""
        super().__init__()
        self._bos = codec.bos
        self.token_embd = nn.Embedding(codec.size, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0.0, 0.02)
        pair = torch.arange(0, shape.head_width, 2) / shape.head_width
        angle = torch.outer(torch.arange(shape.positions).float(), 1 / shape.rope_base**pair)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def _mask(self, ids: Tensor) -> Tensor | None:
        """Return a mask (N, 1, T, T) that parts the examples of a row, None where there is one.

        An example begins with the mark for the beginning of a text.
        """
        example = (ids == self._bos).cumsum(dim=1)
        if not (example[:, -1] > 1).any():
            return None
        tokens = ids.shape[1]
        causal = torch.ones(tokens, tokens, dtype=torch.bool).tril()
        return ((example[:, :, None] == example[:, None, :]) & causal)[:, None]

    def forward(self, ids: Tensor) -> Tensor:
        """Return the last hidden states (N, T, D) of token ids (N, T)."""
        tokens, mask = ids.shape[1], self._mask(ids)
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, self.cos[:tokens], self.sin[:tokens], mask)
        return self.output_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the scores (..., V) of hidden states (..., D)."""
        return hidden @ self.token_embd.weight.T


def pack_row(random: Random, codec: Codec, row_tokens: int) -> tuple[list[int], list[bool]]:
    """Return the ids of one row of examples, and for each whether it belongs to an answer.

    The row ends before the first example that does not fit; both lists are filled up to
    `row_tokens` + 1, since targets are inputs shifted by one.
    """
    size = row_tokens + 1
    ids: list[int] = []
    answers: list[bool] = []
    while True:
        prompt, reply = codec.encode(draw(random, row_tokens))
        if len(ids) + len(prompt) + len(reply) > size:
            if not ids:
                continue
            break
        ids += prompt + reply
        answers += [False] * len(prompt) + [True] * len(reply)
    rest = size - len(ids)
    return ids + [codec.pad] * rest, answers + [False] * rest


def make_batch(
    random: Random, codec: Codec, row_tokens: int, batch_tokens: int
) -> tuple[Tensor, Tensor]:
    """Return token ids and the mask of answers, both (N, T + 1) with N * T <= batch_tokens."""
    rows = [pack_row(random, codec, row_tokens) for _ in range(batch_tokens // row_tokens)]
    ids, answers = zip(*rows, strict=True)
    return torch.tensor(ids), torch.tensor(answers)


def loss_of(model: Model, ids: Tensor, answers: Tensor) -> Tensor:
    """Return the mean cross-entropy over the answer tokens of a batch (N, T + 1)."""
    targets = answers[:, 1:]
    logits = model.logits(model(ids[:, :-1])[targets])
    return functional.cross_entropy(logits, ids[:, 1:][targets])


@torch.no_grad()
def accuracy(model: Model, codec: Codec, family: Family, recipe: Recipe) -> float:
    """Return the share of tasks of which every answer token is the most probable one."""
    random, right = Random(recipe.report_seed), 0
    for _ in range(recipe.report_tasks):
        prompt, reply = codec.encode(family(random))
        hidden = model(torch.tensor([prompt + reply])[:, :-1])
        best = model.logits(hidden[0, len(prompt) - 1 :]).argmax(dim=-1)
        right += best.tolist() == reply
    return right / recipe.report_tasks


def _marked_with(sentences: int) -> Family:
    return lambda random: ask_marked(random, sentences)


def report(model: Model, codec: Codec, recipe: Recipe) -> None:
    """Print the accuracy of every family and of long retrieval texts."""
    families: dict[str, Family] = dict(FAMILIES)
    families |= {f"marked@{count}": _marked_with(count) for count in recipe.report_sentences}
    for name, family in families.items():
        print(f"  {name:<12} {accuracy(model, codec, family, recipe):.2f}", flush=True)


def train(model: Model, codec: Codec, recipe: Recipe, checkpoint: Callable[[], None]) -> None:
    """Train until the time is used up.

    The schedule follows the clock, so a slower machine takes fewer steps and the weights of two
    runs differ even with the same seed.
    """
    random = Random(recipe.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, betas=recipe.betas, weight_decay=recipe.weight_decay
    )
    start, step = time.monotonic(), 0
    while (done := (time.monotonic() - start) / (recipe.minutes * 60)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate_at(step, done)
        row_tokens = recipe.row_tokens_at(random, done)
        loss = loss_of(model, *make_batch(random, codec, row_tokens, recipe.batch_tokens))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_norm)
        optimizer.step()
        step += 1
        if step % recipe.report_every == 0:
            print(f"step {step}, {time.monotonic() - start:.0f} s, loss {loss.item():.3f}")
            checkpoint()
    checkpoint()


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description="Train orket-nano on the CPU.")
    parser.add_argument("--minutes", type=float, default=Recipe.minutes)
    parser.add_argument("--rate", type=float, default=Recipe.rate, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--init", type=Path, help="weights to go on from")
    parser.add_argument("--out", type=Path, default=Path("weights.pt"))
    options = parser.parse_args()
    recipe = Recipe(minutes=options.minutes, rate=options.rate, seed=options.seed)
    torch.manual_seed(recipe.seed)
    codec = Codec(TOKENIZER_PATH)
    model = Model(Shape(), codec)
    if options.init:
        model.load_state_dict(torch.load(options.init, weights_only=True))

    def checkpoint() -> None:
        torch.save(model.state_dict(), options.out)
        report(model, codec, recipe)

    train(model, codec, recipe, checkpoint)


if __name__ == "__main__":
    main()

"""The reference model with the chat template of a model that thinks, such as Qwen's."""

from __future__ import annotations

from pathlib import Path

import gguf
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from nano import nano_file

TEMPLATE = (
    "{%- for m in messages %}{%- if m.role == 'assistant' %}{{- '<|assistant|>' }}"
    "{%- if m.reasoning_content %}{{- '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' }}"
    "{%- endif %}{{- m.content + '<|eos|>' }}"
    "{%- else %}{{- '<|user|>' + m.content }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- else %}{{- '<think>\\n' }}{%- endif %}{%- endif %}"
)
_EOS, _PADDING = 1, 5


def thinking_nano(folder: Path, tag: str = "Q4_K_M") -> Path:
    """Write the model, and return its path.

    Its end of text is a word like any other, so it thinks until something ends it.
    """
    path = folder / f"thinking-{tag}.gguf"
    reader = gguf.GGUFReader(nano_file(tag))
    writer = gguf.GGUFWriter(path, "llama")
    kinds = reader.fields[gguf.Keys.Tokenizer.TOKEN_TYPE].contents()
    kinds[_EOS] = gguf.TokenType.USER_DEFINED
    changed = {
        gguf.Keys.Tokenizer.TOKEN_TYPE: MetadataDetails(
            gguf.GGUFValueType.ARRAY, kinds, sub_type=gguf.GGUFValueType.INT32
        ),
        gguf.Keys.Tokenizer.CHAT_TEMPLATE: MetadataDetails(gguf.GGUFValueType.STRING, TEMPLATE),
        gguf.Keys.Tokenizer.EOS_ID: MetadataDetails(gguf.GGUFValueType.UINT32, _PADDING),
    }
    copy_with_new_metadata(reader, writer, changed, [])
    return path

"""The last words of llama.cpp servers, old and new."""

from __future__ import annotations

from pathlib import Path

import pytest

from orket_lib.providers.llama_cpp.log import errors_in, tail_of

NEW = """\
0.00.003.585 I cmn  common_param: common_params_print_info: verbosity = 3
0.00.004.107 W srv  llama_server: CORS is set to allow all origins; no failure of ours
0.00.006.956 E gguf_init_from_reader: invalid magic characters: 'noth', expected 'GGUF'
0.00.007.077 E llama_model_load: error loading model: failed to load model from bad.gguf
0.00.007.095 E llama_model_load_from_file_impl: failed to load model
0.00.007.190 I srv    operator(): cleaning up before exit...
"""
OLD = """\
build: 4367 (1a2b3c4d) with cc (Debian 12.2.0-14) 12.2.0 for x86_64-linux-gnu
main: HTTP server is listening, hostname: 127.0.0.1, port: 8080, http threads: 15
main: loading model
gguf_init_from_file: invalid magic characters: 'noth', expected 'GGUF'
llama_model_load: error loading model: failed to load model from bad.gguf
common_init_from_params: failed to load model 'bad.gguf'
main: exiting due to model loading error
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            NEW,
            "gguf_init_from_reader: invalid magic characters: 'noth', expected 'GGUF'; "
            "llama_model_load: error loading model: failed to load model from bad.gguf",
            id="new",
        ),
        pytest.param(
            OLD,
            "gguf_init_from_file: invalid magic characters: 'noth', expected 'GGUF'; "
            "llama_model_load: error loading model: failed to load model from bad.gguf",
            id="old",
        ),
        ("error: invalid argument: --foo\n", "error: invalid argument: --foo"),
        (
            "0.01.2 E srv: couldn't bind HTTP server socket, port: 1\r\n",
            "srv: couldn't bind HTTP server socket, port: 1",
        ),
        (
            "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9 MiB failed: out of memory\n",
            "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9 MiB failed: out of memory",
        ),
        ("main: model loaded\nsrv  update_slots: all slots are idle\n", ""),
        ("", ""),
    ],
)
def test_the_first_errors_are_what_a_log_says(text: str, said: str) -> None:
    assert errors_in(text) == said


def test_a_word_in_another_word_is_no_error() -> None:
    assert errors_in("0.0.1 I the errors_total counter\nload: terrorize_failover = 1\n") == ""


def test_a_long_line_is_cut() -> None:
    assert len(errors_in("error: " + "x" * 5000)) == 200


def test_the_end_of_a_log_is_read_and_no_log_is_an_empty_one(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    assert tail_of(log) == ""
    log.write_bytes(b"old\n" * 100_000 + b"\xff the end\n")
    assert tail_of(log).endswith("\ufffd the end\n")
    assert len(tail_of(log)) < 10_000

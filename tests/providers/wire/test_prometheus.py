from __future__ import annotations

from collections.abc import Iterator

import pytest

from orket_lib.providers.wire import prometheus
from orket_lib.providers.wire.prometheus import Traffic, Window, samples, settled, traffic

EXPOSITION = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a } b"} 1.0
vllm:num_requests_running{engine="1",model_name="a } b"} 2.0
vllm:num_requests_waiting{engine="0",model_name="a } b"} 0.0 1395066363000
vllm:request_success_total{engine="0",finished_reason="stop"} 1.2e+01
vllm:request_success_total{engine="0",finished_reason="length"} 3.0
vllm:prefix_cache_hits_total{engine="0"} 480.0
vllm:time_to_first_token_seconds_bucket{le="+Inf"} 15.0
python_gc_objects_collected_total 7
process_start_time_seconds NaN
torn{engine="0"
no_number yes
"""


def test_values_are_summed_over_labels() -> None:
    found = samples(EXPOSITION)
    assert found["vllm:num_requests_running"] == 3.0
    assert found["vllm:request_success_total"] == 15.0
    assert found["python_gc_objects_collected_total"] == 7.0


def test_what_is_no_number_is_no_sample() -> None:
    assert {"process_start_time_seconds", "torn", "no_number"}.isdisjoint(samples(EXPOSITION))
    assert samples("") == {}


def test_traffic_of_servers_that_we_know() -> None:
    assert traffic(samples(EXPOSITION)) == Traffic(ended=15, busy=3, cached=480)
    sglang = {"sglang:num_running_reqs": 2.0, "sglang:num_queue_reqs": 1.0}
    assert traffic(sglang) == Traffic(ended=0, busy=3, cached=None)
    assert traffic({"http_requests_total": 3.0}) is None


def test_one_request_that_a_late_gauge_still_shows_is_nobodys() -> None:
    """SGLang's shows our own last one for up to half a minute: then nothing is known."""
    late = {
        "sglang:num_running_reqs": 1.0,
        "sglang:num_queue_reqs": 0.0,
        "sglang:num_requests_total": 6.0,
        "sglang:cached_tokens_total": 40.0,
    }
    assert traffic(late) == Traffic(ended=6, busy=0, cached=None)
    assert traffic(late | {"sglang:num_running_reqs": 0.0}) == Traffic(ended=6, busy=0, cached=40)
    vllm = {"vllm:num_requests_running": 1.0, "vllm:num_requests_waiting": 0.0}
    found = traffic(vllm)
    assert found is not None
    assert found.busy == 1


def looks(*seen: Traffic | None) -> Iterator[Traffic | None]:
    """Yield what a server counts, the last of it for ever."""
    yield from seen
    while True:
        yield seen[-1]


BEFORE = Traffic(ended=10, busy=0, cached=100)


@pytest.mark.parametrize(
    ("before", "seen", "window"),
    [
        pytest.param(BEFORE, [Traffic(11, 0, 140)], Window(None, 40), id="ours alone"),
        pytest.param(BEFORE, [Traffic(11, 0, None)], Window(None, None), id="no such counter"),
        pytest.param(
            BEFORE,
            [BEFORE, Traffic(10, 1, 140), Traffic(11, 0, 140)],
            Window(None, 40),
            id="counters lag behind the answer",
        ),
        pytest.param(
            BEFORE,
            [Traffic(13, 0, 140)],
            Window("requests of other clients: 2 others ended during ours", None),
            id="others ended",
        ),
        pytest.param(
            BEFORE,
            [Traffic(11, 1, 140)],
            Window("requests of other clients: 1 running after ours", None),
            id="others go on",
        ),
        pytest.param(
            Traffic(10, 2, 100),
            [Traffic(11, 0, 140)],
            Window("requests of other clients: 2 running when ours began", None),
            id="others were there before",
        ),
        pytest.param(BEFORE, [BEFORE], Window(None, None), id="ours was not counted"),
        pytest.param(BEFORE, [Traffic(1, 0, 0)], Window(None, None, True), id="a restart"),
        pytest.param(BEFORE, [None], None, id="gone"),
    ],
)
def test_a_window_around_one_request_of_ours(
    before: Traffic,
    seen: list[Traffic | None],
    window: Window | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prometheus, "_SETTLE_S", 0.5)
    server = looks(*seen)
    assert settled(lambda: next(server), before) == window

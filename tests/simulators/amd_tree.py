"""A stand-in for what the Linux kernel shows of AMD cards: sysfs, KFD and `fdinfo`. Synthetic.

Forms: the amdgpu driver's documentation (mem_info_vram_*, gpu_busy_percent, hwmon in millidegrees,
microwatts and hertz, pwm1 of 255), the kernel's kgd_pp_interface.h (gpu_metrics) and amdgpu_smu.h
(bits of indep_throttle_status), KFD's topology and proc folders, and drm-usage-stats (fdinfo).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

RDNA = {
    "mem_info_vram_total": f"{16 << 30}\n",
    "mem_info_vram_used": f"{4 << 30}\n",
    "gpu_busy_percent": "37\n",
    "unique_id": "c0ffee0123456789\n",
    "product_name": "AMD Radeon Pro W7900\n",
    "current_link_speed": "16.0 GT/s PCIe\n",
    "current_link_width": "16\n",
}
# A card without a name of its own, as most that are no professional ones: only PCI's numbers.
CONSUMER = {
    "mem_info_vram_total": f"{24 << 30}\n",
    "device": "0x744c\n",
    "revision": "0xc8\n",
}
SENSORS = {
    "temp1_input": "61000\n",
    "power1_average": "75500000\n",
    "power1_cap": "241000000\n",
    "freq1_input": "2100000000\n",
    "freq2_input": "1124000000\n",
    "pwm1": "51\n",
}


def add_card(
    root: Path,
    number: int = 0,
    files: Mapping[str, str] = RDNA,
    sensors: Mapping[str, str] = SENSORS,
    metrics: bytes | None = None,
) -> Path:
    """Add a card to a tree and return its `device` folder, as the kernel does: by a link."""
    bus = root / "devices" / f"0000:0{number + 3}:00.0"
    hwmon = bus / "hwmon" / f"hwmon{number + 2}"
    hwmon.mkdir(parents=True)
    (bus / "drm" / f"renderD{128 + number}").mkdir(parents=True)
    for folder, content in ((bus, files), (hwmon, sensors)):
        for name, text in content.items():
            (folder / name).write_text(text, encoding="ascii")
    if metrics is not None:
        (bus / "gpu_metrics").write_bytes(metrics)
    card = root / "class" / "drm" / f"card{number}"
    card.mkdir(parents=True)
    (card / "device").symlink_to(bus)
    return card / "device"


def gpu_metrics(form: int, content: int, throttle: int) -> bytes:
    """Return a metrics table with its throttle status where that version has it."""
    place = 112 if form == 1 else 120
    head = struct.pack("<HBB", place + 8, form, content)
    return head + bytes(place - len(head)) + struct.pack("<Q", throttle)


def add_kfd(root: Path, number: int, processes: Mapping[int, int]) -> None:
    """Add a card's node to KFD, and compute processes by pid with the bytes that they hold."""
    kfd, gpu_id = root / "class" / "kfd" / "kfd", 40000 + number
    node = kfd / "topology" / "nodes" / str(number + 1)
    node.mkdir(parents=True)
    (node / "properties").write_text(
        f"simd_count 120\ndrm_render_minor {128 + number}\n", encoding="ascii"
    )
    (node / "gpu_id").write_text(f"{gpu_id}\n", encoding="ascii")
    (kfd / "proc").mkdir(exist_ok=True)
    for pid, held in processes.items():
        (kfd / "proc" / str(pid)).mkdir()
        (kfd / "proc" / str(pid) / f"vram_{gpu_id}").write_text(f"{held}\n", encoding="ascii")


def add_fdinfo(proc: Path, pid: int, *files: str) -> None:
    """Add the open files of a process."""
    folder = proc / str(pid) / "fdinfo"
    folder.mkdir(parents=True)
    for number, text in enumerate(files):
        (folder / str(number)).write_text(text, encoding="ascii")


def drm_client(pci: str, client: int, vram: str) -> str:
    """Return the `fdinfo` of a file of the amdgpu driver."""
    return (
        f"pos:\t0\nflags:\t02100002\ndrm-driver:\tamdgpu\ndrm-client-id:\t{client}\n"
        f"drm-pdev:\t{pci}\ndrm-memory-vram:\t{vram}\ndrm-engine-gfx:\t39456116802 ns\n"
    )

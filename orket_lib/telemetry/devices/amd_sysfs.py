"""AMD's GPUs through sysfs files of the amdgpu driver, without AMD's own library.

Memory, load and sensors are files of each card. KFD lists the compute processes of all users, but
no others (Vulkan, games): their memory shows up as used, without a process. The driver has no
energy counter here.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from orket_lib.telemetry.devices.amd_fdinfo import vram_mib
from orket_lib.telemetry.devices.amd_smi import throttle_of
from orket_lib.telemetry.devices.reading import (
    LOST,
    NOT_SUPPORTED,
    Details,
    DeviceInfo,
    DeviceProcess,
    Gauges,
    Value,
    difference,
    scaled,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import MIB

ROOT, PROC = Path("/sys"), Path("/proc")
_NO_SENSOR = Null("NO_SENSOR")
_NO_PROCESS_LIST = Null("NO_PROCESS_LIST")


class AmdSysfsDevice:
    """One card of the amdgpu driver.

    Args:
        card: Its `device` folder.
        info: Which GPU it is.
        root: Mount point of sysfs.
        proc: Mount point of procfs.
    """

    def __init__(self, card: Path, info: DeviceInfo, root: Path, proc: Path) -> None:
        self.info = info
        self._card = card
        self._hwmon = next(iter(sorted(card.glob("hwmon/hwmon*"))), card / "hwmon")
        self._pci = card.resolve().name
        self._proc = proc
        self._kfd = root / "class" / "kfd" / "kfd"
        self._gpu_id = _gpu_id(self._kfd, card)

    def gauges(self) -> Gauges:
        """Return the fast readings; see `Device.gauges`."""
        total, used = self._read("mem_info_vram_total"), self._read("mem_info_vram_used")
        power = self._sensor("power1_average", 1e-6)
        return Gauges(
            memory_total_mib=scaled(total, 1 / MIB),
            memory_used_mib=scaled(used, 1 / MIB),
            memory_free_mib=scaled(difference(total, used), 1 / MIB),
            utilization=scaled(self._read("gpu_busy_percent"), 1 / 100),
            clock_mhz=self._sensor("freq1_input", 1e-6),
            temperature_c=self._sensor("temp1_input", 1e-3),
            # Newer kernels and cards have only the momentary power.
            power_watts=self._sensor("power1_input", 1e-6) if isinstance(power, Null) else power,
            energy_j=Null("NO_ENERGY_COUNTER"),
            throttle=LOST if not self._card.exists() else throttle_of(self._card / "gpu_metrics"),
        )

    def details(self) -> Details:
        """Return the slow readings; see `Device.details`."""
        speed = _text(self._card / "current_link_speed")
        return Details(
            memory_clock_mhz=self._sensor("freq2_input", 1e-6),
            fan_percent=self._sensor("pwm1", 100 / 255),
            power_limit_watts=self._sensor("power1_cap", 1e-6),
            pcie_generation=_GENERATIONS.get(speed.partition(" ")[0], _NO_SENSOR),
            pcie_width=self._read("current_link_width"),
        )

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        """Return the compute processes of all users, and `ours`; see `Device.processes`."""
        found = self._compute()
        for pid in ours:
            drawn = vram_mib(pid, self._pci, self._proc)
            if drawn is not None:
                found[pid] = max(drawn, found.get(pid, 0.0))
        if not found and not (self._gpu_id and (self._kfd / "proc").is_dir()):
            return _NO_PROCESS_LIST
        return tuple(DeviceProcess(pid, used, NOT_SUPPORTED) for pid, used in sorted(found.items()))

    def _compute(self) -> dict[int, float]:
        found = {}
        for path in (self._kfd / "proc").glob(f"[0-9]*/vram_{self._gpu_id}"):
            used = _number(path)
            if not isinstance(used, Null):
                found[int(path.parent.name)] = used / MIB
        return found

    def _read(self, name: str) -> Value:
        return self._unless_lost(_number(self._card / name))

    def _sensor(self, name: str, scale: float) -> Value:
        return scaled(self._unless_lost(_number(self._hwmon / name)), scale)

    def _unless_lost(self, value: Value) -> Value:
        """Return a reading; if it failed because the card is gone, `LOST`."""
        return LOST if isinstance(value, Null) and not self._card.exists() else value


_GENERATIONS = dict(
    zip(("2.5", "5.0", "8.0", "16.0", "32.0", "64.0"), range(1, 7), strict=True)
)  # by GT/s


def find_amd_cards(root: Path = ROOT, proc: Path = PROC) -> tuple[AmdSysfsDevice, ...] | Null:
    """Return the cards of the amdgpu driver, or why there are none."""
    cards = [
        path.parent
        for path in sorted((root / "class" / "drm").glob("card[0-9]*/device/mem_info_vram_total"))
    ]
    if not cards:
        return Null("NO_DEVICE")
    return tuple(AmdSysfsDevice(card, _info(card, at), root, proc) for at, card in enumerate(cards))


def _info(card: Path, index: int) -> DeviceInfo:
    """Return which card this is: by its serial number, as in ROCm, else by its PCI address."""
    serial = _text(card / "unique_id")
    return DeviceInfo(
        uuid=f"GPU-{serial}" if serial else f"amd-{card.resolve().name}",
        index=index,
        name=_text(card / "product_name") or _pci_name(card),
        vendor="amd",
        source="amd-sysfs",
    )


def _pci_name(card: Path) -> str:
    """Return a name for a card without a product name, as most consumer cards are.

    Models that share a chip (RX 7900 XT and XTX) differ in the revision only.
    """
    ids = (_text(card / part).removeprefix("0x") for part in ("device", "revision"))
    chip, revision = (part or "unknown" for part in ids)
    return f"AMD GPU {chip} rev {revision}"


def _gpu_id(kfd: Path, card: Path) -> str | None:
    """Return the KFD id of a card: that of the node with the card's render minor."""
    minors = [path.name.removeprefix("renderD") for path in card.glob("drm/renderD*")]
    for node in sorted(kfd.glob("topology/nodes/*")):
        pairs = map(str.split, _text(node / "properties").splitlines())
        words = dict(pair for pair in pairs if len(pair) == 2)
        if words.get("drm_render_minor", "-1") in minors:
            return _text(node / "gpu_id") or None
    return None


def _number(path: Path) -> Value:
    try:
        return float(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return _NO_SENSOR
    except PermissionError:
        return Null("NO_PERMISSION")
    except (OSError, ValueError):  # the file exists, but not the sensor
        return NOT_SUPPORTED


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""

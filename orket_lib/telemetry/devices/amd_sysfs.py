"""AMD's GPUs as the kernel's amdgpu driver shows them, where AMD's own library is not installed.

Memory, load and sensors are files of each card. Compute processes of all users stand below KFD;
others (Vulkan, games) don't, so what they take shows as memory that nobody is known to hold. The
driver has no counter of energy here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from orket_lib.telemetry.devices.amd_fdinfo import vram_mib
from orket_lib.telemetry.devices.amd_metrics import throttle_of
from orket_lib.telemetry.devices.reading import (
    LOST,
    Details,
    DeviceInfo,
    DeviceProcess,
    Gauges,
    Value,
    rest_of,
)
from orket_lib.vocabulary.nulls import Null

ROOT, PROC = Path("/sys"), Path("/proc")
_MIB = 1024**2
_NO_SENSOR = Null("NO_SENSOR")
_NO_PROCESS_LIST = Null("NO_PROCESS_LIST")
_BUSY_UNKNOWN = Null("NOT_SUPPORTED")


class AmdSysfsDevice:
    """One card of the amdgpu driver.

    Args:
        card: Its `device` folder.
        info: Which one it is.
        root: Of sysfs.
        proc: Of the processes.
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
        """Return what moves; see `Device.gauges`."""
        total, used = self._read("mem_info_vram_total"), self._read("mem_info_vram_used")
        power = self._sensor("power1_average", 1e-6)
        return Gauges(
            memory_total_mib=_scaled(total, 1 / _MIB),
            memory_used_mib=_scaled(used, 1 / _MIB),
            memory_free_mib=_scaled(rest_of(total, used), 1 / _MIB),
            utilization=_scaled(self._read("gpu_busy_percent"), 1 / 100),
            clock_mhz=self._sensor("freq1_input", 1e-6),
            temperature_c=self._sensor("temp1_input", 1e-3),
            # Newer kernels and cards give the momentary power only.
            power_watts=self._sensor("power1_input", 1e-6) if isinstance(power, Null) else power,
            energy_j=Null("NO_ENERGY_COUNTER"),
            throttle=LOST if not self._card.exists() else throttle_of(self._card / "gpu_metrics"),
        )

    def details(self) -> Details:
        """Return what is slow; see `Device.details`."""
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
        return tuple(DeviceProcess(pid, used, _BUSY_UNKNOWN) for pid, used in sorted(found.items()))

    def _compute(self) -> dict[int, float]:
        found = {}
        for path in (self._kfd / "proc").glob(f"[0-9]*/vram_{self._gpu_id}"):
            used = _number(path)
            if not isinstance(used, Null):
                found[int(path.parent.name)] = used / _MIB
        return found

    def _read(self, name: str) -> Value:
        return self._told(_number(self._card / name))

    def _sensor(self, name: str, scale: float) -> Value:
        return _scaled(self._told(_number(self._hwmon / name)), scale)

    def _told(self, value: Value) -> Value:
        """Return a reading; of a card that is gone, that it is."""
        return LOST if isinstance(value, Null) and not self._card.exists() else value


# GT/s of a lane.
_GENERATIONS: dict[str, float] = {
    "2.5": 1,
    "5.0": 2,
    "8.0": 3,
    "16.0": 4,
    "32.0": 5,
    "64.0": 6,
}


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
    """Return which card this is: by its serial number, as ROCm writes it, else by its place."""
    serial = _text(card / "unique_id")
    return DeviceInfo(
        uuid=f"GPU-{serial}" if serial else f"amd-{card.resolve().name}",
        index=index,
        name=_text(card / "product_name") or _pci_name(card),
        vendor="amd",
        source="amd-sysfs",
    )


def _pci_name(card: Path) -> str:
    """Return a name for a card that tells none, as most do that are no professional ones.

    The revision counts: it alone tells apart models that share a chip (RX 7900 XT and XTX).
    """
    told = (_text(card / part).removeprefix("0x") for part in ("device", "revision"))
    chip, revision = (part or "unknown" for part in told)
    return f"AMD GPU {chip} rev {revision}"


def _gpu_id(kfd: Path, card: Path) -> str | None:
    """Return what KFD calls a card: its node names the card's render minor."""
    minors = [path.name.removeprefix("renderD") for path in card.glob("drm/renderD*")]
    for node in sorted(kfd.glob("topology/nodes/*")):
        words = dict(line.split(maxsplit=1) for line in _lines(node / "properties"))
        if words.get("drm_render_minor", "-1") in minors:
            return _text(node / "gpu_id") or None
    return None


def _lines(path: Path) -> Iterable[str]:
    return (line for line in _text(path).splitlines() if len(line.split()) == 2)


def _number(path: Path) -> Value:
    try:
        return float(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return _NO_SENSOR
    except PermissionError:
        return Null("NO_PERMISSION")
    except (OSError, ValueError):  # the card has the file and no such sensor
        return Null("NOT_SUPPORTED")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _scaled(value: Value, factor: float) -> Value:
    return value if isinstance(value, Null) else value * factor

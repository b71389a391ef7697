"""Programs that draw the desktop: they are always on the GPU, and not counted as foreign work.

Each holds a few hundred MiB at most and works only when something on the screen moves. They are
listed one by one: every other program on the GPU is judged.
"""

from __future__ import annotations

_X_SERVER = "X server: draws all windows of an X11 desktop"
_COMPOSITOR = "compositor: puts the windows of a desktop together"
_WINDOWS = "part of the Windows desktop"

DESKTOP: dict[str, str] = {
    "Xorg": _X_SERVER,
    "Xwayland": "X server inside of a Wayland desktop",
    "X": _X_SERVER,
    "gnome-shell": _COMPOSITOR,
    "mutter": _COMPOSITOR,
    "kwin_wayland": _COMPOSITOR,
    "kwin_x11": _COMPOSITOR,
    "plasmashell": "panels of the KDE desktop",
    "xfwm4": _COMPOSITOR,
    "cinnamon": _COMPOSITOR,
    "muffin": _COMPOSITOR,
    "marco": _COMPOSITOR,
    "sway": _COMPOSITOR,
    "weston": _COMPOSITOR,
    "Hyprland": _COMPOSITOR,
    "wayfire": _COMPOSITOR,
    "labwc": _COMPOSITOR,
    "niri": _COMPOSITOR,
    "cosmic-comp": _COMPOSITOR,
    "picom": _COMPOSITOR,
    "compiz": _COMPOSITOR,
    "dwm.exe": _COMPOSITOR,
    "csrss.exe": _WINDOWS,
    "explorer.exe": _WINDOWS,
    "ShellExperienceHost.exe": _WINDOWS,
    "StartMenuExperienceHost.exe": _WINDOWS,
    "SearchHost.exe": _WINDOWS,
}

_KERNEL_LENGTH = 15  # Linux truncates process names to this length


def is_desktop(name: str) -> bool:
    """Return whether a process of this name draws the desktop."""
    return name in DESKTOP or (
        len(name) == _KERNEL_LENGTH and any(full.startswith(name) for full in DESKTOP)
    )

"""Programs that draw the desktop: they are always on the GPU, and not counted as foreign work.

Each holds a few hundred MiB at most and works only when something on the screen moves. They are
listed one by one: every other program on the GPU is judged.
"""

from __future__ import annotations

DESKTOP = (
    *("Xorg", "X", "Xwayland"),  # X servers
    *("gnome-shell", "mutter", "kwin_wayland", "kwin_x11", "xfwm4", "cinnamon", "muffin", "marco"),
    *("sway", "weston", "Hyprland", "wayfire", "labwc", "niri", "cosmic-comp", "picom", "compiz"),
    "plasmashell",  # the panels of KDE
    *("dwm.exe", "csrss.exe", "explorer.exe", "ShellExperienceHost.exe"),  # Windows
    *("StartMenuExperienceHost.exe", "SearchHost.exe"),
)
_KERNEL_LENGTH = 15  # Linux truncates process names to this length


def is_desktop(name: str) -> bool:
    """Return whether a process of this name draws the desktop."""
    return name in DESKTOP or (
        len(name) == _KERNEL_LENGTH and any(full.startswith(name) for full in DESKTOP)
    )

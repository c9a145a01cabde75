"""A disk for photos that can be made full: a tmpfs of our own, shrunk to what it holds, so that writes meet ENOSPC.

It is mounted in a mount namespace of this process's own: it goes when the process goes, however that ends. Needs root
(CAP_SYS_ADMIN); without it the disk is not made full, and the report says so.
"""

import ctypes
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x00020000
ROOM = "512m"
"""More than the API wants to be free; takes memory only for what is written."""
BALLAST = 1 << 20


def own_mounts() -> bool:
    """Take this process out of the machine's mounts. Call it before any thread is started. False: it may not."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    return _mount("--make-rprivate", "/")


class SmallDisk:
    """A disk at a folder. `make` it first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> bool:
        """Mount it, with a little on it. False: that is not allowed here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not _mount("-t", "tmpfs", "-o", f"size={ROOM},mode=700", "tmpfs", str(self.folder)):
            return False
        # size=0 would mean "without a limit".
        (self.folder / "ballast").write_bytes(bytes(BALLAST))
        return True

    def fill(self) -> None:
        """Leave no room on it."""
        for _ in range(20):
            if self._resize(f"{self._used_kb()}k"):
                return
        raise RuntimeError("the disk for photos cannot be made full")

    def empty(self) -> None:
        """Give it its room again."""
        self._resize(ROOM)

    def take_away(self) -> None:
        """Unmount it; what is still open on it goes later."""
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)

    def _used_kb(self) -> int:
        said = subprocess.run(
            ["df", "--output=used", "-k", str(self.folder)], capture_output=True, text=True, check=True
        )
        return int(said.stdout.split()[-1])

    def _resize(self, size: str) -> bool:
        return _mount("-o", f"remount,size={size}", str(self.folder))


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0

"""Which files are a site's?"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

SKIPPED_FOLDERS = frozenset({".git", "node_modules"})

SKIPPED_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".ico", ".bmp", ".tiff"),
    *(".woff", ".woff2", ".ttf", ".otf", ".eot"),
    *(".mp3", ".mp4", ".m4a", ".webm", ".mov", ".ogg", ".wav", ".flac"),
)
"""Pictures, fonts, sound and film: large, compressed, and nobody's configuration."""


def files(argument: str, *, everything: bool, on_error: Callable[[OSError], None]) -> Iterator[str]:
    """The file that is named, or those in the folder that is named."""
    if os.path.isdir(argument):
        yield from _files_in(argument, everything=everything, on_error=on_error)
    else:
        yield argument


def _files_in(
    folder: str, *, everything: bool, on_error: Callable[[OSError], None]
) -> Iterator[str]:
    """Links are not followed: what is in the folder is found where it is."""
    for parent, folders, names in os.walk(folder, onerror=on_error):
        folders[:] = sorted(name for name in folders if everything or name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = os.path.join(parent, name)
            if (everything or not name.lower().endswith(SKIPPED_ENDINGS)) and _is_file(path):
                yield path


def _is_file(path: str) -> bool:
    """Whether it is a file and no link; one that cannot be asked is left to who opens it."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return True

"""Reading WebP images, and seeing that none of their bytes is missing."""

from pathlib import Path

from sourcebench.imaging import Image
from sourcebench.retrieval.formats.base import FORMATS, Format, Window, several
from sourcebench.retrieval.formats.pillow import decoded, opened
from sourcebench.retrieval.formats.pixels import image_of
from sourcebench.retrieval.formats.whole import content, damaged


@FORMATS.register("webp")
class WebP(Format):
    """WebPs, lossy or not, turned as their orientation (EXIF) says; alpha is ignored."""

    title = "WebP"
    suffixes = (".webp",)

    def begins(self, head: bytes) -> bool:
        """Return whether it is a RIFF file of this kind."""
        return head[:4] == b"RIFF" and head[8:12] == b"WEBP"

    def read(self, path: Path, window: Window | None) -> Image:
        """Read a file that is as long as it says; a window changes nothing."""
        from PIL.WebPImagePlugin import WebPImageFile

        data = content(path)
        if len(data) < 8 + int.from_bytes(data[4:8], "little"):
            raise damaged(path, "its end is missing")
        picture = opened(WebPImageFile, path, data)
        if getattr(picture, "is_animated", False):
            raise several(path, "an animation")
        return image_of(decoded(picture, path))

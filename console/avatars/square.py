"""A program that makes a small square picture of a photo: the photo on stdin, a JPEG on stdout.

What comes in is from anybody with an account, and libraries that read pictures have had holes. So
the program limits itself before it reads a byte, knows three formats, looks at the size before it
decodes, and ends. Exits with 2 for what is no such photo, with 3 for one with too many pixels.
"""

import resource
import sys
from io import BytesIO

SIDE = 128
"""Pixels."""
PHOTO_BYTES_MAX = 5 * 1024 * 1024
SQUARE_BYTES_MAX = 20 * 1024
PIXELS_MAX = 40_000_000
"""More than a phone's usual 12 million; decoded that is 160 MB at most."""
MEMORY_BYTES_MAX = 640 * 1024 * 1024
CPU_SECONDS_MAX = 5
FORMATS = ("JPEG", "PNG", "WEBP")
QUALITIES = (85, 70, 50, 30)
NO_PHOTO, TOO_LARGE = 2, 3
WHITE = (255, 255, 255)


def limit_oneself() -> None:
    """Takes the right away to use more memory, more time, or any file."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def square_of(photo: bytes) -> bytes | int:
    """The middle of the photo, upright, with nothing of it but its pixels; or how to exit."""
    # The library itself is as large as the program may become: it is read once that is limited.
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(photo), formats=FORMATS) as image:
            if image.width * image.height > PIXELS_MAX:
                return TOO_LARGE
            image.draft("RGB", (2 * SIDE, 2 * SIDE))  # of a JPEG only as much as is needed
            ImageOps.exif_transpose(image, in_place=True)
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            middle = image.crop((left, top, left + side, top + side))
        cut = ImageOps.fit(middle.convert("RGBA"), (SIDE, SIDE))
    except Image.DecompressionBombError:
        return TOO_LARGE
    except (OSError, ValueError, SyntaxError, MemoryError):
        return NO_PHOTO
    plain = Image.new("RGB", (SIDE, SIDE), WHITE)
    plain.paste(cut, mask=cut.getchannel("A"))
    for quality in QUALITIES:
        out = BytesIO()
        plain.save(out, "JPEG", quality=quality)
        if len(out.getvalue()) <= SQUARE_BYTES_MAX:
            return out.getvalue()
    return NO_PHOTO


def main() -> int:
    """Reads, converts, writes."""
    limit_oneself()
    made = square_of(sys.stdin.buffer.read(PHOTO_BYTES_MAX + 1))
    if isinstance(made, int):
        return made
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Prints what a reader's browser downloads: embed.js and count.js, raw and compressed, against the limit."""

from __future__ import annotations

import sys

from comments_service import bundle
from comments_service.texts import Catalogue

EMBED_LIMIT_BYTES = 15_000  # brotli: all that a reader's page loads


def main() -> int:
    """Print the table; 1 when embed.js is over its limit."""
    scripts = {
        "embed.js": bundle.embed(Catalogue.load().boot_texts()),
        **{f"{name}.js": bundle.later(name) for name in bundle.LATER},
        "count.js": bundle.count(),
    }
    print(f"{'script':<10}{'raw':>9}{'gzip':>9}{'brotli':>9}")
    for name, script in scripts.items():
        print(f"{name:<10}{len(script.content):>9,}{len(script.gzip):>9,}{len(script.brotli):>9,}")
    left = EMBED_LIMIT_BYTES - len(scripts["embed.js"].brotli)
    print(f"embed.js: {left:,} bytes left of {EMBED_LIMIT_BYTES:,} (brotli)")
    return 0 if left >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())

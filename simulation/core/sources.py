"""A name for the kernel sources, so that compiled code on disk is never older than they are.

The compiler's disk cache looks at the file of the outermost function only; a kernel that changes in another file
would go unnoticed. Parameter tables therefore carry a field named after a digest of all sources: an edit anywhere
makes a new argument type, which is compiled afresh.
"""

from functools import cache
from hashlib import blake2b
from pathlib import Path

_ROOT = Path(__file__).parent.parent


@cache
def source_field() -> tuple[str, str]:
    """Name and type of the one-byte field: `source_` and a digest of every source file of the simulation."""
    digest = blake2b(digest_size=6)
    for part in ("core", "cognition", "worlds", "oracle"):
        for path in sorted((_ROOT / part).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return f"source_{digest.hexdigest()}", "u1"

"""Where lake files are and what their names say: `<root>/<stream>/p<partition>/<first>-<last>.parquet`.

`first` and `last` are Kafka offsets, inclusive. The names are the state: whoever writes a partition goes on
after the largest `last`, and there is no other record of progress that could disagree with the files.
"""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.contracts.errors import BadInput

TEMPORARY: Final = ".tmp"
_DIGITS: Final = 12  # file names sort as numbers up to a trillion records a partition
_NAME: Final = re.compile(r"(\d+)-(\d+)\.parquet")


@dataclass(frozen=True, order=True)
class LakeFile:
    """One Parquet file of the lake and the offsets that it covers."""

    partition: int
    first: int
    last: int
    path: Path


def partition_directory(root: Path, stream: str, partition: int) -> Path:
    """Return the directory of one partition's files."""
    return root / stream / f"p{partition}"


def file_name(first: int, last: int) -> str:
    """Return the name of the file that covers offsets `first` to `last`, inclusive."""
    return f"{first:0{_DIGITS}d}-{last:0{_DIGITS}d}.parquet"


def partition_files(root: Path, stream: str, partition: int) -> list[LakeFile]:
    """Return a partition's files by offset; temporary files are not among them.

    Raises BadInput when two files cover the same offsets: then rows are double, and nobody can say which.
    """
    found = []
    for path in partition_directory(root, stream, partition).glob("*.parquet"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise BadInput(f"{path} is not named <first>-<last>.parquet: move what is not ours out of the lake")
        found.append(LakeFile(partition, int(match[1]), int(match[2]), path))
    found.sort()
    for earlier, later in itertools.pairwise(found):
        if later.first <= earlier.last:
            raise BadInput(f"{earlier.path} and {later.path.name} cover the same offsets: remove one of them")
    return found


def stream_files(root: Path, stream: str) -> list[LakeFile]:
    """Return all files of a stream, by partition and offset; an empty list when there are none."""
    directories = sorted((root / stream).glob("p*"))
    partitions = sorted(int(each.name[1:]) for each in directories if each.name[1:].isdigit())
    return [file for partition in partitions for file in partition_files(root, stream, partition)]

"""Codes of the wire as words in the lake, and back: `world` and `kind` are dictionary-encoded strings there.

Whoever opens a Parquet file then reads "social" and "CommentSeen". A code that this version does not know is
written as "#<code>", so that nothing is lost.
"""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from infra.contracts.kinds import KINDS
from infra.contracts.worlds import World

_NO_KIND: Final = "None"  # kind 0: a truth row that belongs to no event
WORDS: Final[Mapping[str, Mapping[int, str]]] = {
    "world": {int(world): world.label for world in World},
    "kind": {0: _NO_KIND, **{int(kind): spec.name for kind, spec in KINDS.items()}},
}
CODE_TYPES: Final[Mapping[str, pa.DataType]] = {"world": pa.uint8(), "kind": pa.uint16()}
WORD_TYPE: Final = pa.dictionary(pa.int32(), pa.string())


def to_words(column: str, codes: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the words of a `world` or `kind` column, dictionary-encoded, same length."""
    known = WORDS[column]
    encoded = _flat(codes).dictionary_encode()
    words = [known.get(code, f"#{code}") for code in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(words, pa.string())).cast(WORD_TYPE)


def to_codes(column: str, words: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the codes behind `to_words`. Raises KeyError for a word that is no name and not "#<code>"."""
    codes = {word: code for code, word in WORDS[column].items()}
    encoded = _flat(words)
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    table = [codes[word] if word in codes else _unknown(word) for word in encoded.dictionary.to_pylist()]
    return pc.take(pa.array(table, CODE_TYPES[column]), encoded.indices)


def _unknown(word: str) -> int:
    if not word.startswith("#"):
        raise KeyError(word)
    return int(word[1:])


def _flat(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(values, pa.ChunkedArray):
        return values
    if pa.types.is_dictionary(values.type):
        values = values.unify_dictionaries()
    return values.combine_chunks()

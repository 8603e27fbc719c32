"""Who an event is about: an opaque 64-bit pseudonym, and the partition it lives in."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import U64Array, mix
from infra.contracts.topics import PARTITIONS

_ROUNDS = 6
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def partition_of(person: U64Array, partitions: int = PARTITIONS) -> NDArray[np.int32]:
    """Partition of each pseudonym, shape as given. Part of the contract: every process computes the same map."""
    return (mix(person) % np.uint64(partitions)).astype(np.int32)


class Pseudonyms:
    """A keyed bijection of 64-bit numbers: a balanced Feistel network (Luby & Rackoff 1988) of six rounds.

    Whoever holds the key can go back to the internal number; nobody else can. The key is held apart from the data.
    """

    def __init__(self, key: bytes) -> None:
        if not key:
            raise ValueError("a pseudonym key must not be empty")
        digests = (hashlib.blake2b(bytes([turn]), key=key[:64], digest_size=8).digest() for turn in range(_ROUNDS))
        self._round_keys = [np.uint64(int.from_bytes(digest, "little")) for digest in digests]

    @property
    def round_keys(self) -> U64Array:
        """Keys of the rounds, uint64 [6]: for a compiled form of `encode`."""
        return np.array(self._round_keys, dtype=np.uint64)

    def encode(self, internal: U64Array) -> U64Array:
        """Pseudonyms of internal numbers, uint64, shape as given."""
        left, right = self._halves(internal)
        for key in self._round_keys:
            left, right = right, left ^ self._round(right, key)
        return (left << _HALF) | right

    def decode(self, pseudonym: U64Array) -> U64Array:
        """Internal numbers of pseudonyms, uint64, shape as given; the inverse of `encode`."""
        left, right = self._halves(pseudonym)
        for key in reversed(self._round_keys):
            left, right = right ^ self._round(left, key), left
        return (left << _HALF) | right

    @staticmethod
    def _halves(values: U64Array) -> tuple[U64Array, U64Array]:
        array = np.atleast_1d(np.asarray(values, dtype=np.uint64))
        return array >> _HALF, array & _LOW

    @staticmethod
    def _round(half: U64Array, key: np.uint64) -> U64Array:
        return mix(half ^ key) & _LOW

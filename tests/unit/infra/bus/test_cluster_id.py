"""Rules of a cluster's identity."""

import re

from infra.bus.apache.state import new_cluster_id


def test_no_identity_looks_like_an_option_of_kafkas_tools() -> None:
    found = {new_cluster_id() for _ in range(4_000)}  # one in 64 random ones would begin with a hyphen
    assert len(found) == 4_000
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", text) for text in found)

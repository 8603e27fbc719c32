"""Addresses, ports, and telling silence from death."""

import socket

import pytest

from infra.bus import liveness
from infra.bus.brokers import BrokerOptions, open_broker
from infra.bus.clients import broker_failed
from infra.bus.ports import HOST, free_port, is_free, require_free
from infra.contracts.errors import BadInput, EnvironmentFailed


def test_addresses_are_host_and_port_with_commas_between() -> None:
    assert liveness.addresses("a:1, [::1]:2") == [("a", 1), ("::1", 2)]


@pytest.mark.parametrize("text", ["", "host", "host:", ":9092", "host:nine"])
def test_other_addresses_are_bad_input(text: str) -> None:
    with pytest.raises(BadInput, match="is not host:port"):
        liveness.addresses(text)


def test_a_port_somebody_listens_on_is_not_free() -> None:
    port = free_port()
    with socket.create_server((HOST, port)):
        assert not is_free(port)
        with pytest.raises(EnvironmentFailed, match=f"port {port} on {HOST} is in use"):
            require_free(port)
    assert require_free(port) == port


@pytest.mark.parametrize("port", [-1, 0, 65_536])
def test_numbers_that_are_no_ports_are_bad_input(port: int) -> None:
    with pytest.raises(BadInput, match=f"port {port} is not a TCP port"):
        require_free(port)


def test_a_server_that_accepts_and_says_nothing_does_not_answer() -> None:
    port = free_port()
    with socket.create_server((HOST, port)):
        assert not liveness.answers(f"{HOST}:{port}", timeout_s=0.05)


def test_a_watch_asks_after_a_while_and_gives_up_when_its_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = [100.0], [0]

    def answers(_bootstrap: str) -> bool:
        asked[0] += 1
        return clock[0] < 105

    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr(liveness, "answers", answers)
    watch = liveness.Watch("a:1", ask_after_s=2, patience_s=6)
    found = []
    for clock[0] in (101.0, 103.0, 104.0, 150.0, 153.0, 155.5, 156.5):
        found.append(watch.silent())
    assert asked[0] == 4  # at 103, 150, 153 and 155.5
    assert found == [False, False, False, False, False, False, False]
    clock[0] = 157.6
    assert watch.silent()
    watch.heard()
    assert watch.quiet_s == 0.0
    assert not watch.silent()


def test_an_unknown_kind_of_broker_is_bad_input() -> None:
    with pytest.raises(BadInput, match="choose one of embedded, apache, external"):
        BrokerOptions(kind="rabbit")
    with pytest.raises(BadInput, match="--bootstrap host:port"):
        BrokerOptions(kind="external")


def test_an_external_broker_that_is_not_there_is_one_clear_error() -> None:
    address = f"{HOST}:{free_port()}"
    with pytest.raises(EnvironmentFailed, match=f"{address} failed.*does not answer"):
        open_broker(BrokerOptions(kind="external", bootstrap=address)).start()


def test_the_error_of_a_failed_broker_says_where_what_and_what_to_do() -> None:
    text = str(broker_failed("a:1", "taking a frame", ValueError("no room")))
    assert "a:1" in text
    assert "taking a frame (ValueError: no room)" in text
    assert "calmverse doctor" in text

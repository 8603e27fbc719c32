"""Groups: who belongs to which, and that what goes on in them is felt by their members and known to any shard."""

import numpy as np
import pytest

from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from simulation.core.groups import NAMES, heat
from simulation.core.model import Metaverse
from simulation.scenarios import load


def model(people: int = 480) -> Metaverse:
    return Metaverse(load("tiny", {"people": str(people)}))


def test_every_world_has_groups_that_share_out_its_people() -> None:
    made = model()
    assert {groups.world for groups in made.groups} == set(NAMES)
    for groups in made.groups:
        members = [groups.members(group) for group in range(groups.count)]
        assert np.array_equal(np.sort(np.concatenate(members)), np.arange(len(made.people)))
        assert all((groups.of(here) == group).all() for group, here in enumerate(members))
        assert groups in made.agents


def test_friends_are_in_the_same_groups() -> None:
    made = model()
    for groups in made.groups:
        of = groups.of(np.arange(len(made.people)))
        assert all(len(set(of[made.people["circle"] == circle])) == 1 for circle in np.unique(made.people["circle"]))


def test_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError, match="there are"):
        model().groups[0].members(10_000)


def test_heat_by_arrays_is_heat_by_kernel_and_is_nothing_on_average() -> None:
    made = model()
    made.tick += 37
    for groups in made.groups:
        by_kernel = [heat(made.moment, int(groups.world), group) for group in range(groups.count)]
        assert groups.heat().tolist() == by_kernel
    values = [heat(made.moment._replace(tick=tick), 3, group) for tick in range(0, 6_000, 60) for group in range(60)]
    assert abs(np.mean(values)) < 0.02
    assert np.min(values) >= -1
    assert np.max(values) <= 1


def test_a_heated_team_has_more_messages() -> None:
    made = model(2_000)
    teams = next(groups for groups in made.groups if groups.world is World.WORK)
    minutes, messages = np.zeros(2), np.zeros(2)
    for _ in range(900):
        hot = teams.heat()[teams.of(np.arange(len(made.people)))] > 0
        made.step()
        events = made.drain().events
        at_work = made.people["world"] == World.WORK
        minutes += [(at_work & ~hot).sum(), (at_work & hot).sum()]
        person = events.column("person").to_numpy()[events.column("kind").to_numpy() == EventKind.MESSAGE_DELIVERED]
        heated = np.isin(person, made.persons[hot]).sum()
        messages += [len(person) - heated, heated]
    quiet, heated_rate = messages / minutes
    assert heated_rate > 1.2 * quiet

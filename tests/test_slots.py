"""Placing: rules one by one, and what holds for any queue on any machine."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from launch_lab import place

from labtui.errors import LaunchError
from labtui.gpus import Gpu
from labtui.launch.slots import GB, WHOLE, Machine, Need, Never, Place, Running, plan

WHOLE_ONE = Need(gpus=1)


def gpus(count: int, gb: int = 24) -> tuple[Gpu, ...]:
    return tuple(Gpu(index, gb * GB) for index in range(count))


def machine(count: int, cores: int = 8, threads: int = 4, **more) -> Machine:
    return Machine(gpus(count), cores, threads, **more)


def placed(queue: list[Need], on: Machine) -> list[tuple[int, ...] | None]:
    return [tuple(p.gpus) if isinstance(p, Place) else None for p in plan(queue, on)]


def test_a_run_that_does_not_say_takes_a_gpu_if_there_is_one():
    assert place(Need(), machine(2)) == Place((0,), threads=4)
    assert place(Need(), machine(0)) == Place(cores=4, threads=4)
    assert place(Need(gpus=0), machine(2)) == Place(cores=4, threads=4)
    assert place(Need(processes=2), machine(2)) == Place(cores=8, threads=4)
    assert place(Need(gpu_share=0.5), machine(0)) == Place(cores=4, threads=4)


def test_whole_gpus_are_distinct_and_those_with_the_least_memory_in_use_come_first():
    first = replace(gpus(1)[0], memory_used=GB // 4)
    on = Machine((first, *gpus(4)[1:]), 8, 4)
    assert placed([WHOLE_ONE, Need(gpus=2), WHOLE_ONE, WHOLE_ONE], on) == [(1,), (2, 3), (0,), None]


def test_more_gpus_than_there_are_is_never():
    found = place(Need(gpus=4), machine(1))
    assert isinstance(found, Never) and "needs 4 GPUs, and labtui may use 1 here" in str(found)
    assert isinstance(place(Need(gpus=1), machine(0)), Never)
    found = place(Need(gpus=1, gpu_memory=80), machine(2))
    assert isinstance(found, Never) and "80 GB" in str(found) and "24 GB" in str(found)


def test_gpus_that_may_come_back_are_waited_for():
    on = machine(0, problem="GPU 0: GPU is lost")
    for need in (Need(), Need(gpus=2), Need(gpus=1, gpu_memory=80)):
        assert "GPU is lost" in place(need, on)
    assert isinstance(place(Need(gpus=0), on), Place)


@pytest.mark.parametrize("parts", [2, 3, 6, 7, 9])
def test_equal_shares_of_one_fit_and_no_more(parts):
    queue = [Need(gpu_share=1 / parts)] * (parts + 1)
    assert placed(queue, machine(1)) == [(0,)] * parts + [None]


def test_memory_decides_who_shares():
    queue = [Need(gpu_memory=8)] * 3 + [Need(gpu_memory=1)]
    assert placed(queue, machine(1)) == [(0,)] * 3 + [None]
    # A share without a memory takes its share of the memory, and the other way round.
    assert placed([Need(gpu_share=0.5), Need(gpu_memory=13)], machine(1)) == [(0,), None]
    assert placed([Need(gpu_memory=13), Need(gpu_share=0.5)], machine(1)) == [(0,), None]
    assert placed([Need(gpu_share=0.5, gpu_memory=2)] * 3, machine(1)) == [(0,), (0,), None]
    assert placed([Need(gpu_share=0.1, gpu_memory=13)] * 2, machine(1)) == [(0,), None]


def test_whole_and_shared_runs_do_not_mix():
    assert placed([Need(gpu_share=0.1), WHOLE_ONE], machine(1)) == [(0,), None]
    assert placed([WHOLE_ONE, Need(gpu_share=1e-9)], machine(1)) == [(0,), None]


def test_shared_runs_fill_used_gpus_first():
    half, third = Need(gpu_share=0.5), Need(gpu_share=0.3)
    assert placed([half, third, half, third], machine(3)) == [(0,), (0,), (1,), (1,)]
    assert placed([Need(gpus=2, gpu_share=0.5)] * 3, machine(4)) == [(0, 1), (0, 1), (2, 3)]


def test_what_runs_has_its_place():
    taken = (Running(Place((0,)), WHOLE_ONE), Running(Place((1,)), Need(gpu_share=0.5)))
    on = machine(3, taken=taken)
    assert placed([Need(gpu_share=0.5), WHOLE_ONE, WHOLE_ONE], on) == [(1,), (2,), None]
    gone = machine(1, taken=(Running(Place((7,)), WHOLE_ONE),))
    assert placed([WHOLE_ONE], gone) == [(0,)]


def test_a_gpu_with_another_process_is_left_alone():
    mine, other, unseen = 100, 200, 300
    owners = {mine: mine, other: None}

    def on(pid: int, taken: tuple[Running, ...] = (), used: int = 0) -> Machine:
        gpu = Gpu(0, 24 * GB, used, processes=((pid, None),) if pid else ())
        return Machine((gpu,), 8, 4, taken, owners)

    half = Need(gpu_share=0.5)
    running = (Running(Place((0,)), half, mine),)
    assert "another process (200)" in place(half, on(other))
    assert "another process (200)" in place(half, on(other, running))
    assert isinstance(place(half, on(mine, running, 20 * GB)), Place)
    # What cannot be seen is ours where one of ours is, and somebody's elsewhere.
    assert isinstance(place(half, on(unseen, running)), Place)
    assert "another process (300)" in place(half, on(unseen))
    # A run of ours that was given no GPU sits on one all the same.
    assert "another process (100)" in place(half, on(mine, (Running(Place(), Need(), mine),)))
    # Memory that nobody is seen to use.
    assert "memory in use" in place(half, on(0, used=2 * GB))
    assert isinstance(place(half, on(0, used=GB)), Place)


def test_a_divided_gpu_is_left_alone():
    divided = Gpu(0, 24 * GB, barred="is divided")
    assert place(Need(), Machine((divided,), 8, 4)).endswith("GPU 0 is divided")
    assert placed([WHOLE_ONE], Machine((divided, *gpus(2)[1:]), 8, 4)) == [(1,)]


def test_cores_are_the_slots_of_runs_without_gpus():
    four, one = Need(gpus=0), Need(gpus=0, threads=1)
    found = plan([four, four, one], machine(0))
    assert found[:2] == [Place(cores=4, threads=4)] * 2 and found[2] == "waits for 1 of 8 CPU cores: 0 free"
    # More than there is gets all there is, alone.
    assert place(Need(threads=64), machine(0)) == Place(cores=8, threads=64)
    assert isinstance(plan([one, Need(threads=64)], machine(0))[1], str)
    # Processes that do not say divide the cores.
    assert place(Need(processes=4), machine(0)) == Place(cores=8, threads=2)
    assert place(Need(processes=20), machine(0)) == Place(cores=8, threads=1)
    assert place(Need(processes=2, threads=3), machine(0)) == Place(cores=6, threads=3)


def test_gpu_runs_and_cpu_runs_do_not_wait_for_each_other():
    cpu, gpu = Need(gpus=0, threads=8), WHOLE_ONE
    found = plan([cpu, cpu, gpu, gpu, cpu, Need(gpus=0, threads=1)], machine(1))
    assert [isinstance(one, Place) for one in found] == [True, False, True, False, False, False]


def test_threads_of_gpu_runs_divide_the_cores():
    assert place(Need(), machine(4, cores=16)).threads == 4
    assert place(Need(gpus=2), machine(4, cores=16)).threads == 4
    assert place(Need(gpu_share=0.25), machine(1, cores=16)).threads == 4
    assert place(Need(threads=7), machine(4, cores=16)).threads == 7
    assert place(Need(), machine(8, cores=2)).threads == 1


def test_a_place_is_an_environment():
    found = Place((1, 3), threads=4).environment()
    assert found["CUDA_VISIBLE_DEVICES"] == "1,3" and found["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "4"
    assert Place(cores=2).environment()["CUDA_VISIBLE_DEVICES"] == ""


def test_a_large_run_is_not_overtaken_for_ever():
    taken = tuple(Running(Place((index,)), WHOLE_ONE) for index in (0, 1))
    found = plan([Need(gpus=4), WHOLE_ONE, Need(gpu_share=0.1), Need(gpus=0)], machine(4, taken=taken))
    assert found[0] == "waits for 4 GPUs: 2 of 4 free"
    assert found[1] == "waits for a GPU: 0 of 4 free, earlier runs come first"
    assert isinstance(found[2], str) and isinstance(found[3], Place)
    # It keeps back what it needs only.
    shared = (*taken, Running(Place((2,)), Need(gpu_share=0.5)), Running(Place((3,)), Need(gpu_share=0.6)))
    on = machine(4, taken=shared)
    assert placed([WHOLE_ONE, Need(gpu_share=0.4), Need(gpu_share=0.4)], on) == [None, (3,), None]


def test_what_waits_for_somebody_else_keeps_nothing_back():
    busy = replace(gpus(1)[0], memory_used=20 * GB)
    on = Machine((busy, *gpus(4)[1:]), 8, 4)
    assert placed([Need(gpus=4), WHOLE_ONE], on) == [None, (1,)]
    assert placed([Need(gpus=9), WHOLE_ONE], on) == [None, (1,)]  # never
    assert placed([Need(gpus=9), WHOLE_ONE], replace(on, problem="GPU 5 is lost")) == [None, (1,)]


@pytest.mark.parametrize(
    "wrong", [{"gpus": "2"}, {"gpus": True}, {"gpus": -1}, {"gpu_share": 1.5}, {"threads": 0},
              {"gpu_memory": float("nan")}, {"processes": 1.5}],
)  # fmt: skip
def test_what_is_no_need_is_an_error(wrong):
    with pytest.raises(LaunchError, match=f"resources.{next(iter(wrong))} = "):
        Need.of(wrong)


def test_a_need_is_what_the_recipe_says():
    given = {"launcher": "local", "gpus": 2, "gpu_share": 1, "gpu_memory": 8.5, "priority": 3}
    assert Need.of(given) == Need(2, 1, 8.5)
    assert Need.of({}) == Need()


needs = st.builds(
    Need,
    gpus=st.none() | st.integers(0, 5),
    gpu_share=st.none() | st.floats(1e-9, 1) | st.sampled_from([0.25, 1 / 3, 0.5, 1.0]),
    gpu_memory=st.none() | st.floats(1e-6, 30),
    threads=st.none() | st.integers(1, 12),
    processes=st.none() | st.integers(1, 3),
)
machines = st.builds(
    Machine,
    gpus=st.lists(
        st.builds(
            Gpu,
            index=st.integers(0, 9),
            memory_total=st.sampled_from([0, 8 * GB, 24 * GB]),
            memory_used=st.sampled_from([0, 0, 0, 20 * GB]),
            processes=st.sampled_from([(), (), (), ((1, None),)]),
        ),
        max_size=5,
        unique_by=lambda gpu: gpu.index,
    ).map(tuple),
    cores=st.integers(1, 16),
    threads=st.integers(1, 4),
    owners=st.just({1: None}),
    problem=st.sampled_from(["", "", "lost"]),
)


def check(on: Machine, running: list[Running]) -> None:
    """What may never happen, said in other words than the code's."""
    for gpu in on.gpus:
        here = [run.need for run in running if gpu.index in run.place.gpus]
        if any(not need.gpu_share and not need.gpu_memory for need in here):
            assert len(here) == 1
        assert sum(need.gpu_share or 0 for need in here) <= 1 + len(here) / WHOLE
        assert sum(need.gpu_memory or 0 for need in here) * GB <= gpu.memory_total + len(here)
        if gpu.processes or gpu.memory_used:
            assert not here
    for run in running:
        assert len(set(run.place.gpus)) == len(run.place.gpus)
        assert set(run.place.gpus) <= {gpu.index for gpu in on.gpus}
        assert bool(run.place.gpus) != bool(run.place.cores) and run.place.threads >= 1
        if run.need.gpus is not None:
            assert len(run.place.gpus) == run.need.gpus
    assert sum(run.place.cores for run in running) <= on.cores


@settings(deadline=None)
@given(st.lists(needs, max_size=12), machines)
def test_any_plan_keeps_the_rules(queue, on):
    answers = plan(queue, on)
    assert len(answers) == len(queue)
    running = [Running(a, need) for a, need in zip(answers, queue, strict=True) if isinstance(a, Place)]
    check(on, running)
    # One after another gives the same as all at once.
    for length in range(len(queue)):
        assert plan(queue[:length], on) == answers[:length]
    # What was placed counts as taken afterwards: nothing new fits that did not before.
    waiting = [need for a, need in zip(answers, queue, strict=True) if isinstance(a, str)]
    again = plan(waiting, replace(on, taken=tuple(running)))
    assert not any(isinstance(one, Place) for one in again)


@settings(deadline=None)
@given(st.lists(needs, min_size=1, max_size=30), machines, st.randoms(use_true_random=False))
def test_every_run_gets_its_turn_in_time(queue, on, chance: random.Random):
    """Runs come and end at random, and small ones keep coming: who is first waits for nobody new."""
    waiting = list(enumerate(queue))
    running: dict[int, Running] = {}
    passed: dict[int, int] = {}
    for moment in range(400):
        if moment < 100:  # a stream of small ones, which must not starve anybody
            waiting.append((1000 + moment, Need(gpu_share=0.1, threads=1)))
        now = replace(on, taken=tuple(running.values()))
        answers = plan([need for _, need in waiting], now)
        started = [i for (i, _), a in zip(waiting, answers, strict=True) if isinstance(a, Place)]
        for (number, need), answer in zip(waiting, answers, strict=True):
            if isinstance(answer, Place):
                running[number] = Running(answer, need)
        check(on, list(running.values()))
        if waiting and isinstance(answers[0], str):
            passed[waiting[0][0]] = passed.get(waiting[0][0], 0) + 1
        dropped = {i for (i, _), a in zip(waiting, answers, strict=True) if isinstance(a, Never)}
        waiting = [(i, need) for i, need in waiting if i not in dropped and i not in started]
        for number in chance.sample(sorted(running), len(running) // 2 + len(running) % 2):
            del running[number]
        if not waiting and moment >= 100:
            break
    # What still waits waits for somebody else's process, or for a GPU that is lost.
    occupied = len(on.occupied())
    for _, need in waiting:
        assert occupied or on.problem, need
    # The first in the queue starts when the runs before it have ended: halving 30 takes few moments.
    if not occupied and not on.problem:
        assert max(passed.values(), default=0) <= 12


def test_a_long_queue_is_planned_quickly():
    taken = tuple(Running(Place((index,)), WHOLE_ONE) for index in range(8))
    chance = random.Random(0)
    queue = [Need(gpu_share=chance.random(), gpu_memory=chance.randint(1, 24)) for _ in range(500)]
    queue += [Need(gpus=0), Need(gpus=4)] * 250
    on = machine(8, taken=taken)
    best = min(_seconds(queue, on) for _ in range(5))
    assert best < 0.02, f"{best * 1000:.1f} ms"


def _seconds(queue: list[Need], on: Machine) -> float:
    begin = time.perf_counter()
    plan(queue, on)
    return time.perf_counter() - begin

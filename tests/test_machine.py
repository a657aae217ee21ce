"""What labtui may use of a machine: settings, cores, GPUs, what its runs have; `labtui gpus`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from launch_lab import place

import labtui
from labtui import run
from labtui.errors import LabError
from labtui.files import rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch.machine import Slots, look, running, slots, usable_cores
from labtui.launch.slots import Need, Never, Place, Running

GB = 10**9


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CUDA_VISIBLE_DEVICES", "LABTUI_GPU_INVENTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def eight(tmp_path, monkeypatch) -> Callable[..., None]:
    """A machine with 8 GPUs of 24 GB, some of them otherwise."""

    def write(*others: dict) -> None:
        entries = {index: {"index": index, "memory_total": 24 * GB} for index in range(8)}
        for other in others:
            entries[other["index"]] |= other
        path = tmp_path / "gpus.json"
        path.write_text(json.dumps(list(entries.values())))
        monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(path))

    write()
    return write


def test_settings_are_completed_by_the_machine(lab, monkeypatch):
    cores = usable_cores()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert slots(lab) == Slots(None, cores, min(4, cores))
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert slots(lab).threads == 3
    (lab / "labtui.toml").write_text("[slots]\ngpus = [0, 1]\ncores = 12\nthreads = 2\n")
    assert slots(lab) == Slots((0, 1), 12, 2)
    (lab / "labtui.toml").write_text("[slots]\ngpus = []\n")
    assert slots(lab).gpus == ()


def test_a_user_without_a_home_has_no_settings(lab, monkeypatch):
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    for name in ("XDG_CONFIG_HOME", "HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert slots(lab).cores == usable_cores()


def test_the_lab_s_settings_hide_the_user_s_own(lab, tmp_path):
    own = tmp_path / "config" / "labtui" / "labtui.toml"
    own.parent.mkdir(parents=True)
    own.write_text("[slots]\ngpus = [5]\ncores = 3\n")
    (lab / "labtui.toml").write_text("[slots]\ncores = 4\n")
    found = slots(lab)
    assert (found.gpus, found.cores) == ((5,), 4)
    own.write_text("[slots]\ngpus = 5\n")
    with pytest.raises(LabError, match=f"^{own}: slots.gpus = 5: expected a list of GPU numbers"):
        slots(lab)


@pytest.mark.parametrize(
    "text, message",
    [
        ("slots = 3", r"slots = 3: expected a table \[slots\] with gpus, cores, threads"),
        ("[slots]\ngpu = [0]", "slots.gpu: no such key; did you mean 'gpus'"),
        ("[slots]\nxyz = 1", "slots.xyz: no such key; known here: cores, gpus, threads"),
        ("[slots]\ngpus = [-1]", r"slots.gpus = \[-1\]: expected a list of GPU numbers, such as \[0, 1\]"),
        ("[slots]\ncores = 0", "slots.cores = 0: expected a number of CPU cores from 1 on"),
        ("[slots]\nthreads = '2'", "slots.threads = '2': expected a number of threads from 1 on"),
        ("[slots]\nthreads = true", "slots.threads = True: expected"),
    ],
)
def test_wrong_settings_name_file_key_and_what_is_expected(lab, cli, text, message):
    (lab / "labtui.toml").write_text(text)
    with pytest.raises(LabError, match=f"^{lab}/labtui.toml: {message}"):
        slots(lab)
    status, out, err = cli("gpus")
    assert status == 2 and not out and "labtui.toml: slots" in err
    assert "labtui.toml: slots" in cli("doctor")[1]


def tree(root: Path, cgroup: str, **files: str) -> Path:
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_quota_of_a_container_limits_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    cpu = "sys/fs/cgroup"
    assert usable_cores(tmp_path / "nothing") == 16
    inside = tree(tmp_path / "2", "0::/\n", **{f"{cpu}/cpu.max": "350000 100000\n"})
    assert usable_cores(inside) == 3
    slice = {f"{cpu}/a/cpu.max": "200000 100000\n", f"{cpu}/a/b/cpu.max": "max 100000\n"}
    assert usable_cores(tree(tmp_path / "slice", "0::/a/b\n", **slice)) == 2
    tiny = tree(tmp_path / "tiny", "0::/\n", **{f"{cpu}/cpu.max": "50000 100000\n"})
    assert usable_cores(tiny) == 1
    old = {f"{cpu}/cpu,cpuacct/x/cpu.cfs_{name}_us": text for name, text in
           {"quota": "400000\n", "period": "100000\n"}.items()}  # fmt: skip
    assert usable_cores(tree(tmp_path / "1", "3:cpuset:/\n4:cpu,cpuacct:/x\n0::/\n", **old)) == 4
    free = {name: text.replace("400000", "-1") for name, text in old.items()}
    assert usable_cores(tree(tmp_path / "free", "4:cpu,cpuacct:/x\n", **free)) == 16


def test_the_machine_is_what_settings_leave_of_it(lab, eight):
    assert len(look(lab).gpus) == 8
    (lab / "labtui.toml").write_text("[slots]\ngpus = [2, 3, 99]\ncores = 6\nthreads = 2")
    found = look(lab)
    assert [gpu.index for gpu in found.gpus] == [2, 3] and not found.problem
    assert (found.cores, found.threads) == (6, 2)
    assert isinstance(place(Need(gpus=3), found), Never)
    (lab / "labtui.toml").write_text("[slots]\ngpus = []")
    assert place(Need(threads=1), look(lab)) == Place(cores=1, threads=1)
    (lab / "labtui.toml").write_text("[slots]\ngpus = [99]")
    assert "slots] gpus = [99] names none of the GPUs here" in place(Need(), look(lab))


def test_a_machine_without_gpus_is_no_problem(lab, monkeypatch, tmp_path):
    empty = tmp_path / "none.json"
    empty.write_text("[]")
    monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(empty))
    (lab / "labtui.toml").write_text("[slots]\ngpus = [0]")
    assert look(lab).problem == "" and isinstance(place(Need(), look(lab)), Place)
    empty.write_text("[")  # as NVML when a GPU is lost: nothing is sure, so nothing falls back to the CPU
    assert "waits for a GPU" in place(Need(), look(lab))


Worker = Callable[..., tuple[RunPaths, int]]


@pytest.fixture
def worker(lab) -> Iterator[Worker]:
    """A run that was claimed for a real process."""
    children: list[subprocess.Popen[bytes]] = []

    def begin(resources: dict, **given: object) -> tuple[RunPaths, int]:
        recipe = {"format": 1, "name": "x", "resources": resources}
        paths = rundir.create(LabPaths(lab), "x", recipe, queued=True)
        assert rundir.claim(paths, 1, **given)
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        children.append(child)
        rundir.claimed_for(paths, 1, child.pid)
        return paths, child.pid

    yield begin
    for child in children:
        child.kill()
        child.wait()


def test_what_a_run_has(worker, lab):
    paths, pid = worker({"gpu_share": 0.5}, gpus=[3], cores=0)
    assert running(paths, run.derive(paths)) == Running(Place((3,)), Need(1, 0.5), pid)
    paths, pid = worker({}, gpus=[], cores=4)
    assert running(paths, run.derive(paths)) == Running(Place(cores=4), Need(0), pid)
    broken, pid = worker({"gpus": "many"}, gpus="all", cores=None)
    assert running(broken, run.derive(broken)) == Running(Place(), Need(0), pid)
    paths = rundir.create(LabPaths(lab), "x", {"name": "x"}, queued=True)
    assert running(paths, run.derive(paths)) is None


def test_runs_of_ours_are_no_others(worker, lab, eight):
    paths, pid = worker({"gpu_share": 0.5}, gpus=[0])
    ours = running(paths, run.derive(paths))
    assert ours
    eight({"index": 0, "memory_used": 20 * GB, "processes": [[pid, None]]})
    assert tuple(place(Need(gpu_share=0.5), look(lab, [ours])).gpus) == (0,)
    assert tuple(place(Need(gpu_share=0.5), look(lab)).gpus) == (1,)


def test_gpus_shows_who_uses_what(worker, lab, eight, cli):
    (lab / "labtui.toml").write_text("[slots]\ngpus = [0, 1, 2, 3, 4]\ncores = 16")
    mine, pid = worker({"gpu_share": 0.5}, gpus=[0])
    cpu, _ = worker({}, gpus=[], cores=4)
    (other,) = [subprocess.Popen(["sleep", "60"])]
    try:
        eight(
            {"index": 0, "memory_used": 3 * 2**30, "processes": [[pid, None]], "utilization": 97},
            {"index": 1, "processes": [[other.pid, 2**30]], "temperature": 61, "name": "A\x1b[31m"},
            {"index": 2, "memory_used": 20 * GB},
            {"index": 3, "barred": "is divided"},
            {"index": 4, "processes": [[2**22 - 1, None]]},
        )
        status, out, err = cli("gpus")
        lines = out.splitlines()[2:]
        assert status == 0 and not err and len(lines) == 9 and "\x1b" not in out
        assert mine.id in lines[0] and "3.0 GiB of 22.4 GiB" in lines[0] and "97 %" in lines[0]
        assert f"{other.pid}, 1.0 GiB)  left alone" in lines[1] and "sleep (" in lines[1]
        assert lines[2].rstrip().endswith("has memory in use by others")
        assert lines[3].rstrip().endswith("is divided")
        assert "process (unseen 4194303)" in lines[4]
        assert all(line.rstrip().endswith("not for labtui: [slots] gpus") for line in lines[5:8])
        assert "4 of 16 cores" in lines[8] and cpu.id in lines[8]
        rows = json.loads(cli("gpus", "--format", "json")[1])
    finally:
        other.kill()
        other.wait()
    assert [row["device"] for row in rows] == [*range(8), "cpu"]
    assert rows[0]["runs"] == [mine.id] and rows[0]["others"] == [] and rows[0]["note"] == ""
    assert rows[1]["others"][0]["pid"] == other.pid and rows[1]["others"][0]["memory"] == 2**30
    assert (rows[8]["cores"], rows[8]["cores_taken"], rows[8]["runs"]) == (16, 4, [cpu.id])


def test_a_script_of_this_lab_is_seen_on_its_gpu(lab, eight, cli):
    with labtui.init("by-hand") as own:
        eight({"index": 1, "processes": [[os.getpid(), None]]})
        row = json.loads(cli("gpus", "--format", "json")[1])[1]
    assert row["runs"] == [own.id] and row["others"] == []
    assert "is used by another process" in row["note"]  # it has no slot, so the GPU is left alone


def test_without_gpus_there_is_a_sentence_and_the_cores(cli, lab, tmp_path, monkeypatch):
    empty = tmp_path / "none.json"
    empty.write_text("[]")
    monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(empty))
    status, out, err = cli("gpus")
    assert status == 0 and len(out.splitlines()) == 3 and f"0 of {usable_cores()} cores" in out
    assert err == "no GPU: runs train on the CPU (none that may be used)\n"
    assert "none: runs train on the CPU" in cli("doctor")[1]
    empty.write_text("no JSON")
    assert "is no list of GPUs" in cli("gpus")[2] and "is no list of GPUs" in cli("doctor")[1]


def test_the_doctor_counts_gpus(cli, lab, eight):
    eight({"index": 3, "name": "Other"})
    assert "7 × GPU, 1 × Other" in cli("doctor")[1]

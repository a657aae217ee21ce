"""The GPUs of a machine: through NVIDIA's own binding to a library of ours, from a file, and whose
the processes on them are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labtui.gpus import Gpu, inventory, owners

GB = 10**9
ASK = """
import json, dataclasses
from labtui.gpus import inventory
print(json.dumps(dataclasses.asdict(inventory())))
"""


@pytest.fixture(autouse=True)
def no_other_settings(monkeypatch):
    for name in ("CUDA_VISIBLE_DEVICES", "LABTUI_GPU_INVENTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """A folder with a libnvidia-ml.so.1 that says what the environment tells it to."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler here to build a libnvidia-ml.so.1 with")
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).parent / "nvml" / "nvml.c"
    target = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", target, source], check=True)
    return folder


Ask = Callable[..., dict]


@pytest.fixture
def nvml(library: Path) -> Ask:
    """What `inventory` finds in a new process, given what the library is to say."""

    def ask(*gpus: str, code: str = ASK, **environment: str) -> dict:
        told = {f"NVML_{index}": text for index, text in enumerate(gpus)}
        surroundings = os.environ | {"LD_LIBRARY_PATH": str(library)} | told | environment
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], env=surroundings, capture_output=True, check=True
        )
        return json.loads(done.stdout) | {"inits": done.stderr.decode().count("init ")}

    return ask


def test_what_nvml_says(nvml):
    found = nvml("24000000000 1000000000 37 61 0 41 42", "24000000000 0 0 30 0")
    assert found["problem"] == "" and not found["passing"]
    first, second = found["gpus"]
    assert first == {
        "index": 0,
        "memory_total": 24 * GB,
        "memory_used": GB,
        "uuid": "GPU-00000000-0000",
        "name": "NVIDIA Test",
        "utilization": 37,
        "temperature": 61,
        "processes": [[41, None], [42, 1000]],
        "barred": "",
    }
    assert second["index"] == 1 and second["processes"] == []


def test_what_a_gpu_does_not_tell_is_none(nvml):
    (found,) = nvml("0 0 -1 -1 -1")["gpus"]
    assert found["utilization"] is found["temperature"] is None
    assert found["memory_total"] == found["memory_used"] == 0 and found["barred"] == ""


def test_old_drivers_have_older_functions(nvml):
    (found,) = nvml("24000000000 1000 0 30 0 41", NVML_OLD="1")["gpus"]
    assert found["memory_used"] == 1007 and found["processes"] == [[41, None]]


def test_desktops_do_not_compute(nvml):
    (found,) = nvml("24000000000 1000 0 30 0 41 1000001 2000001")["gpus"]
    assert found["processes"] == [[41, None]]


def test_many_processes_are_all_there(nvml):
    pids = range(100, 140)
    (found,) = nvml(f"24000000000 0 0 30 0 {' '.join(map(str, pids))}")["gpus"]
    assert [pid for pid, _ in found["processes"]] == list(pids)


def test_a_divided_gpu_is_barred(nvml):
    first, second = nvml("24000000000 0 0 30 1", "24000000000 0 0 30 0")["gpus"]
    assert "MIG" in first["barred"] and not second["barred"]


@pytest.mark.parametrize(
    "code, text, passing", [(15, "GPU is lost", True), (4, "Insufficient Permissions", False),
                            (777, "a new error", True)],
)  # fmt: skip
def test_a_gpu_that_fails_is_left_out_with_the_reason(nvml, code, text, passing):
    found = nvml("24000000000 0 0 30 0", f"error {code}", "24000000000 0 0 30 0")
    assert [gpu["index"] for gpu in found["gpus"]] == [0, 2]
    assert found["problem"] == f"GPU 1: {text}" and found["passing"] is passing


def test_without_a_driver_there_are_none(nvml):
    assert nvml(NVML_INIT="9") == {
        "gpus": [], "problem": "NVML: Driver Not Loaded", "passing": False, "inits": 0,
    }  # fmt: skip
    assert nvml() == {"gpus": [], "problem": "", "passing": False, "inits": 1}
    found = nvml("24000000000 0 0 30 0", NVML_INIT="18")
    assert found["gpus"] == [] and "mismatch" in found["problem"] and found["passing"]


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="this machine has a driver")
def test_without_a_library_there_are_none():
    found = inventory()
    assert found.gpus == () and not found.passing
    assert found.problem == "NVML: NVML Shared Library Not Found"


@pytest.mark.skipif(not os.path.exists("/dev/nvidiactl"), reason="no NVIDIA GPU here")
def test_a_real_gpu():
    found = inventory()
    assert found.gpus, found.problem
    for gpu in found.gpus:
        assert gpu.uuid.startswith("GPU-") and 0 <= gpu.memory_used <= gpu.memory_total


def test_nvml_is_begun_once_a_process_and_anew_after_an_error_or_a_fork(nvml):
    code = """
import json, os
from labtui.gpus import inventory
counts = [len(inventory().gpus), len(inventory().gpus)]
os.environ["NVML_COUNT"] = "999"; os.putenv("NVML_COUNT", "999")
failed = inventory()
del os.environ["NVML_COUNT"]
counts.append(len(inventory().gpus))
child = os.fork()
if not child:
    os._exit(len(inventory().gpus))
counts.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps({"counts": counts, "failed": [failed.problem, failed.passing]}))
"""
    found = nvml("24000000000 0 0 30 0", code=code)
    assert found["counts"] == [1, 1, 1, 1] and found["failed"] == ["NVML: Unknown Error", True]
    assert found["inits"] == 3


@pytest.fixture
def injected(tmp_path, monkeypatch) -> Callable[[object], Path]:
    """Put an inventory in the place of the machine's."""

    def write(content: object) -> Path:
        path = tmp_path / "gpus.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(path))
        return path

    return write


EIGHT = [{"index": index, "uuid": f"GPU-{index}a-b", "memory_total": 24 * GB} for index in range(8)]


def test_a_file_can_be_the_machine(injected):
    injected([*EIGHT, {"index": 8, "memory_total": GB, "processes": [[1, None], [2, 5]], "name": "X"}])
    found = inventory()
    assert len(found.gpus) == 9 and found.problem == ""
    assert found.gpus[8] == Gpu(8, GB, name="X", processes=((1, None), (2, 5)))


@pytest.mark.parametrize(
    "content", ["", "{", "3", '[{"index": 0}]', '[{"index": "0", "memory_total": 1}]', "[3]",
                '[{"index": 0, "memory_total": 1, "color": 2}]', '[{"index":0,"memory_total":1,"processes":[4]}]'],
)  # fmt: skip
def test_a_broken_file_is_a_problem_that_may_pass(injected, content):
    path = injected(content)
    found = inventory()
    assert found.gpus == () and found.passing and str(path) in found.problem


def test_a_missing_file_is_one_too(injected):
    path = injected(EIGHT)
    path.unlink()
    assert "No such file" in inventory().problem and inventory().passing


@pytest.mark.parametrize(
    "named, seen",
    [("0,2", [0, 2]), ("2, 0", [0, 2]), ("", []), ("-1", []), ("1,-1,2", [1]), ("9,3", [3]), ("3,3", [3]),
     ("GPU-5a", [5]), ("GPU-5a-b,1", [1, 5]), ("NoDevFiles", [])],
)  # fmt: skip
def test_cuda_visible_devices_restricts(injected, monkeypatch, named, seen):
    injected(EIGHT)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    found = inventory()
    assert [gpu.index for gpu in found.gpus] == seen and found.problem == ""


def test_a_part_of_a_gpu_is_not_given_out(injected, monkeypatch):
    injected(EIGHT)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")
    assert inventory().gpus == () and "MIG-1234" in inventory().problem and inventory().passing


@contextmanager
def worker(code: str) -> Iterator[tuple[int, list[int]]]:
    """A process that leads a session, and the pids that it prints."""
    with subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.pid, [int(word) for word in process.stdout.readline().split()]
        finally:
            os.killpg(process.pid, 9)


def test_whose_a_process_is():
    code = """
import subprocess, time
new = [subprocess.Popen(["sleep", "60"], start_new_session=own) for own in (False, True)]
print(*(one.pid for one in new), flush=True)
time.sleep(60)
"""
    with (
        worker(code) as (first, (child, apart)),
        worker("import time; print(); time.sleep(60)") as (other, _),
    ):
        gone = 2**22 - 1  # a pid that is hardly ever there
        pids = (first, child, apart, other, os.getpid(), gone)
        found = owners([Gpu(0, GB, processes=tuple((pid, None) for pid in pids))], {first})
        os.kill(apart, 9)
    assert found == {first: first, child: first, apart: first, other: None, os.getpid(): None}

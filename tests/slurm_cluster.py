"""A real Slurm of one machine for the tests: munged, slurmctld and slurmd on loopback.

Each daemon runs in the foreground as a child that dies with its parent, with files, keys and ports
of its own, so that any number of clusters live side by side and none outlives its tests.

    python tests/slurm_cluster.py        # one to try things in: says how to reach it, until Ctrl-C
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from labtui.files.process import tied

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
HOST = os.uname().nodename.partition(".")[0]
NODES = (HOST, f"{HOST}-b")
"""Names of the nodes, which are all this machine; the first, where processes meet, has an address."""
CPUS = 4
GPUS = 2

_CONF = """
ClusterName=labtui
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
# The daemons listen on the addresses named here only, which are loopback.
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits for as long before it starts again.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SwitchType=switch/none
MpiDefault=none
TaskPlugin=task/none
# Signals reach every process of a job: the rough manners of some clusters.
ProctrackType=proctrack/linuxproc
# A job that takes more memory than it asked for is ended.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
JobAcctGatherFrequency=task=1
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=900
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,sched_min_interval=1000,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
KillWait=5
MinJobAge=300
MaxArraySize=4
NodeName=DEFAULT CPUs={cpus} RealMemory=4000 Gres=gpu:{gpus}
NodeName={nodes[0]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[0]}
NodeName={nodes[1]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]}
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 MaxTime=INFINITE State=UP
PartitionName=harsh Nodes=ALL PriorityTier=1 MaxTime=INFINITE State=UP PreemptMode=CANCEL
PartitionName=high Nodes=ALL PriorityTier=10 MaxTime=INFINITE State=UP PreemptMode=OFF
"""


def missing() -> str | None:
    """Why no cluster can be started here; None when one can."""
    absent = [name for name in PROGRAMS if _which(name) is None]
    return f"no Slurm here: apt-get install slurm-wlm munge ({', '.join(absent)})" if absent else None


class Cluster:
    """A running cluster; a context manager. `environment` leads Slurm's commands to it."""

    def __init__(self) -> None:
        # Not below a folder of pytest's, which only its owner may enter: munge declines that.
        self.folder = Path(tempfile.mkdtemp(prefix="labtui-slurm-"))
        self.folder.chmod(0o755)
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o600)
        devices = [self.folder / f"gpu{number}" for number in range(GPUS)]
        for device in devices:
            device.symlink_to(os.devnull)  # a GPU has to be a device, and is never opened here
        gres = "\n".join(f"Name=gpu File={device}" for device in devices)
        (self.folder / "gres.conf").write_text(gres + "\n")
        controller, *ports = _free_ports(1 + len(NODES))
        (self.folder / "slurm.conf").write_text(
            _CONF.format(
                host=HOST,
                user=pwd.getpwuid(os.getuid()).pw_name,
                folder=self.folder,
                controller=controller,
                nodes=NODES,
                ports=ports,
                cpus=CPUS,
                gpus=GPUS,
            )
        )

    def __enter__(self) -> Cluster:
        try:
            names = (
                "key-file=munge.key",
                "socket=munge.socket",
                "pid-file=munge.pid",
                "seed-file=munge.seed",
            )
            options = [f"--{name.replace('=', f'={self.folder}/')}" for name in names]
            self._start("munged", "--foreground", "--force", *options)
            _eventually((self.folder / "munge.socket").exists, self.explain)
            self.start_controller()
            for node in NODES:
                self._start("slurmd", "-D", "-N", node)
            _eventually(lambda: f"{len(NODES)} idle" in self.call("sinfo", "-h", "-o", "%D %t"), self.explain)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End all jobs, then the daemons; nothing is left running."""
        if "slurmctld" in self.daemons and self.daemons["slurmctld"].poll() is None:
            with suppress(subprocess.SubprocessError, AssertionError):
                self.clear()
        for name in ("slurmctld", *(name for name in self.daemons if name.startswith("slurmd ")), "munged"):
            self.stop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_controller(self) -> None:
        """Start slurmctld if it does not run, as after `stop("slurmctld")`."""
        if "slurmctld" not in self.daemons:
            self._start("slurmctld", "-D")
        _eventually(lambda: "UP" in self.call("scontrol", "ping"), self.explain)

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a daemon that this object started."""
        daemon = self.daemons.pop(name, None)
        if daemon is not None:
            daemon.send_signal(number)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def clear(self) -> None:
        """End all jobs, at once."""
        self.call("scancel", "--me")
        self.call("scancel", "--me", "--full", "--signal=KILL")
        _eventually(lambda: not self.call("squeue", "-h").strip(), self.explain)

    def occupy(self, partition: str, seconds: float = 600) -> None:
        """Take all there is, with a job of a partition that goes before others."""
        sleep = f"sleep {seconds}"
        self.call("sbatch", f"-p{partition}", f"-N{len(NODES)}", f"-c{CPUS}", "-o/dev/null", "--wrap", sleep)

    def state(self, job: str) -> str:
        """Slurm's word for the state of a job."""
        return self.call("squeue", "-h", "--array", "-t", "all", "-o", "%T", "-j", job).strip()

    def call(self, *command: str) -> str:
        """What a command of Slurm says, its errors too."""
        done = subprocess.run(
            command,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout

    def explain(self) -> str:
        """The last words of the daemons."""
        return "\n".join(
            f"{path.name}: {path.read_text(errors='replace')[-1500:]}" for path in self.folder.glob("*.log")
        )

    def _start(self, name: str, *options: str) -> None:
        program = _which(name)
        assert program
        with open(self.folder / f"{name}.out.log", "ab") as log:
            self.daemons[" ".join([name, *options[2:]]) if name == "slurmd" else name] = subprocess.Popen(
                [program, *options],
                env=os.environ | self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C is for the tests, which then end the daemons in their order
                preexec_fn=tied(),  # noqa: PLW1509 - a killed test leaves nothing behind either
            )


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those that the kernel gives to others meanwhile."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            one = held.enter_context(socket.socket())
            with suppress(OSError):
                one.bind(("127.0.0.1", random.randrange(16_000, 32_000)))
                found.append(one.getsockname()[1])
    return found


def _eventually(fits: Callable[[], bool], explain: Callable[[], str], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < end, explain()
        time.sleep(0.05)


if __name__ == "__main__":
    if reason := missing():
        raise SystemExit(reason)
    with Cluster() as cluster:
        print(f"export SLURM_CONF={cluster.environment['SLURM_CONF']}", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()

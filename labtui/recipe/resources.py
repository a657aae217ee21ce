"""What a run may use, where it runs, and when it may start."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import Spec


class Slurm(Spec):
    """What a job of this run asks of Slurm, in the words of sbatch(1). GPUs, nodes and threads are in
    `[resources]` itself; without `gpus` the job has none."""

    partition: str | None = None
    """Partition; absent: the cluster's default."""
    time: int | None = Field(None, ge=1)
    """Minutes until Slurm ends the job, which then starts again and goes on; absent: the partition's."""
    cpus: int | None = Field(None, ge=1)
    """CPUs on each node; absent: `resources.threads` for each process, else the cluster's default."""
    memory: float | None = Field(None, gt=0)
    """Memory on each node, GB; absent: the cluster's default."""
    account: str | None = None
    """Account that is charged."""
    qos: str | None = None
    """Quality of service."""
    constraint: str | None = None
    """Features that a node must have."""
    array: int | None = Field(None, ge=1)
    """Jobs of one sweep that run at once; absent: no limit."""


class Resources(Spec):
    """What a run may use, where it runs, and when it may start."""

    launcher: Literal["local", "slurm"] = "local"
    """This machine's own slots, or jobs of a Slurm cluster."""
    gpus: int | None = Field(None, ge=0)
    """GPUs of the run, on each of its nodes (more than 1: distributed data parallel); 0: CPU only; absent:
    one, if there is one."""
    gpu_share: float | None = Field(None, gt=0, le=1)
    """Part of each GPU that the run takes, so that several share one; absent: all of it."""
    gpu_memory: float | None = Field(None, gt=0)
    """Memory of each GPU that the run needs, GB (10⁹ bytes); runs share a GPU as long as it suffices."""
    threads: int | None = Field(None, ge=1)
    """CPU threads of each process; absent: as `[slots]` of labtui.toml says; on a GPU a part of the cores."""
    processes: int | None = Field(None, ge=1)
    """Processes of a data parallel training without GPUs, on each of its nodes; absent: one."""
    unused_parameters: bool = False
    """Some parameters take no part in some steps: data parallel training has to look for them each time."""
    nodes: int = Field(1, ge=1)
    """Machines of one run (Slurm only)."""
    slurm: Slurm = Field(default_factory=Slurm)
    """What a Slurm job asks for."""
    priority: int = 0
    """Runs of a higher priority start first; within one, first come, first served."""
    after: list[str] = []
    """Runs that must have finished before this one starts: ids, sweeps or references."""
    min_free: float = Field(0.5, ge=0)
    """Free space on the lab's disk without which no run starts, GB."""
    hang_timeout: float | None = Field(None, gt=0)
    """Seconds without a new optimiser step after which the run is ended as hung; absent: never. Loading
    and validation count too, so it is longer than both; the steps of a command are those it logs."""
    retries: int = Field(0, ge=0)
    """Further attempts after an end that may pass: a killed worker, a full memory or disk, a hang."""

    @property
    def on_gpus(self) -> bool:
        """Whether a training takes GPUs, if there are any."""
        return self.gpus != 0 and self.processes is None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.nodes > 1 and self.launcher != "slurm":
            raise ValueError('nodes > 1 needs launcher = "slurm"')
        if self.launcher == "slurm" and (self.gpu_share or self.gpu_memory):
            raise ValueError(
                "gpu_share and gpu_memory are for this machine's own GPUs; Slurm gives whole ones"
            )
        if self.gpus == 0 and (self.gpu_share or self.gpu_memory):
            raise ValueError("gpu_share and gpu_memory need a GPU, and gpus = 0")
        if self.processes and self.gpus:
            raise ValueError("processes is for training without GPUs; gpus says how many there are")
        return self

"""A Slurm of this machine only: its daemons, each a child of this process, in a folder of its own.

Two nodes, `alpha` and `beta`, are two slurmd on loopback, with ports of their own and a partition
each. `beta` looks like another machine of the same kind: it has an id of its own for the current
boot. Each node has one GPU that is another /dev/null: Slurm counts, grants and names it, and no
driver shows it. There is no accounting, as on many small clusters.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import stat
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
HERE, OTHER = NODES = ("alpha", "beta")
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_ETC = "/etc/slurm"
_NULL = os.makedev(1, 3)
_START_S, _END_S = 60.0, 10.0
_CONF = """\
ClusterName=orket
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MpiDefault=none
GresTypes=gpu
ReturnToService=2
KillWait=2
SlurmdTimeout=10
OverTimeLimit=0
"""
_NODE = """\
NodeName=DEFAULT CPUs={cpus} RealMemory={memory} Gres=gpu:1
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}
PartitionName={node} Nodes={node} Default={default} MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why no Slurm can be started here; empty if one can."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    return f"not installed: {', '.join(lacking)} (bash .ci/slurm)" if lacking else ""


class Cluster:
    """A running Slurm.

    Args:
        folder: For its config, its logs and its state.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which Slurm's commands talk to this cluster."""
        return {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _path()}

    def start(self) -> None:
        """Start munged, slurmctld and both nodes, and wait until the nodes are idle."""
        self._configure()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        files = ("socket", "key", "pid", "log", "seed")
        places = [
            f"--{name}{'' if name == 'socket' else '-file'}={self.folder}/munge.{name}"
            for name in files
        ]
        self._spawn("munged", "munged", "--foreground", "--force", *places)
        self.until((self.folder / "munge.socket").exists, "munged")
        self._spawn("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self.start_node(node)

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node; `beta` has a boot id of its own."""
        # Snakemake's job steps drop SLURM_CONF, so a node has the config where Slurm looks for it.
        mounts = [f"mount --bind {self.folder} {_ETC}"]
        if node != HERE:
            other = self.folder / f"boot_id-{node}"
            other.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
            mounts.append(f"mount --bind {other} {_BOOT_ID}")
        inside = " && ".join([*mounts, 'exec "$@"'])
        command = ["slurmd", "-D", "-N", node]
        self._spawn(node, "unshare", "--mount", "sh", "-c", inside, "sh", *command)
        self.until(lambda: self.state_of(node) == "IDLE", f"the node {node}")

    def lose_node(self, node: str) -> None:
        """End a node with all that runs on it, as a power cut does."""
        daemon = self._running.pop(node)
        for process in [psutil.Process(daemon.pid), *self.processes(node)]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        daemon.wait()

    def processes(self, node: str) -> list[psutil.Process]:
        """Return the processes of the jobs on a node, and those that watch over their steps."""
        steps, tasks = {}, []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("SLURMD_NODENAME") == node:
                    tasks.append(process)
                    above = process.parent()
                    if above and above.name() == "slurmstepd":
                        steps[above.pid] = above
        return [*steps.values(), *tasks]

    def state_of(self, node: str) -> str:
        """Return the state of a node, such as IDLE."""
        shown = self.ask("scontrol", "--oneliner", "show", "node", node)
        return shown.partition(" State=")[2].partition(" ")[0]

    def ask(self, *command: str) -> str:
        """Run one of Slurm's commands, and return what it prints."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout

    def stop(self) -> None:
        """End the jobs and all daemons, by their pids; the nodes first."""
        if "slurmctld" in self._running:
            self.ask("scancel", f"--user={getpass.getuser()}")
            with contextlib.suppress(TimeoutError):
                self.until(lambda: not self.ask("squeue", "--noheader"), "the end of all jobs")
        for name in reversed(list(self._running)):
            daemon = self._running.pop(name)
            daemon.terminate()
            try:
                daemon.wait(_END_S)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: It is not, in time; with the daemons' logs.
        """
        end = time.monotonic() + _START_S
        while not is_so():
            if time.monotonic() > end:
                logs = "\n".join(
                    f"{path.name}: {path.read_text(errors='replace')[-2000:]}"
                    for path in sorted((*self.folder.glob("*.log"), *self.folder.glob("*.out")))
                )
                raise TimeoutError(f"{what} is not there after {_START_S:g} s\n{logs}")
            time.sleep(0.1)

    def _configure(self) -> None:
        host, ports = socket.gethostname().partition(".")[0], _free_ports(1 + len(NODES))
        conf = _CONF.format(folder=self.folder, host=host, user=getpass.getuser(), ports=ports)
        gres = ""
        for node, port in zip(NODES, ports[1:], strict=True):
            default = "YES" if node == HERE else "NO"
            memory = psutil.virtual_memory().total // 2**20
            conf += _NODE.format(
                node=node,
                host=host,
                port=port,
                cpus=os.cpu_count(),
                memory=memory,
                default=default,
            )
            card = self.folder / f"{node}-gpu0"  # Slurm takes the index from the name
            os.mknod(card, stat.S_IFCHR | 0o600, _NULL)
            gres += f"NodeName={node} Name=gpu Count=1 File={card}\n"
            (self.folder / f"spool-{node}").mkdir()
        (self.folder / "state").mkdir()
        (self.folder / "slurm.conf").write_text(conf, encoding="ascii")
        (self.folder / "gres.conf").write_text(gres, encoding="ascii")

    def _spawn(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as output:
            self._running[name] = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=output, cwd=self.folder
            )


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster in a folder, and end it."""
    it = Cluster(folder)
    try:
        it.start()
        yield it
    finally:
        it.stop()


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for it in sockets:
            it.bind(("127.0.0.1", 0))
        return [it.getsockname()[1] for it in sockets]

"""The README's line for Slurm: what it asks a cluster for, and two units on a cluster of this machine alone."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roa_helpers import studies
from roa_helpers.records import store

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])  # where Debian keeps daemons
ABSENT = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name, path=SYSTEM)]
PATIENCE = 1200  # seconds
LINE = "-m snakemake --workflow-profile workflow/profiles/slurm --config profile="

#: Commands of Slurm that note how they were called; no job is ever taken.
FAKE = """\
#!/bin/sh
echo "{name} $*" >> "{log}"
[ {name} = scontrol ] && echo "MinJobAge = 300 sec"
[ {name} != sbatch ]
"""

CLUSTER = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=64000
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def submitted(results, *, profile, jobs, environment):
    """The README's line at work on some jobs; the process, which ends with the block."""
    marks = [os.path.relpath(results / profile / study / f".{name}.done", ROOT) for study, name in jobs]
    command = [sys.executable, *f"{LINE}{profile}".split(), "--nolock", "--", *marks]
    variables = os.environ | {"ROA_RESULTS": str(results), "USER": getpass.getuser()} | environment
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def jobs_of(study, *, profile):
    """(study, name) of each job of a study."""
    return [(study, name) for name in studies.jobs(studies.planned(profile, study), profile)]


@pytest.mark.parametrize(("profile", "asked"), [("quick", False), ("paper", True)])
def test_a_gpu_is_asked_for_where_the_profile_needs_one(tmp_path, profile, asked):
    log, tools = tmp_path / "log", tmp_path / "bin"
    tools.mkdir()
    for name in ("sbatch", "squeue", "sinfo", "scontrol", "scancel", "sacct", "sacctmgr"):
        (tools / name).write_text(FAKE.format(name=name, log=log))
        (tools / name).chmod(0o755)
    environment = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    (job, *_), deadline = jobs_of("roi_roa", profile=profile), time.monotonic() + PATIENCE
    with submitted(tmp_path / "results", profile=profile, jobs=[job], environment=environment) as process:
        while not (calls := jobs_in(log)):
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
            time.sleep(0.2)
    assert ("--gres=gpu:1" in calls[0]) == asked


def jobs_in(log):
    """The calls of sbatch in the notes of the commands above."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line for line in lines if line.startswith("sbatch ") and "--wrap" in line]


def test_it_is_the_line_of_the_readme():
    assert f".venv/bin/python {LINE}paper\n" in (ROOT / "README.md").read_text()


def free_ports(n):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture
def cluster(tmp_path):
    """A cluster of this machine alone, without accounting; the variables by which its commands find it."""
    if ABSENT:
        pytest.skip(f"no Slurm here, {', '.join(ABSENT)} not found; Debian, Ubuntu: apt install slurm-wlm munge")
    folder, host = tmp_path / "slurm", socket.gethostname().partition(".")[0]
    for part in ("state", "spool"):
        (folder / part).mkdir(parents=True)
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o600)
    config = folder / "slurm.conf"
    config.write_text(CLUSTER.format(folder=folder, host=host, user=getpass.getuser(), ports=free_ports(2)))
    # Snakemake takes SLURM_… out of the surroundings of a job, which on a cluster finds its configuration without.
    (folder / "srun").write_text(f'#!/bin/sh\nSLURM_CONF="{config}" exec {shutil.which("srun", path=SYSTEM)} "$@"\n')
    (folder / "srun").chmod(0o755)
    variables = {"SLURM_CONF": str(config), "PATH": f"{folder}{os.pathsep}{SYSTEM}"}
    files = {"key-file": "key", "socket": "munge.socket", "pid-file": "munged.pid", "seed-file": "seed"}
    paths = [f"--{name}={folder / file}" for name, file in files.items()]
    daemons = (["munged", "--foreground", "--force", *paths], ["slurmctld", "-D", "-f", config],
               ["slurmd", "-D", "-f", config, "-N", host])  # fmt: skip
    running = []
    try:
        for command in daemons:
            with open(folder / f"{command[0]}.out", "wb") as out:
                running.append(subprocess.Popen(command, env=os.environ | variables, stdout=out, stderr=out))
            deadline = time.monotonic() + 30
            while not (folder / "munge.socket").exists() and time.monotonic() < deadline:
                time.sleep(0.1)
        deadline = time.monotonic() + 180
        while asked("sinfo", "--noheader", "--format=%t", variables=variables) != "idle":
            said = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.[lo][ou][gt]")))
            assert time.monotonic() < deadline, f"the cluster does not come up:\n{said}"
            time.sleep(0.5)
        yield variables
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(timeout=30)


def asked(*command, variables):
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.slurm
def test_two_jobs_are_computed_on_a_cluster_without_accounting(cluster, tmp_path):
    jobs = [*jobs_of("adaptive", profile="quick"), *jobs_of("registration", profile="quick")]
    assert len(jobs) == 2
    with submitted(tmp_path / "results", profile="quick", jobs=jobs, environment=cluster) as process:
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    for study, _ in jobs:
        assert len(studies.planned("quick", study)) == len(
            [*filter(store.read, (tmp_path / "results" / "quick" / study).glob("[!.]*/"))]
        )
    told = asked("scontrol", "--oneliner", "show", "jobs", variables=cluster)
    assert told.count("JobState=COMPLETED") == 2

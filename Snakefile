"""study → notebook → book.  `make book` runs it; by hand:

    snakemake --workflow-profile workflow/profiles/default --cores 2 --config profile=quick
    snakemake --workflow-profile workflow/profiles/slurm --config profile=paper

Snakemake owns what lies under `_build/` and the marks `results/<profile>/<study>/.<unit>.done`. The results themselves
belong to the package, which reuses a unit whose choices, code and data are the same: a rule may run without computing.
"""

import os
import shlex
import sys
from pathlib import Path

import roa_helpers
from roa_helpers import scratch, studies
from roa_helpers.records import fingerprints, store


def linked(place, *, to):
    """``place``, a symbolic link to ``to``."""
    if not (os.path.islink(place) and os.readlink(place) == str(to)):
        Path(place).parent.mkdir(exist_ok=True)
        with scratch.building(place) as link:
            link.symlink_to(to)
            link.replace(place)
    return place


if unknown := set(config) - {"profile", "seed"}:
    sys.exit(f"unknown setting {', '.join(unknown)}; there are: profile, seed")
PROFILE = config.get("profile", "quick")
SEED = config.get("seed")  # None: the profile's own seeds
SEED_OPTION = "" if SEED is None else f"--seed {SEED}"
RESULTS = os.path.relpath(store.root())
if "{" in RESULTS:  # Snakemake takes what braces hold for a wildcard, and knows no way to write a brace
    RESULTS = linked("_build/results", to=store.root().resolve())
PYTHON = shlex.quote(sys.executable)
STUDIES = studies.by_name()
RECOMPUTED = os.environ.get("ROA_RECOMPUTED")  # a folder of results: only units that stand there are asked for


def planned(study):
    """The units of a study that are asked for."""
    plans = studies.planned(PROFILE, study, seed=SEED)
    return [plan for plan in plans if not RECOMPUTED or store.read(Path(RECOMPUTED, PROFILE, study, plan.name))]


JOBS = {(study, job): plans for study in STUDIES for job, plans in studies.jobs(planned(study), PROFILE).items()}
NOTEBOOKS = sorted(path.stem for path in Path("notebooks").glob("[0-9][0-9]_*.ipynb"))
FOLDER = Path(os.path.relpath(Path(roa_helpers.__file__).parent))
PACKAGE = sorted(str(path) for path in FOLDER.rglob("*.py") if path.name != "__main__.py")
BOOK = sorted(str(path) for path in Path("book").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
RECORDED = sorted(str(path) for name in studies.RECORDED for path in Path(RESULTS, name).glob("*/[!.]*/result.json"))
EXECUTED = [f"_build/executed/{PROFILE}/{name}.ipynb" for name in NOTEBOOKS]
MARKS = [f"{RESULTS}/{PROFILE}/{study}/.{job}.done" for study, job in JOBS]
# What a unit depends on, its choices, its seed and what its code computes: it is asked for again when one changes, and
# by nothing else that its own process would not take for a change either. Sums tell, not times: a comment, or a file
# that was only touched, makes nothing run again.
WANTED = {job: [part for plan in plans for part in studies.expected(plan).values()] for job, plans in JOBS.items()}
FILES = [str(files.find()) for study in STUDIES.values() for files in study.files()]  # pages show them once at hand
DOWNLOADS = sorted(str(path) for path in Path("_build/downloads").glob("[!.]*"))  # the book links to those there are
PAGES = fingerprints.text(*PACKAGE, "workflow/run_notebook.py")

for (study, _), plans, mark in zip(JOBS, JOBS.values(), MARKS):  # a unit that was deleted is computed again
    if not all(store.read(store.unit_path(PROFILE, study, plan.name)) for plan in plans):
        Path(mark).unlink(missing_ok=True)


def told(job):
    """A job as the progress bar shows it: its only unit, or how many there are."""
    plans = JOBS[job.study, job.units]
    return plans[0].name if len(plans) == 1 else f"({len(plans)} units)"


wildcard_constraints:
    units=r"[^/]+",


rule all:  # names what lies between too, so that a unit or a notebook that was deleted is made again
    input:
        "_build/html/index.html",
        EXECUTED,
        MARKS,


rule units:
    input:
        MARKS,


rule book:
    input:
        notebooks=EXECUTED,
        results=MARKS + RECORDED,
        pages=["_config.yml", "_toc.yml", *BOOK],
        downloads=DOWNLOADS,
        code=[*PACKAGE, "workflow/build_book.py", "workflow/pages.py"],
    output:
        "_build/html/index.html",
    log:
        f"_build/logs/{PROFILE}/book.log",
    benchmark:
        f"_build/times/{PROFILE}/book.tsv"
    params:
        executed=f"_build/executed/{PROFILE}",
    message:
        "book"
    shell:
        "{PYTHON} workflow/build_book.py --executed {params.executed:q} --out _build/html > {log:q} 2>&1"
        " && touch {output:q}"


rule notebook:
    input:
        notebook="notebooks/{name}.ipynb",
        results=MARKS + RECORDED,
    output:
        f"_build/executed/{PROFILE}/{{name}}.ipynb",
    log:
        f"_build/logs/{PROFILE}/{{name}}.log",
    benchmark:
        f"_build/times/{PROFILE}/{{name}}.tsv"
    params:
        seed=SEED_OPTION,
        code=PAGES,
        files=lambda _: FILES,
    message:
        "notebook {wildcards.name}"
    shell:
        "{PYTHON} workflow/run_notebook.py {input.notebook:q} {output:q}"
        " --profile {PROFILE:q} {params.seed} --log {log:q}"


rule study:
    output:
        f"{RESULTS}/{PROFILE}/{{study}}/.{{units}}.done",
    log:
        f"_build/logs/{PROFILE}/{{study}}-{{units}}.log",
    benchmark:
        f"_build/times/{PROFILE}/{{study}}-{{units}}.tsv"
    params:
        seed=SEED_OPTION,
        code=lambda job: WANTED[job.study, job.units],
        units=lambda job: [plan.name for plan in JOBS[job.study, job.units]],
        results=lambda job: [f"{RESULTS}/{PROFILE}/{job.study}/{p.name}/result.json" for p in JOBS[job.study, job.units]],
        told=told,
    threads: studies.profile(PROFILE).threads
    resources:
        **({"gres": "gpu:1"} if PROFILE == "paper" else {}),  # a cluster hands out a GPU to those who ask for it
    message:
        "study {wildcards.study} {params.told}"
    shell:
        # The mark is a copy of the results, so that a unit that is merely found again makes nothing else run again.
        "{PYTHON} -m roa_helpers study {wildcards.study:q} --profile {PROFILE:q} --unit {params.units:q} {params.seed}"
        " > {log:q} 2>&1"
        " && cat {params.results:q} > {output:q}"

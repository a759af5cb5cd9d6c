"""Make a notebook on Colab ready: its first cell runs this file, in the clone of the repository that it has made.

Packages that are there and new enough stay as they are, torch and numpy above all, which fit Colab's drivers and each
other; the others are installed beside them. The package is taken from the clone, whose recorded results come with it.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent


def main():
    """Install what is missing, and make the clone the folder that the notebook runs in and imports from."""
    installed = {one.name: one.version for one in metadata.distributions()}
    missing, kept = sorted_out(requirements(ROOT), installed)
    if missing:
        print("installing", ", ".join(missing), flush=True)
        install(missing, kept)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"ipywidgets"} & set(named(missing))]:
        del sys.modules[name]  # an older one that Colab has imported already
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)


def requirements(root):
    """What the package needs to run, as ``pyproject.toml`` says it."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


def sorted_out(needed, installed):
    """(requirements that are not met, pins ``name==version`` of what meets the others).

    Args:
        needed: requirements, as pip takes them.
        installed: name → version; names are told apart as pip does.
    """
    have = {canonical(name): version for name, version in installed.items()}
    missing, kept = [], []
    for text in needed:
        requirement = Requirement(text)
        version = have.get(canonical(requirement.name))
        if version is not None and requirement.specifier.contains(version, prereleases=True):
            kept.append(f"{requirement.name}=={version}")
        else:
            missing.append(text)
    return missing, kept


def canonical(name):
    """A package's name as pip compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


def named(needed):
    """The names in requirements."""
    return [Requirement(text).name for text in needed]


def install(missing, kept):
    """``pip install`` what is missing; nothing that is ``kept`` may change."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(kept) + "\n", encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", str(constraints), *missing], check=True)


if __name__ == "__main__":
    main()

"""Where the repository lies on the web, and at which commit: what buttons of the book point at."""

import os
import re
import subprocess
from pathlib import Path

import yaml

GITHUB = re.compile(r"(?:https://(?:[^/@]+@)?|ssh://git@|git@)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def repository(root: Path) -> str:
    """The repository's address; empty where none is known.

    The first of: ``repository.url`` in ``_config.yml``, the repository that GitHub Actions runs for, the git remote
    ``origin`` if it lies on github.com.
    """
    configured = yaml.safe_load((root / "_config.yml").read_text())["repository"]["url"]
    if configured:
        return configured.rstrip("/")
    if os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{os.environ['GITHUB_REPOSITORY']}"
    return on_github(_git(root, "remote", "get-url", "origin"))


def on_github(remote: str) -> str:
    """The address in a browser of a git remote on github.com; empty for any other."""
    found = GITHUB.fullmatch(remote)
    return f"https://github.com/{found[1]}" if found else ""


def commit(root: Path) -> str:
    """The commit that is built, if it can be looked up at the repository's address; empty otherwise.

    It can where GitHub Actions names it, or where a branch of a remote holds it.
    """
    if os.environ.get("GITHUB_SHA"):
        return os.environ["GITHUB_SHA"]
    return _git(root, "rev-parse", "HEAD") if _git(root, "branch", "--remotes", "--contains", "HEAD") else ""


def _git(root: Path, *arguments: str) -> str:
    """What git prints; empty where it fails, or where ``root`` is not the top of a repository."""
    try:
        top = subprocess.run(["git", "-C", root, "rev-parse", "--show-toplevel"], capture_output=True, text=True)
        if top.returncode or Path(top.stdout.strip()) != root.resolve():
            return ""
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

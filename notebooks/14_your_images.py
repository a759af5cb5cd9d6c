# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: jupytext,kernelspec,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own images
#
# What do these methods do with pictures of yours? Open this page in Jupyter or Colab, set `images` in the next cell to
# the path of a folder or a zip, and run all cells. Without it the page shows pictures that come with the packages, so
# that you see what to expect. Nothing is sent anywhere. The same in one file that you can keep:
# `python -m roa_helpers study roi_roa --images PATH`.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # elsewhere this cell does nothing
    import json
    import os
    import re
    import runpy
    import subprocess
    from urllib import parse, request

    REPOSITORY = ""  # https://github.com/NAME/BOOK, for a notebook that was not opened from GitHub
    try:
        session = f"http://{os.environ['COLAB_JUPYTER_IP']}:{os.environ['KMP_TARGET_PORT']}/api/sessions"
        opened = parse.unquote(json.load(request.urlopen(session, timeout=10))[0]["path"])
    except (LookupError, OSError, ValueError):
        opened = ""
    found = re.search(r"(https://github\.com/[^/]+/[^/]+)/blob/(.+)/notebooks/", opened)
    repository, revision = found.groups() if found else (REPOSITORY, "HEAD")
    if repository:
        place = os.path.expanduser("~/book")
        subprocess.run(["git", "init", "--quiet", place], check=True)
        subprocess.run(["git", "-C", place, "fetch", "--quiet", "--depth", "1", repository, revision], check=True)
        subprocess.run(["git", "-C", place, "checkout", "--quiet", "--force", "FETCH_HEAD"], check=True)
        runpy.run_path(f"{place}/workflow/colab.py", run_name="__main__")
    else:
        print("Set REPOSITORY in this cell to the address of the book’s repository, and run it again.")

# %% tags=["parameters"]
profile = "quick"
seed = None  # None: all seeds of the profile
images = None  # "path/to/folder" or "pictures.zip", with a folder of pictures for each of two classes
pair = None  # ("cat", "dog"), where there are more than two classes
photos = None  # a folder or zip of photos of any kind

# %%
from roa_helpers import studies
from roa_helpers.page import parameters, report

parameters.check(globals())

# %% [markdown]
# ## Two classes of pictures
#
# A network learns to tell the classes apart, and the book’s first paper is followed: where does it look, where does an
# attacker change pixels, and what does it help to block out what only the attacker uses? Some 40 pictures a class are
# enough to run, some hundreds to say something; a minute for 80 pictures. In Colab, upload a zip by the folder on the
# left and write `images = "pictures.zip"`.

# %%
options = {"profile": profile, "seed": seed}
units = studies.of_images("roi_roa", images, pair=pair, **options)
report.put(studies.find("roi_roa").report, units)

# %% [markdown]
# ## Photos of anything
#
# A network that knows ImageNet’s classes is made to see another thing by changes in one region of each photo, and
# explainers are asked where that was. Set `photos` for yours. It takes a minute or two for each photo, six at most with
# the profile `quick`.

# %%
units = studies.of_images("localized", photos, **options)
report.put(studies.find("localized").report, units)

"""The recorded results as one archive that describes itself, to be deposited: an RO-Crate in a zip.

    python workflow/archive.py [--out _build/downloads/roa-results.zip]

``ro-crate-metadata.json`` names every file with its size and SHA-256, every unit as a data set of its own, and for each
unit what computed it: software with commit, device, data, date. The same results give the same bytes.
"""

import argparse
import hashlib
import io
import sys
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

import yaml
from rocrate.model.contextentity import ContextEntity
from rocrate.model.person import Person
from rocrate.rocrate import ROCrate

from roa_helpers import data, scratch, studies
from roa_helpers.errors import UserError
from roa_helpers.page import words
from roa_helpers.records import store

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "_build" / "downloads" / "roa-results.zip"
LICENSE = "https://spdx.org/licenses/{}"
MEDIA = {".json": "application/json", ".csv": "text/csv", ".npz": "application/zip"}
#: A zip holds a time for each file; with one for all, equal content gives equal bytes.
EARLIEST = (1980, 1, 1, 0, 0, 0)
README = """# {title}: recorded results

A folder a unit, `PROFILE/STUDY/UNIT/`: one pair of classes or data set, one seed. `result.json` holds the numbers with
sample sizes and intervals, the choices, and where they come from; `arrays.npz` the maps and pictures, `*.csv` the
tables. `ro-crate-metadata.json` describes it all for machines. Put the folders below `results/` of the software to
show them in its book. A few pictures of the data sets are among the arrays, as examples; they stay under the terms of
these data sets.
"""


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(argv)
    try:
        written = write(args.out, recorded(), citation=yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8")))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot write {error.filename or error}: {error.strerror}", file=sys.stderr)
        return 2
    print(written)
    return 0


def recorded():
    """Every recorded unit that stands whole, by profile, study and name.

    Raises:
        UserError: there is none.
    """
    places = (store.root() / profile for profile in studies.RECORDED)
    folders = sorted(found.parent for place in places for found in place.glob("*/[!.]*/result.json"))
    units = [unit for unit in map(store.read, folders) if unit]
    if not units:
        raise UserError(f"no recorded results at {store.root()}\n  compute some: make record PROFILE=desk")
    return units


def write(out, units, *, citation):
    """Write the archive of ``units``, whole or not at all.

    Args:
        out: the zip; an older one is replaced.
        units: each a :class:`roa_helpers.records.store.Unit`.
        citation: the content of ``CITATION.cff``.

    Returns:
        ``out``.
    """
    with tempfile.TemporaryDirectory() as folder:
        crate(units, citation=citation).write(folder)
        out.parent.mkdir(parents=True, exist_ok=True)
        with scratch.building(out) as new:
            zipped(Path(folder), new)
            new.replace(out)
    return out


def zipped(folder, out, *, without=()):
    """The files of a folder, but for those below the folders ``without``, as a zip.

    Its bytes depend on their names and content alone.
    """
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder)
            if name.parts[0] in without:
                continue
            info = zipfile.ZipInfo(name.as_posix(), EARLIEST)
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)


def crate(units, *, citation):
    """The units as an RO-Crate, not written yet."""
    found = ROCrate(version="1.1")  # the version that repositories read
    found.name = f"{citation['title']}: recorded results"
    found.description = (
        f"{words.counted(len(units), 'unit')} of {words.listed(sorted({_study(unit) for unit in units}))}, each with "
        "its numbers, intervals, tables and maps, and with what computed it."
    )
    found.datePublished = datetime.fromisoformat(max(unit.result["provenance"]["finished"] for unit in units))
    found.license = found.add(ContextEntity(found, LICENSE.format(citation["license"]), properties={
        "@type": "CreativeWork", "name": f"{citation['license']} licence",
    }))  # fmt: skip
    authors = [found.add(author(found, one)) for one in citation["authors"]]
    found.root_dataset["author"] = found.root_dataset["publisher"] = _plain(authors)
    found.root_dataset["citation"] = _plain([found.add(_article(found, one)) for one in citation["references"]])
    found.root_dataset["keywords"] = ", ".join(citation["keywords"])
    software = found.add(ContextEntity(found, "#software", properties={
        "@type": "SoftwareApplication", "name": "roa-helpers", "softwareVersion": str(citation["version"]),
        "description": citation["title"],
    }))  # fmt: skip
    if citation.get("repository-code"):
        software["url"] = citation["repository-code"]
    for name, content in (
        ("README.md", README.format(title=citation["title"]).encode()),
        ("LICENSE", (ROOT / "LICENSE").read_bytes()),
        ("CITATION.cff", (ROOT / "CITATION.cff").read_bytes()),
    ):
        _file(found, name, content)
    for unit in units:
        _unit(found, unit, software)
    return found


def _study(unit):
    return unit.result["study"]


def _unit(found, unit, software):
    """A unit's folder as a data set, its files, and the action that made it."""
    result, origin = unit.result, unit.result["provenance"]
    folder = f"{result['profile']}/{_study(unit)}/{unit.path.name}/"
    about = studies.find(_study(unit))
    place = found.add_dataset(dest_path=folder, properties={
        "name": f"{about.title}: {unit.path.name}",
        "description": f"One unit of the study {_study(unit)} ({about.paper}).",
        "identifier": result["sum"], "dateCreated": origin["finished"],
        "about": data.title_of(result["dataset"]),
    })  # fmt: skip
    place["hasPart"] = [_file(found, folder + name, content) for name, content in sorted(unit.files.items())]
    libraries = ", ".join(f"{name} {version}" for name, version in origin["libraries"].items())
    found.add(ContextEntity(found, f"#made-{folder.strip('/').replace('/', '-')}", properties={
        "@type": "CreateAction", "name": f"computed {unit.path.name}", "endTime": origin["finished"],
        "instrument": {"@id": software.id}, "result": {"@id": place.id},
        "description": f"commit {origin['commit'] or 'unknown'}, version {origin['package']}, device "
        f"{origin['device']} ({origin['platform']}), Python {origin['python']}, {libraries}; "
        f"{origin['seconds']} s; data {origin['data'].get('source', 'unknown')}",
    }))  # fmt: skip


def _file(found, name, content):
    return found.add_file(io.BytesIO(content), dest_path=name, properties={
        "name": name.rpartition("/")[2], "encodingFormat": MEDIA.get(Path(name).suffix, "text/plain"),
        "contentSize": str(len(content)), "sha256": hashlib.sha256(content).hexdigest(),
    })  # fmt: skip


def author(found, one):
    """An entry of ``authors``: a person by family and given names, else an organisation."""
    if "family-names" not in one:
        return ContextEntity(found, f"#{_slug(one['name'])}", properties={"@type": "Organization", "name": one["name"]})
    name = f"{one.get('given-names', '')} {one['family-names']}".strip()
    return Person(found, one.get("orcid", f"#{_slug(name)}"), properties={"name": name})


def _article(found, one):
    names = [f"{author.get('given-names', '')} {author.get('family-names', '')}".strip() for author in one["authors"]]
    return ContextEntity(found, one.get("doi") or f"#{_slug(one['title'])}", properties={
        "@type": "ScholarlyArticle", "name": one["title"], "author": names,
    })  # fmt: skip


def _plain(values):
    """A list as JSON-LD likes it: of a single value, this value."""
    return values[0] if len(values) == 1 else values


def _slug(text):
    return "-".join(text.lower().split())


if __name__ == "__main__":
    sys.exit(main())

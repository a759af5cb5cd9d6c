"""The known data sets: names, classes, where they may lie, and their official files."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from . import official, places
from .names import shown
from .places import data_root


@dataclass(frozen=True)
class Download:
    """One official file.

    Attributes:
        url: where it is.     size: its length in bytes.
        sha256: of the file as it comes; for ``unpack="gz"`` of what it unpacks to.
        to: where it goes below the data folder; for ``unpack="tar"`` the folder ``Path(to).name`` of the archive.
        unpack: "", "gz" or "tar".     unpacked: length in bytes after ``gz``.
    """

    url: str
    size: int
    sha256: str
    to: str
    unpack: str = ""
    unpacked: int = 0


@dataclass(frozen=True)
class Files:
    """Files that go together without being a data set: all are there, or none counts.

    Attributes:
        name: what they are asked for by.     title: what they are.
        folder: where they go below the data folder; ``downloads`` go below it too.
    """

    name: str
    title: str
    folder: str
    downloads: tuple[Download, ...]

    def places(self, root=None) -> list[Path]:
        """Where they are looked for: below the data folder, and in a folder ``reference`` beside it."""
        root = data_root(root)
        return [root / self.folder, root.parent / "reference" / self.folder]

    def find(self, root=None) -> Path | None:
        """The first of :meth:`places` where all of them are; None if there is none."""
        names = [Path(file.to).relative_to(self.folder) for file in self.downloads]
        return next((place for place in self.places(root) if all(places.is_file(place / name) for name in names)), None)


@dataclass(frozen=True)
class Layout:
    """One way a data set may lie below the data folder: at ``path``, when ``needs`` are there, read by ``open``.

    ``file`` finds one of ``needs`` in a folder: (folder, name) → its path or None, where it may have other names.
    """

    path: str
    open: Callable
    needs: tuple[str, ...] = ()
    file: Callable = lambda folder, name: folder / name if places.is_file(folder / name) else None

    def found(self, root: Path) -> bool:
        return places.lies(root / self.path) and not self.lacking(root)

    def lacking(self, root: Path) -> list[str]:
        """Those of ``needs`` that are not there."""
        return [name for name in self.needs if not self.file(root / self.path, name)]


@dataclass(frozen=True)
class Dataset:
    """A known data set.

    Attributes:
        classes: names in the order of the labels; () takes the folders' names, sorted.
        folders: names of the class folders where they differ from ``classes``.
        layouts: where it may lie, in the order of the search; () for a set that comes with a dependency.
        bundled: gives the pool of such a set.
        group: regular expression at the start of a file's name; files that share its match stay in one split.
        downloads: the official files.
        source: of a set that is not fetched, where it can be had.
    """

    name: str
    classes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    gray: bool = False
    layouts: tuple[Layout, ...] = ()
    bundled: Callable | None = None
    group: str = ""
    downloads: tuple[Download, ...] = ()
    source: str = ""

    @property
    def download_size(self) -> int:
        """Bytes of all official files."""
        return sum(file.size for file in self.downloads)

    def looked_in(self, root: Path) -> list[str]:
        """The places where it may lie, in the order of the search; folders end in ``/``."""
        return [f"{root / layout.path}{'' if layout.path.endswith('.zip') else '/'}" for layout in self.layouts]

    def holding(self) -> str:
        """What a data folder may hold, in words: ``malaria.zip or malaria/{Parasitized,Uninfected}/``."""
        names = self.folders or self.classes
        classes = "{" + ",".join(names[:2]) + (",…}/" if len(names) > 2 else "}/")
        zips = [layout.path for layout in self.layouts if layout.path.endswith(".zip")]
        folders = [
            f"{layout.path}/" + (classes if layout.open is official.open_class_folders else "")
            for layout in self.layouts
            if layout.path not in zips
        ]
        return " or ".join(zips + folders)


def _class_folders(name: str) -> tuple[Layout, ...]:
    return Layout(name, official.open_class_folders), Layout(f"{name}.zip", official.open_class_folders)


def _idx_set(name: str, folder: str, classes: tuple[str, ...], url: str, sums: tuple) -> Dataset:
    downloads = tuple(
        Download(f"{url}{file}.gz", size, digest, f"{folder}/raw/{file}", unpack="gz", unpacked=unpacked)
        for (file, unpacked), (size, digest) in zip(_IDX_FILES.items(), sums, strict=True)
    )
    layouts = (
        *(Layout(path, official.open_idx, tuple(_IDX_FILES), official.idx_file) for path in (f"{folder}/raw", folder)),
        *_class_folders(name.replace("-", "_")),
    )
    return Dataset(name, classes, gray=True, layouts=layouts, downloads=downloads)


_DIGITS = tuple("0123456789")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# the fine labels, in their order
_CIFAR100 = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
    "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
    "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard "
    "lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear "
    "pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark "
    "shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone "
    "television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)
_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_PHOTOS = ("astronaut", "cat", "coffee", "rocket", "china", "flower")
_IMAGENETTE = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}
# file: bytes unpacked
_IDX_FILES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}
# in the order of _IDX_FILES: bytes as it comes, SHA-256 unpacked
_MNIST_SUMS = (
    (9_912_422, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    (28_881, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    (1_648_877, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    (4_542, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)
_FASHION_SUMS = (
    (26_421_880, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    (29_515, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    (4_422_102, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    (5_148, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
)
_PETS = "https://www.robots.ox.ac.uk/~vgg/data/pets/data/"

KNOWN = {
    dataset.name: dataset
    for dataset in (
        Dataset("digits", _DIGITS, gray=True, bundled=official.digits),
        Dataset("faces", ("face", "non-face"), gray=True, bundled=official.faces),
        Dataset("photos", _PHOTOS, bundled=official.photos),
        _idx_set("mnist", "MNIST", _DIGITS, "https://ossci-datasets.s3.amazonaws.com/mnist/", _MNIST_SUMS),
        _idx_set(
            "fashion-mnist",
            "FashionMNIST",
            _FASHION,
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            _FASHION_SUMS,
        ),
        Dataset(
            "cifar10",
            _CIFAR10,
            layouts=(
                Layout("cifar-10-batches-py", official.open_cifar10, ("batches.meta", "test_batch")),
                *_class_folders("cifar10"),
            ),
            downloads=(
                Download(
                    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
                    170_498_071,
                    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                    "cifar-10-batches-py",
                    unpack="tar",
                ),
            ),
        ),
        Dataset(
            "cifar100",
            tuple(_CIFAR100.split()),
            layouts=(
                Layout("cifar-100-python", official.open_cifar100, ("meta", "train", "test")),
                *_class_folders("cifar100"),
            ),
            downloads=(
                Download(
                    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
                    169_001_437,
                    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
                    "cifar-100-python",
                    unpack="tar",
                ),
            ),
        ),
        Dataset(
            "cats-vs-dogs",
            ("Cat", "Dog"),
            layouts=(
                *_class_folders("cats_vs_dogs"),
                Layout("oxford-iiit-pet", official.open_pets, ("annotations/trainval.txt", "annotations/test.txt")),
            ),
            downloads=(
                Download(
                    _PETS + "images.tar.gz",
                    791_918_971,
                    "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d",
                    "oxford-iiit-pet/images",
                    unpack="tar",
                ),
                Download(
                    _PETS + "annotations.tar.gz",
                    19_173_078,
                    "52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91",
                    "oxford-iiit-pet/annotations",
                    unpack="tar",
                ),
            ),
        ),
        Dataset(
            "malaria",
            ("Parasitized", "Uninfected"),
            layouts=_class_folders("malaria"),
            group=r"C\d+",  # the slide, hence the patient
            downloads=(
                Download(
                    "https://data.lhncbc.nlm.nih.gov/public/Malaria/cell_images.zip",
                    353_452_851,
                    "0a949556b2414159b5100192609805376654c4266d8d187be9b1922fad43c668",
                    "malaria.zip",
                ),
            ),
        ),
        Dataset(
            "imagenet-samples",
            layouts=tuple(
                Layout(path, official.open_samples)
                for path in ("imagenet-sample-images", "imagenet_samples", "imagenet_samples.zip")
            ),
            source="https://github.com/EliSchwartz/imagenet-sample-images",
        ),
        Dataset(
            "imagenette",
            tuple(_IMAGENETTE.values()),
            folders=tuple(_IMAGENETTE),
            layouts=(Layout("imagenette2-160", official.open_class_folders), *_class_folders("imagenette")),
            downloads=(
                Download(
                    "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
                    99_003_388,
                    "64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5",
                    "imagenette2-160",
                    unpack="tar",
                ),
            ),
        ),
    )
}


def find(name: str, root=None) -> tuple[Dataset, Layout | None]:
    """The known data set and the first of its layouts that is there (None: it comes with a dependency).

    ``root`` is the data folder, see :func:`.places.data_root`.

    Raises:
        UserError: unknown name, or nothing there; the message names the places and how to mend it.
    """
    if name not in KNOWN:
        raise UserError(
            f"unknown data set {shown(name)!r}\n  known are  {', '.join(KNOWN)}\n         or  {_as_a_path(name)}"
        )
    dataset = KNOWN[name]
    if dataset.bundled:
        return dataset, None
    root = data_root(root)
    for layout in dataset.layouts:
        if layout.found(root):
            return dataset, layout
    mended = (
        f"put what lies at {dataset.source} there"
        if dataset.source
        else f"python -m roa_helpers data fetch {name}   ({dataset.download_size / 2**20:.0f} MB)"
    )
    partly = "".join(f"  there is   {shown(root / path)}/, {why}\n" for path, why in _partly(dataset, root).items())
    raise UserError(
        f"data set {name!r} not found\n"
        f"  looked in  {'  ·  '.join(map(shown, dataset.looked_in(root)))}\n{partly}"
        f"  mend it:   {mended}\n"
        f"         or  ROA_DATA=/path/to/folder holding {dataset.holding()}"
    )


def _partly(dataset: Dataset, root: Path) -> dict[str, str]:
    """The folders of a data set that are there without being enough: path → why."""
    lying = {layout.path: layout for layout in dataset.layouts if places.lies(root / layout.path)}
    return {
        path: f"without {', '.join(layout.lacking(root))}"
        if os.access(root / path, os.R_OK | os.X_OK)
        else "which may not be read"
        for path, layout in lying.items()
        if not any(other.startswith(f"{path}/") for other in lying)
    }


def _as_a_path(name: str) -> str:
    """What to do with a name that is no data set's, if it was meant as a path."""
    try:
        place = places.expanded(name)
        if lying := places.kind(place):
            return f"your own pictures, by --images; a {lying} lies at {shown(place)}"
    except UserError as error:
        return f"a path to a folder or .zip of class folders; {str(error).partition(chr(10))[0]}"
    return f"a path to a folder or .zip of class folders; nothing lies at {shown(place)}"


def available(root=None) -> list[dict]:
    """For each known data set: name, found, where, looked_in, classes, download_size in bytes. Opens no picture."""
    root = data_root(root)
    rows = []
    for dataset in KNOWN.values():
        layout = next((layout for layout in dataset.layouts if layout.found(root)), None)
        where = "with the package's dependencies" if dataset.bundled else layout and str(root / layout.path)
        rows.append(
            {
                "name": dataset.name,
                "found": where is not None,
                "where": where,
                "looked_in": dataset.looked_in(root),
                "classes": list(dataset.classes),
                "download_size": dataset.download_size,
            }
        )
    return rows


#: Names of the data sets as a reader would write them: digits are scikit-learn's, faces scikit-image's LFW subset,
#: photos whole pictures that come with both.
TITLES = {
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cats-vs-dogs": "Cats vs Dogs",
    "malaria": "Malaria",
    "digits": "Digits",
    "faces": "LFW faces",
    "imagenette": "Imagenette",
    "imagenet-samples": "ImageNet samples",
    "photos": "Photos",
    "cifar100": "CIFAR-100",
}
#: Whether the objects of a data set's images, or of one class, stand in one place and pose, so that images can be laid
#: over each other: “samples which are free of translational variance”.
REGISTERED = {
    "mnist": True,
    "fashion-mnist": True,
    "malaria": True,
    "digits": True,
    ("faces", "face"): True,
    ("faces", "non-face"): False,
    "cifar10": False,
    "cats-vs-dogs": False,
}


def title_of(dataset):
    """A data set's name as a reader would write it; of a path its last part."""
    return TITLES.get(dataset, Path(dataset).name)


def registered(dataset, source):
    """Whether the images of a class are registered (``REGISTERED``); None: not known."""
    return REGISTERED.get((dataset, source), REGISTERED.get(dataset))

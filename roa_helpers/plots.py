def panels(rows, columns, *, width=1.35, height=1.45, left=0.0):
    """A figure of ``rows`` × ``columns`` pictures without axes, and its axes as a 2-D array."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(columns * width + left, rows * height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure, axes


def picture(image):
    """(C, H, W) in [0, 1] as (H, W, 3) for ``imshow``."""
    image = np.clip(np.asarray(image, dtype=float), 0, 1)
    return np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)


def four_regions(importance, vulnerability, delta1, delta2):
    """Eq. (1) as a dict of masks (H, W) from graded maps; the same rule as :mod:`roa_helpers.regions`, for drawing."""
    roi, roa = importance >= delta1, vulnerability >= delta2
    return {"uv": roi & roa, "u_not_v": roi & ~roa, "not_u_v": ~roi & roa, "not_u_not_v": ~roi & ~roa}


def coloured_regions(image, masks, *, strength=0.65):
    """The four regions laid in their colours over a grey version of the image: (H, W, 3) in [0, 1]."""
    base = np.repeat(picture(image).mean(-1, keepdims=True), 3, axis=-1)
    out = base.copy()
    for name, mask in masks.items():
        out[mask] = (1 - strength) * base[mask] + strength * np.array(to_rgb(REGION_COLOURS[name]))
    return out


def outlined(axis, image, mask, colour):
    """Draw an image with the outline of a region on it."""
    axis.imshow(picture(image))
    if mask.any() and not mask.all():
        axis.contour(mask.astype(float), [0.5], colors=[colour], linewidths=1.6)


def example(unit, k, index=0):
    """The maps of one stored example of class ``k``: image, perturbation, importance, vulnerability_*."""
    prefix, suffix = "example_", f"_{k}"
    names = [n for n in unit.arrays if n.startswith(prefix) and n.endswith(suffix)]
    return {n[len(prefix) : -len(suffix)]: unit.arrays[n][index].astype(float) for n in names}


def neutralised(image, blob, value):
    """(C, H, W) image with the blob's pixels at ``value``."""
    return np.where(blob, value, image)


def plate(unit, k, *, index=0, definition="perturbation"):
    """One example through the whole pipeline, from image to neutralised image (the paper's Figs 3 to 5)."""
    block = list(unit.result["directions"].values())[k]
    setting = block["parameters"] if definition == "perturbation" else block["definitions"][definition]["parameters"]
    maps, blob = example(unit, k, index), unit.arrays[f"{definition}_blob_{k}"]
    masks = four_regions(maps["importance"], maps[f"vulnerability_{definition}"], setting["delta1"], setting["delta2"])
    adversarial = maps["image"] + setting["eps"] * maps["perturbation"]
    figure, axes = panels(1, 7)
    titles = ("image", f"attacked, ε = {setting['eps']:g}", "Grad-CAM", "vulnerability", "four regions",
              f"blob, θ = {setting['theta']:g}", "neutralised")  # fmt: skip
    shown = (
        picture(maps["image"]), picture(adversarial), maps["importance"], maps[f"vulnerability_{definition}"],
        coloured_regions(maps["image"], masks), blob, picture(neutralised(maps["image"], blob, setting["value"])),
    )  # fmt: skip
    styles = ({}, {}, {"cmap": MAPS["importance"], "vmin": 0, "vmax": 1},
              {"cmap": MAPS["vulnerability"], "vmin": 0, "vmax": 1}, {}, {"cmap": "Greys", "vmin": 0, "vmax": 1}, {})  # fmt: skip
    for axis, text, content, style in zip(axes[0], titles, shown, styles, strict=True):
        axis.imshow(content, **style)
        axis.set_title(text)
    legend(figure)
    return figure


def legend(figure):
    """The colours of the four regions, below a figure."""
    handles = [Patch(color=REGION_COLOURS[name], label=REGION_LABELS[name]) for name in REGION_COLOURS]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)


def individual_regions(units, kind, *, definition="perturbation", cmap=None):
    """Figs 6 and 7: for each data set and class one image, its graded map, and the region on the image.

    Args:
        kind: ``importance`` (RoI, Fig. 6) or ``vulnerability`` (RoA, Fig. 7).
    """
    rows = papers.directions(units)
    figure, axes = panels(len(rows), 3, width=1.5, height=1.5, left=1.0)
    for row, (axis, (unit, name, block)) in enumerate(zip(axes, rows, strict=True)):
        k = list(unit.result["directions"]).index(name)
        setting = (
            block["parameters"] if definition == "perturbation" else block["definitions"][definition]["parameters"]
        )
        maps = example(unit, k)
        values = maps["importance" if kind == "importance" else f"vulnerability_{definition}"]
        mask = values >= setting["delta1" if kind == "importance" else "delta2"]
        axis[0].imshow(picture(maps["image"]))
        axis[0].set_ylabel(
            f"{papers.title(unit.result['dataset'])}\n{block['source']}", rotation=0, ha="right", va="center"
        )
        axis[1].imshow(values, cmap=cmap or MAPS[kind], vmin=0, vmax=1)
        outlined(axis[2], maps["image"], mask, REGION_COLOURS["u_not_v" if kind == "importance" else "not_u_v"])
        if row == 0:
            for a, text in zip(axis, ("image", "graded map", "region"), strict=True):
                a.set_title(text)
    return figure


def representatives(units, name, *, definition="perturbation", cmap=None):
    """Figs 8, 9 and 10: one class-level map for each data set and class: ``roi``, ``roa``, ``not_u_v`` or ``blob``."""
    figure, axes = panels(2, max(1, len(units)), width=1.7, height=1.75)
    colours = cmap or {"roi": MAPS["importance"], "blob": "Greys"}.get(name, MAPS["vulnerability"])
    for column, unit in enumerate(units):
        for k, block in enumerate(unit.result["directions"].values()):
            values = unit.arrays[f"{definition}_{name}_{k}"].astype(float)
            drawn = axes[k, column].imshow(values, cmap=colours, vmin=0, vmax=1)
            axes[k, column].set_title(f"{papers.title(unit.result['dataset'])}\n{block['source']}")
    if name != "blob":
        figure.colorbar(drawn, ax=axes, shrink=0.7, label="share of the images of the class")
    return figure


def map_data(units, name, *, definition="perturbation"):
    """The arrays behind :func:`representatives`, by unit and class."""
    return {
        f"{unit.path.name}_{block['source']}".replace(" ", "_"): unit.arrays[f"{definition}_{name}_{k}"]
        for unit in units
        for k, block in enumerate(unit.result["directions"].values())
    }


def example_data(units, *names):
    """The arrays of the first example of each class, by unit, class and map."""
    return {
        f"{unit.path.name}_{block['source']}_{name}".replace(" ", "_"): example(unit, k)[name].astype(np.float16)
        for unit in units
        for k, block in enumerate(unit.result["directions"].values())
        for name in names
    }


def utility_vulnerability(unit, k, *, definition="gradient"):
    """Fig. 2 from real pixels: each pixel of one example by its utility and its vulnerability, in its region's colour."""
    block = list(unit.result["directions"].values())[k]
    setting = block["parameters"] if definition == "perturbation" else block["definitions"][definition]["parameters"]
    maps = example(unit, k)
    u, v = maps["importance"], maps[f"vulnerability_{definition}"]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    masks = four_regions(u, v, setting["delta1"], setting["delta2"])
    for name, mask in masks.items():
        left.plot(
            u[mask], v[mask], ".", ms=3, color=REGION_COLOURS[name], label=f"{REGION_LABELS[name]} ({mask.mean():.0%})"
        )
    left.axvline(setting["delta1"], color="k", lw=0.8, ls="--")
    left.axhline(setting["delta2"], color="k", lw=0.8, ls="--")
    left.set(
        xlabel="utility U: scaled Grad-CAM", ylabel="vulnerability V: scaled gradient norm", xlim=(0, 1), ylim=(0, 1)
    )
    left.legend(loc="upper right", frameon=True, markerscale=3)
    right.imshow(coloured_regions(maps["image"], masks))
    right.set_axis_off()
    table = pd.DataFrame({"utility": u.ravel(), "vulnerability": v.ravel()})
    return figure, table.assign(region=np.select([m.ravel() for m in masks.values()], list(masks)))


def usefulness(units):
    """Section II-C: ρ̂ against γ̂ of the penultimate features; below 0 on the γ axis lies the non-robust part."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.9 * len(units) + 0.4, 3.0), layout="constrained")
        axes = figure.subplots(1, len(units), squeeze=False, sharey=True)[0]
    tables = []
    for axis, unit in zip(axes, units, strict=True):
        table = unit.table("features")
        tables.append(table.assign(unit=unit.path.name))
        robust = table.gamma > 0
        axis.axhline(0, color="k", lw=0.8)
        axis.plot(table.rho[robust], table.gamma[robust], "o", ms=4, color="#0072B2", label="robust")
        axis.plot(table.rho[~robust], table.gamma[~robust], "^", ms=4, color="#D55E00", label="non-robust")
        axis.set(
            xlabel="ρ̂: usefulness",
            title=f"{papers.title(unit.result['dataset'])}, ε = {unit.result['parameters']['eps']:g}",
        )
    axes[0].set_ylabel("γ̂: usefulness under attack")
    axes[0].legend(frameon=False)
    return figure, pd.concat(tables)


def similarity_histogram(units):
    """Table I as a picture: SSIM of RoI and RoA of each image, with our mean and the paper's."""
    rows = papers.directions(units)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 0.75 * len(rows) + 0.8), layout="constrained")
        axis = figure.subplots()
    labels, data = [], []
    for row, (unit, name, block) in enumerate(rows):
        images = unit.table("images")
        values = images[(images.direction == name) & (images.definition == "perturbation")].ssim
        spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(values))
        axis.plot(values, row + spread, ".", ms=3, color="#56B4E9", alpha=0.6)
        axis.plot(values.mean(), row, "o", color="#0072B2", ms=6, label="our mean" if row == 0 else None)
        paper = papers.published("A9", unit.result["dataset"], block["source"], block["target"], "individual")
        if paper:
            axis.plot(paper.value, row, "D", color="#D55E00", ms=6, label="the paper’s mean")
        labels.append(f"{papers.title(unit.result['dataset'])}: {name}")
        data.append(pd.DataFrame({"data set": unit.result["dataset"], "direction": name, "ssim": values}))
    axis.set(yticks=range(len(rows)), yticklabels=labels, xlabel="SSIM of RoI and RoA, one dot an image")
    axis.invert_yaxis()
    axis.legend(frameon=False, loc="best")
    return figure, pd.concat(data)


def tuning_surface(unit, *, definition="perturbation"):
    """A6: every setting of the grid by what it costs and what it gains on validation images; the chosen one ringed."""
    table = unit.table("tuning")
    table = table[table.definition == definition]
    cost, gain = 100 * (table.clean - table["mod"]), 100 * (table.mod_adv - table.adv)
    limit = 100 * unit.result["parameters"]["choices"]["clean_loss"]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 3.2), layout="constrained")
        axis = figure.subplots()
    axis.axvspan(min(cost.min(), 0) - 2, limit, color="#009E73", alpha=0.08)
    for value, marker in zip(sorted(table.value.unique()), "o^sD", strict=False):
        rows = table.value == value
        dots = axis.scatter(cost[rows], gain[rows], c=table.theta[rows], marker=marker, s=26, vmin=0, vmax=1,
                            label=f"pixels set to {value:g}")  # fmt: skip
    axis.plot(cost[table.chosen], gain[table.chosen], "o", ms=13, mfc="none", mec="k", label="chosen")
    axis.axhline(0, color="k", lw=0.8)
    axis.set(xlabel="cost: score_clean − score_mod (points)", ylabel="gain: score_mod-adv − score_adv (points)")
    figure.colorbar(dots, label="θ")
    axis.legend(frameon=False, fontsize=8)
    return figure, table


def score_curves(units, axis_name):
    """Tables II and III as curves over ε or over θ on test images; the dashed line marks the value used."""
    rows = papers.directions(units)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.0 * min(2, len(rows)) + 0.4, 2.2 * -(-len(rows) // 2)), layout="constrained")
        axes = figure.subplots(-(-len(rows) // 2), min(2, len(rows)), squeeze=False, sharey=True).flat
    data = []
    for axis, (unit, name, block) in zip(axes, rows, strict=False):
        table = unit.table("curves")
        table = table[(table.direction == name) & (table["axis"] == axis_name)]
        for score, points in table.groupby("score"):
            bounds = np.array([papers.metrics.wilson(k, n) for k, n in zip(points.k, points.n, strict=True)])
            axis.fill_between(points["at"], *(100 * bounds.T), color=SCORE_COLOURS[score], alpha=0.15, lw=0)
            axis.plot(
                points["at"],
                100 * points.k / points.n,
                "o-",
                ms=3,
                color=SCORE_COLOURS[score],
                label=papers.SCORES[score],
            )
        used = block["parameters"][axis_name]
        axis.axvline(used, color="k", lw=0.8, ls="--")
        if axis_name == "eps":
            axis.set_xscale("log")
        axis.set(
            title=f"{papers.title(unit.result['dataset'])}: {name}",
            ylim=(-3, 103),
            xlabel={"eps": "ε", "theta": "θ"}[axis_name],
        )
        data.append(table.assign(dataset=unit.result["dataset"]))
    figure.axes[0].legend(frameon=False, fontsize=8)
    for axis in figure.axes[:: min(2, len(rows))]:
        axis.set_ylabel("accuracy (%)")
    return figure, pd.concat(data)


def change_plot(units, before, after):
    """The paired change between two scores with its interval: blob of the paper's definition, and its two controls."""
    rows, data = papers.directions(units), []
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 0.6 * len(rows) + 1.2), layout="constrained")
        axis = figure.subplots()
    for row, (unit, name, block) in enumerate(rows):
        images = unit.table("images")
        images = images[(images.direction == name) & (images.definition == "perturbation")]
        change = images[after] - images[before]
        low, high = papers.metrics.bootstrap(change)
        start = block["scores"][before]
        points = {"blob from the test images": (change.mean(), low, high)}
        for control, found in block["controls"].items():
            value = found[after]["k"] / found[after]["n"] - start["k"] / start["n"]
            points[{"held out": "blob from validation images", "random": "as many random pixels"}[control]] = (
                value,
                value,
                value,
            )
        for offset, (label, (value, low, high)) in enumerate(points.items()):
            colour, marker = (("#0072B2", "o"), ("#009E73", "D"), ("#999999", "s"))[offset]
            axis.plot([100 * low, 100 * high], [row + 0.2 * (offset - 1)] * 2, color=colour, lw=1.5)
            axis.plot(
                100 * value, row + 0.2 * (offset - 1), marker, color=colour, ms=5, label=label if row == 0 else None
            )
            data.append(
                {
                    "data set": unit.result["dataset"],
                    "direction": name,
                    "blob": label,
                    "change": value,
                    "low": low,
                    "high": high,
                }
            )
    axis.axvline(0, color="k", lw=0.8)
    axis.set(yticks=range(len(rows)), yticklabels=[f"{papers.title(u.result['dataset'])}: {n}" for u, n, _ in rows],
             xlabel=f"{papers.SCORES[after]} − {papers.SCORES[before]} (points)")  # fmt: skip
    axis.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure, pd.DataFrame(data)

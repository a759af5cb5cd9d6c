"""Slow, obvious twins: each definition read aloud, for one image or one map, in plain loops and double precision.

They share nothing with the package: no batches, no broadcasting, and no automatic differentiation but in Grad-CAM
and, layer by layer, in guided backpropagation.
"""

from math import exp, sqrt

import numpy as np
import torch


def images(n=2, side=6, *, channels=3, seed=0, dtype=torch.float64):
    """Random images (N, C, H, W) and labels of four classes, what the twins are compared on."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, channels, side, side, generator=generator, dtype=dtype)
    return x, torch.randint(0, 4, (n,), generator=generator)


# Attacks


def cross_entropy(model, image, label):
    """−log softmax(z)_label of one image (C, H, W)."""
    z = model(image[None])[0]
    return float(torch.log(sum(torch.exp(v) for v in z)) - z[label])


def slope(function, image, c, i, j, *, h=1e-5):
    """∂ function / ∂ image[c, i, j] by a central difference."""
    ahead, behind = image.clone(), image.clone()
    ahead[c, i, j] += h
    behind[c, i, j] -= h
    return (function(ahead) - function(behind)) / (2 * h)


def positions(image):
    channels, height, width = image.shape
    return [(c, i, j) for c in range(channels) for i in range(height) for j in range(width)]


def gradient(function, image):
    out = torch.zeros_like(image)
    for p in positions(image):
        out[p] = slope(function, image, *p)
    return out


def sign(value):
    return (value > 0) - (value < 0)


def fgsm(model, image, label, eps, *, targeted=False):
    g = gradient(lambda v: cross_entropy(model, v, label), image)
    out = image.clone()
    for p in positions(image):
        direction = -1 if targeted else 1
        out[p] = min(1.0, max(0.0, float(image[p]) + direction * eps * sign(float(g[p]))))
    return out


def bim(model, image, label, eps, step, steps, *, targeted=False, inside=None, start=None):
    """``inside``: (H, W) of what may move; ``start``: where to begin, before any projection."""

    def projected(value, p):
        original = float(image[p])
        if inside is not None and not inside[p[1]][p[2]]:
            return original
        return min(1.0, max(0.0, min(original + eps, max(original - eps, value))))

    now = image.clone()
    for p in positions(image):
        now[p] = projected(float((image if start is None else start)[p]), p)
    for _ in range(steps):
        g = gradient(lambda v: cross_entropy(model, v, label), now)
        moved = now.clone()
        for p in positions(image):
            direction = -1 if targeted else 1
            moved[p] = projected(float(now[p]) + direction * step * sign(float(g[p])), p)
        now = moved
    return now


# Explanations


def bilinear(values, height, width):
    """Values (h, w) at the centres of height × width pixels; beyond the outermost centres the edge goes on."""
    h, w = values.shape

    def neighbours(k, few, many):
        at = min(max((k + 0.5) * few / many - 0.5, 0.0), few - 1.0)
        low = int(at)
        return low, min(low + 1, few - 1), at - low

    out = torch.zeros(height, width, dtype=values.dtype)
    for i in range(height):
        for j in range(width):
            top, bottom, down = neighbours(i, h, height)
            left, right, across = neighbours(j, w, width)
            upper = values[top, left] * (1 - across) + values[top, right] * across
            lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
            out[i, j] = upper * (1 - down) + lower * down
    return out


def grad_cam(front, back, image, target):
    """``front`` makes the activations, ``back`` the logits."""
    activations = front(image[None]).detach().requires_grad_()
    back(activations)[0, target].backward()
    _, channels, height, width = activations.shape
    cam = torch.zeros(height, width, dtype=image.dtype)
    for k in range(channels):
        weight = sum(activations.grad[0, k, i, j] for i in range(height) for j in range(width)) / (height * width)
        for i in range(height):
            for j in range(width):
                cam[i, j] += weight * activations.detach()[0, k, i, j]
    for i in range(height):
        for j in range(width):
            cam[i, j] = max(cam[i, j], 0)
    return bilinear(cam, *image.shape[1:])


def saliency(model, image, target):
    return gradient(lambda v: float(model(v[None])[0, target]), image)


def guided_backprop(model, image, target):
    """A chain of layers: back through each by its own Jacobian, at ReLU and ReLU6 with the rule, unit by unit."""
    seen = [image[None]]
    for layer in model:
        seen.append(layer(seen[-1]).detach())
    signal = torch.zeros_like(seen[-1])
    signal[0, target] = 1
    for layer, given, made in zip(reversed(model), reversed(seen[:-1]), reversed(seen[1:]), strict=True):
        if isinstance(layer, torch.nn.ReLU | torch.nn.ReLU6):
            top = 6 if isinstance(layer, torch.nn.ReLU6) else float("inf")
            kept = [r if 0 < f < top and r > 0 else 0 for f, r in zip(made.flatten(), signal.flatten(), strict=True)]
            signal = torch.tensor(kept, dtype=image.dtype).view(made.shape)
        else:
            jacobian = torch.autograd.functional.jacobian(layer, given).reshape(made.numel(), given.numel())
            signal = (signal.reshape(1, -1) @ jacobian).view(given.shape)
    return signal[0]


def integrated_gradients(model, image, target, baseline, steps):
    """Gauss–Legendre on [0, 1], point by point."""
    out = torch.zeros_like(image)
    for place, weight in zip(*np.polynomial.legendre.leggauss(steps), strict=True):
        out += weight / 2 * saliency(model, baseline + (place + 1) / 2 * (image - baseline), target)
    return out * (image - baseline)


def smooth_grad(model, image, target, noise):
    return sum(saliency(model, image + drawn, target) for drawn in noise) / len(noise)


def superpixel_means(values, segments):
    out = []
    for label in range(max(max(row) for row in segments) + 1):
        inside = [v for rows in zip(values, segments, strict=True) for v, s in zip(*rows, strict=True) if s == label]
        out.append(sum(inside) / len(inside))
    return out


def unions(segments, weights, count):
    """The n best positive superpixels, n = 1…count, found by looking for the best that is left."""
    out, taken = [], []
    for _ in range(count):
        left = [k for k, w in enumerate(weights) if w > 0 and k not in taken]
        if left:
            taken.append(max(left, key=lambda k: (weights[k], -k)))
        out.append([[label in taken for label in row] for row in segments])
    return out


def partly_hidden(image, segments, row):
    """One image (C, H, W) whose superpixels k with row[k] = 0 are painted in their mean colour, pixel by pixel."""
    out = image.clone()
    for c in range(len(image)):
        means = superpixel_means(image[c].tolist(), segments.tolist())
        for i in range(image.shape[1]):
            for j in range(image.shape[2]):
                if not row[segments[i, j]]:
                    out[c, i, j] = means[segments[i, j]]
    return out


def ridge(rows, values, weights, penalty=1.0):
    """Slopes and intercept that minimise Σ w (v − a − z·b)² + penalty |b|²: the normal equations, a not penalised."""
    z = np.column_stack([np.ones(len(rows)), rows])
    left = z.T @ (weights[:, None] * z) + penalty * np.diag([0.0] + [1.0] * rows.shape[1])
    solution = np.linalg.solve(left, z.T @ (weights * values))
    return solution[1:], solution[0]


# Regions


def importance(cam):
    largest = max(float(v) for row in cam for v in row)
    return [[float(v) / largest if largest > 0 else 0.0 for v in row] for row in cam]


def attack_magnitude(image, adversarial):
    channels, height, width = image.shape
    moved = (adversarial - image).tolist()
    largest = max(abs(v) for channel in moved for row in channel for v in row)
    out = [[0.0] * width for _ in range(height)]
    for i in range(height):
        for j in range(width):
            norm = sqrt(sum(moved[c][i][j] ** 2 for c in range(channels)))
            out[i][j] = min(1.0, norm / (sqrt(channels) * largest)) if largest > 0 else 0.0
    return out


def isolate(roi, roa):
    """Which of the four regions each pixel is in, by name."""
    names = {(True, True): "uv", (True, False): "u_not_v", (False, True): "not_u_v", (False, False): "not_u_not_v"}
    return [[names[bool(u), bool(v)] for u, v in zip(*rows, strict=True)] for rows in zip(roi, roa, strict=True)]


def representative(maps):
    n, height, width = maps.shape
    return [[sum(float(maps[k, i, j]) for k in range(n)) / n for j in range(width)] for i in range(height)]


def blob(maps, theta):
    return [[share >= theta for share in row] for row in representative(maps)]


def neutralise(image, inside, value):
    out = image.clone()
    for c, i, j in positions(image):
        if inside[i][j]:
            out[c, i, j] = value
    return out


# Metrics


def morans_i(values):
    height, width = len(values), len(values[0])
    pixels = [(i, j) for i in range(height) for j in range(width)]
    mean = sum(values[i][j] for i, j in pixels) / len(pixels)
    total = weights = 0.0
    for i, j in pixels:
        for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if (k, m) in pixels:
                weights += 1
                total += (values[i][j] - mean) * (values[k][m] - mean)
    return len(pixels) / weights * total / sum((values[i][j] - mean) ** 2 for i, j in pixels)


def variance(values):
    mean = sum(values) / len(values)
    return sum((v - mean) ** 2 for v in values) / len(values)


def alignment(maps):
    flat = [[float(v) for row in m for v in row] for m in maps]
    mean = [sum(column) / len(flat) for column in zip(*flat, strict=True)]
    return variance(mean) / (sum(variance(f) for f in flat) / len(flat))


def pixel_set(region):
    return {(i, j) for i, row in enumerate(region) for j, inside in enumerate(row) if inside}


def jaccard(p, c):
    p, c = pixel_set(p), pixel_set(c)
    return len(p & c) / len(p | c) if p | c else 1.0


def hamming_likeness(p, c):
    return 1 - len(pixel_set(p) ^ pixel_set(c)) / (len(p) * len(p[0]))


def wilson(k, n, z=1.959963984540054):
    centre = (k / n + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


def mean_ranks(scores):
    """Rank of a method in a case: 1 + those above it + half of the others that tie with it."""
    methods = range(len(scores[0]))
    ranks = [[1 + sum(o > case[k] for o in case) + (case.count(case[k]) - 1) / 2 for k in methods] for case in scores]
    return [sum(row[k] for row in ranks) / len(ranks) for k in methods]


def ssim(a, b, *, window=7, k1=0.01, k2=0.03):
    """Wang et al., eq. 13, over every window that lies inside the maps, with sample covariances."""
    values = []
    for i in range(len(a) - window + 1):
        for j in range(len(a[0]) - window + 1):
            p = [float(v) for row in a[i : i + window] for v in row[j : j + window]]
            q = [float(v) for row in b[i : i + window] for v in row[j : j + window]]
            n, mp, mq = len(p), sum(p) / len(p), sum(q) / len(q)
            vp, vq = (sum((v - m) ** 2 for v in s) / (n - 1) for s, m in ((p, mp), (q, mq)))
            cov = sum((u - mp) * (v - mq) for u, v in zip(p, q, strict=True)) / (n - 1)
            top = (2 * mp * mq + k1**2) * (2 * cov + k2**2)
            values.append(top / ((mp**2 + mq**2 + k1**2) * (vp + vq + k2**2)))
    return sum(values) / len(values)


# NewtonFool, blurring, relevance


def probability(model, image, label):
    """softmax(z)_label of one image (C, H, W)."""
    z = [float(v) for v in model(image[None])[0]]
    return exp(z[label]) / sum(exp(v) for v in z)


def length(values):
    return sqrt(sum(float(v) ** 2 for v in values.flatten()))


def newtonfool(model, image, eta, steps):
    scores = [float(v) for v in model(image[None])[0]]
    classes, label = len(scores), scores.index(max(scores))
    now = image.clone()
    for _ in range(steps):
        scores = [float(v) for v in model(now[None])[0]]
        if scores.index(max(scores)) != label:
            break
        g = gradient(lambda v: probability(model, v, label), now)
        delta = min(eta * length(image) * length(g), probability(model, now, label) - 1 / classes)
        for p in positions(image):
            now[p] = min(1.0, max(0.0, float(now[p]) - delta * float(g[p]) / length(g) ** 2))
    return now


def dot(a, b):
    return sum(float(a[p]) * float(b[p]) for p in positions(a))


def deepfool(model, image, *, steps, overshoot, target=None, basis=None, clip=False):
    """(x_adv, steps, success): one class at a time, derivatives by automatic differentiation of one logit."""

    def logits(point):
        return [float(v) for v in model(point[None])[0]]

    def slope(point, k):
        point = point.clone().requires_grad_()
        return torch.autograd.grad(model(point[None])[0, k], point)[0]

    def best(scores, without):
        return max((k for k in range(len(scores)) if k != without), key=lambda k: scores[k])

    def bounded(point):
        return point.clamp(0, 1) if clip else point

    def projected(w):
        if basis is None:
            return w
        out = torch.zeros_like(w)
        for column in basis.T:
            column = column.view_as(w)
            out += dot(column, w) * column
        return out

    origin = best(logits(image), None)
    r, x_adv, done = torch.zeros_like(image), image, 0
    while done < steps:
        scores = logits(image + r)
        rivals = [k for k in range(len(scores)) if k != origin] if target is None else [target]
        shortest = None
        for k in rivals:
            base = origin if target is None else best(scores, target)
            w, f = projected(slope(image + r, k) - slope(image + r, base)), abs(scores[k] - scores[base])
            if shortest is None or f / sqrt(dot(w, w)) < shortest[0]:
                shortest = f / sqrt(dot(w, w)), f / dot(w, w) * w
        r = bounded(image + r + shortest[1]) - image
        x_adv, done = bounded(image + (1 + overshoot) * r), done + 1
        label = best(logits(x_adv), None)
        if label == target if target is not None else label != origin:
            return x_adv, done, True
    return x_adv, done, False


def universal(model, x, *, eps, norm, fraction, epochs, seed, steps, overshoot):
    """Algorithm 1 read aloud, without clipping."""
    generator = torch.Generator().manual_seed(seed)
    v, log = torch.zeros_like(x[0]), []

    def fooled(image):
        return int(model((image + v)[None]).argmax()) != int(model(image[None]).argmax())

    while len(log) < epochs and (not log or log[-1] < fraction * len(x)):
        for i in torch.randperm(len(x), generator=generator).tolist():
            if not fooled(x[i]):
                x_adv, _, success = deepfool(model, x[i] + v, steps=steps, overshoot=overshoot)
                if success:
                    v = x_adv - x[i]
                    length = sqrt(dot(v, v))
                    v = v.clamp(-eps, eps) if norm == "linf" else v * min(1.0, eps / length)
        log.append(sum(fooled(image) for image in x))
    return v, log


def pgd_perturbation(model, image, label, radius, steps):
    moved = torch.zeros_like(image)
    for _ in range(steps):
        g = gradient(lambda v: cross_entropy(model, v, label), image + moved)
        ahead = moved + 1.5 * radius / steps / length(g) * g
        shrink = min(1.0, radius / length(ahead))
        for p in positions(image):
            moved[p] = min(1.0, max(0.0, float(image[p]) + shrink * float(ahead[p]))) - float(image[p])
    return moved


def gaussian(channel, sigma):
    """One channel (H, W), rows and then columns; beyond an edge the image is mirrored, the edge pixel twice."""
    reach = int(4 * sigma + 0.5)
    weights = [exp(-0.5 * (k / sigma) ** 2) for k in range(-reach, reach + 1)]

    def mirrored(i, n):
        i %= 2 * n
        return i if i < n else 2 * n - 1 - i

    def smooth(row):
        n = len(row)
        return [
            sum(w * row[mirrored(i + k - reach, n)] for k, w in enumerate(weights)) / sum(weights) for i in range(n)
        ]

    rows = [smooth([float(v) for v in row]) for row in channel]
    columns = [smooth(list(column)) for column in zip(*rows, strict=True)]
    return torch.tensor(list(zip(*columns, strict=True)), dtype=torch.float64)


def keep_mask(importance, share):
    """Whether a pixel is among the first ⌈share · pixels⌉ in order of importance, or ties with the last of them."""
    values = sorted((float(v) for row in importance for v in row), reverse=True)
    count = next(k for k in range(len(values) + 1) if k >= share * len(values) - 1e-9)
    return [[count > 0 and float(v) >= values[count - 1] for v in row] for row in importance]


def lrp_epsilon(layers, inputs, target, epsilon):
    """Relevance of the entries of ``inputs`` for weights and biases ``layers`` [(w, b), …] with ReLU between them."""
    activations = [inputs]
    for k, (w, b) in enumerate(layers):
        z = [float(b[j]) + sum(float(w[j][i]) * a for i, a in enumerate(activations[-1])) for j in range(len(b))]
        activations.append(z if k == len(layers) - 1 else [max(v, 0.0) for v in z])
    relevance = [v if j == target else 0.0 for j, v in enumerate(activations[-1])]
    for (w, b), a in zip(layers[::-1], activations[-2::-1], strict=True):
        z = [float(b[j]) + sum(float(w[j][i]) * v for i, v in enumerate(a)) for j in range(len(b))]
        relevance = [
            sum(v * float(w[j][i]) / (z[j] + (epsilon if z[j] >= 0 else -epsilon)) * r for j, r in enumerate(relevance))
            for i, v in enumerate(a)
        ]
    return relevance

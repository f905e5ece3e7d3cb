"""Features of windows of a motion signal, computed without any label.

One row for each snippet: statistics of the window around its middle. Six channels go in,
acceleration (in g) and angular velocity (in rad/s); the slow part of the acceleration is gravity,
which tells posture, the rest is the body's own motion.

Of each of nine channels (body x, y, z and size; rotation x, y, z and size; size of the jerk):
mean, standard deviation, least, greatest, slope per second, log energy, log power in the bands
0-2, 2-5, 5-10 and 10-25 Hz, spectral centroid and spectral entropy. Of gravity x, y, z: mean,
range, slope per second. And the correlations of each two of body x, y, z and of rotation x, y, z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATE = 50  # samples per second
WIDTH = 64  # samples of a window, 1.28 s
STRIDE = 20  # samples from one snippet to the next, 0.4 s
GRAVITY_BELOW = 0.3  # Hz, as the authors of HAPT separate gravity
_BANDS = ((0.0, 2.0), (2.0, 5.0), (5.0, 10.0), (10.0, 25.1))  # Hz
_PAIRS = ((0, 1), (0, 2), (1, 2))
_SMALL = 1e-6  # keeps logarithms and quotients of a signal at rest finite


@dataclass(frozen=True, eq=False)
class Signal:
    """A recording.

    Args:
        acceleration: [N, 3] in g, gravity included.
        rotation: [N, 3] in rad/s.
    """

    acceleration: Floats
    rotation: Floats


def window_features(signal: Signal) -> NDArray[np.float32]:
    """[N // STRIDE, D] one row for each whole snippet; D = len(feature_names()).

    A window is centred on its snippet's middle and reaches beyond the snippet; before the first and
    after the last sample the signal is continued by its end values.
    """
    # here, not above: who only reads a store need not wait for scipy
    from scipy.signal import butter, sosfiltfilt  # type: ignore[import-untyped]

    slow = butter(3, GRAVITY_BELOW, "lowpass", fs=RATE, output="sos")
    gravity = sosfiltfilt(slow, signal.acceleration, axis=0)
    body = signal.acceleration - gravity
    jerk = np.gradient(body, 1.0 / RATE, axis=0)
    moving = np.column_stack(
        [body, _size(body), signal.rotation, _size(signal.rotation), _size(jerk)]
    )
    num = len(body) // STRIDE
    windows = _windows(moving, num)  # [n, 9, W]
    resting = _windows(gravity, num)  # [n, 3, W]
    parts = [*_motion(windows), *_posture(resting)]
    for first in (0, 4):
        parts.append(_correlations(windows[:, first : first + 3]))
    return np.concatenate(parts, axis=1).astype(np.float32)


def feature_names() -> tuple[str, ...]:
    """What the columns are, in order."""
    axes = ("x", "y", "z")
    body, rotation = [f"body-{a}" for a in axes], [f"rotation-{a}" for a in axes]
    moving = [*body, "body-size", *rotation, "rotation-size", "jerk-size"]
    gravity = [f"gravity-{a}" for a in axes]
    bands = [f"band-{low:g}-{min(high, 25.0):g}" for low, high in _BANDS]
    statistics = ("mean", "std", "least", "greatest", "slope", "energy", *bands)
    names = [
        f"{channel}:{what}" for what in (*statistics, "centroid", "entropy") for channel in moving
    ]
    names += [f"{channel}:{what}" for what in ("mean", "range", "slope") for channel in gravity]
    for channels in (body, rotation):
        names += [f"{channels[a]}*{channels[b]}" for a, b in _PAIRS]
    return tuple(names)


def _size(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=1)[:, None]
    return lengths


def _windows(channels: Floats, num: int) -> Floats:
    """[num, K, WIDTH] of [N, K] channels."""
    before = (WIDTH - STRIDE) // 2
    padded = np.pad(channels, ((before, WIDTH), (0, 0)), mode="edge")
    view = np.lib.stride_tricks.sliding_window_view(padded, WIDTH, axis=0)
    taken: Floats = view[: num * STRIDE : STRIDE]
    return taken


def _slope(windows: Floats) -> Floats:
    """[n, K] least-squares slope per second."""
    time = (np.arange(WIDTH) - (WIDTH - 1) / 2) / RATE
    slope: Floats = windows @ (time / (time @ time))
    return slope


def _motion(windows: Floats) -> list[Floats]:
    """Twelve statistics, each [n, K]."""
    mean, std = windows.mean(-1), windows.std(-1)
    centred = (windows - mean[..., None]) * np.hanning(WIDTH)
    power = np.abs(np.fft.rfft(centred, axis=-1)) ** 2  # [n, K, F]
    frequency = np.fft.rfftfreq(WIDTH, 1.0 / RATE)
    whole = power.sum(-1) + _SMALL
    share = power / whole[..., None]
    bands = [
        np.log(power[..., (frequency >= low) & (frequency < high)].sum(-1) + _SMALL)
        for low, high in _BANDS
    ]
    entropy = -(share * np.log(share + 1e-12)).sum(-1)
    return [
        mean,
        std,
        windows.min(-1),
        windows.max(-1),
        _slope(windows),
        np.log((windows**2).mean(-1) + _SMALL),
        *bands,
        share @ frequency,
        entropy,
    ]


def _posture(windows: Floats) -> list[Floats]:
    return [windows.mean(-1), windows.max(-1) - windows.min(-1), _slope(windows)]


def _correlations(windows: Floats) -> Floats:
    """[n, 3] of the pairs of three channels [n, 3, W]; 0 where one of them stands still."""
    centred = windows - windows.mean(-1, keepdims=True)
    size = np.sqrt((centred**2).sum(-1)) + _SMALL
    unit = centred / size[..., None]
    found: Floats = np.stack([(unit[:, a] * unit[:, b]).sum(-1) for a, b in _PAIRS], axis=1)
    return found

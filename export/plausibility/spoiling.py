"""Real recordings, spoiled as they are spoiled in practice. The network learns what was done to them."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ecg_edge.recording.leads import LEADS

KINDS = (
    "stretched",
    "squeezed",
    "too_small",
    "too_large",
    "inverted",
    "ra_la",
    "ra_ll",
    "la_ll",
    "precordials_reversed",
    "precordials_exchanged",
    "time_reversed",
    "not_ecg",
)
"""Labels of the network. `stretched`: the true sampling rate is 1.5 or more times the stated one, so that everything
looks slow. `squeezed`: the stated one is 1.5 or more times the true one."""
_STRETCHED, _SQUEEZED, _SMALL, _LARGE = range(4)
_LEAD_KINDS = range(KINDS.index("inverted"), KINDS.index("precordials_exchanged") + 1)
_TIME_REVERSED, NOT_ECG = KINDS.index("time_reversed"), KINDS.index("not_ecg")
# How often each kind is taught. Those that are hard to see are taught more often.
_SHARES = torch.tensor([1.2, 1.1, 1.0, 1.3, 0.5, 0.8, 0.8, 2.2, 0.5, 1.4, 1.0, 1.2])
_FAMILY = torch.tensor([0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 3, 4])
_PLAIN_SHARE = 0.35
_SECOND_SHARE = 0.2
_LEAST_FACTOR, _MOST_RATE, _MOST_GAIN = (1.5, 5.0, 30.0)
_LEAST_GAIN = 3.0
_MARGIN = 100
_RATE = 500.0


def exchange_limbs(first: str, second: str) -> NDArray[np.float32]:
    """Return the matrix that turns the leads into those with two limb electrodes exchanged, shape (12, 12).

    The precordial leads are measured against the mean of the three limb electrodes, which an exchange does not change.

    Args:
        first: "R", "L" or "F": right arm, left arm, left leg.
        second: Another one.
    """
    electrodes = ("R", "L", "F")
    # Potentials against their mean, from I = L - R and II = F - R.
    potentials = np.array([[-1, -1], [2, -1], [-1, 2]]) / 3
    order = [{first: second, second: first}.get(electrode, electrode) for electrode in electrodes]
    right, left, foot = (potentials[electrodes.index(electrode)] for electrode in order)
    limbs = [left - right, foot - right, foot - left, 1.5 * right, 1.5 * left, 1.5 * foot]
    matrix = np.eye(len(LEADS), dtype=np.float32)
    matrix[:6, :6] = 0
    matrix[:6, :2] = np.array(limbs)
    return matrix


def exchange_precordials(order: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the matrix that puts the electrodes V1 to V6 in another order, shape (12, 12).

    Args:
        order: Which electrode, 0 to 5, takes each of the six places.
    """
    matrix = np.eye(len(LEADS), dtype=np.float32)
    matrix[6:] = matrix[[6 + electrode for electrode in order]]
    return matrix


def _list_pairs() -> NDArray[np.float32]:
    orders = []
    for i in range(6):
        for j in range(i + 1, 6):
            order = list(range(6))
            order[i], order[j] = j, i
            orders.append(exchange_precordials(tuple(order)))
    return np.stack(orders)


_PAIRS = torch.from_numpy(_list_pairs())
_MATRICES = {
    "inverted": -np.eye(len(LEADS), dtype=np.float32),
    "ra_la": exchange_limbs("R", "L"),
    "ra_ll": exchange_limbs("R", "F"),
    "la_ll": exchange_limbs("L", "F"),
    "precordials_reversed": exchange_precordials((5, 4, 3, 2, 1, 0)),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to each recording of a batch; each tensor has one row a recording."""

    target: Tensor
    """0 or 1, shape (batch, kinds)."""
    factor: Tensor
    """Samples of the source per sample of the result; 1 keeps the rate. Shape (batch,)."""
    gain: Tensor
    """Shape (batch,)."""
    matrix: Tensor
    """What is done to the leads, shape (batch, 12, 12)."""


def plan_kind(kind: str, n: int, random: Generator, amount: float | None = None) -> Plan:
    """Plan to spoil n recordings in one way, and no other.

    Args:
        kind: One of `KINDS`.
        n: Number of recordings.
        random: Source of all randomness.
        amount: How many times too slow, fast, small or large they become; drawn for each if None.
    """
    chosen = torch.zeros(n, len(KINDS))
    chosen[:, KINDS.index(kind)] = 1
    plan = _plan(chosen, random)
    if amount is None:
        return plan
    if kind in {"stretched", "squeezed"}:
        return replace(plan, factor=torch.full((n,), 1 / amount if kind == "stretched" else amount))
    return replace(plan, gain=torch.full((n,), 1 / amount if kind == "too_small" else amount))


def plan_nothing(n: int, random: Generator) -> Plan:
    """Plan to leave n recordings as they are."""
    return _plan(torch.zeros(n, len(KINDS)), random)


def plan_lesson(n: int, random: Generator) -> Plan:
    """Plan a batch to learn from: some recordings are left as they are, some are spoiled in two ways."""
    first = torch.multinomial(_SHARES, n, replacement=True, generator=random)
    second = torch.multinomial(_SHARES, n, replacement=True, generator=random)
    draw = torch.rand(n, generator=random)
    chosen = torch.zeros(n, len(KINDS))
    rows = torch.arange(n)
    spoiled = draw >= _PLAIN_SHARE
    chosen[rows[spoiled], first[spoiled]] = 1
    both = (draw >= 1 - _SECOND_SHARE) & (_FAMILY[first] != _FAMILY[second])
    both &= (first != NOT_ECG) & (second != NOT_ECG)
    chosen[rows[both], second[both]] = 1
    return _plan(chosen, random, crowding=2.0)


def _plan(chosen: Tensor, random: Generator, crowding: float = 1.0) -> Plan:
    """Draw the amounts. Log-uniform, or crowded towards the least amount, which is the hardest to see."""
    n = len(chosen)

    def spread(low: float, high: float) -> Tensor:
        share: Tensor = torch.rand(n, generator=random) ** crowding
        return low * (high / low) ** share

    rate, gain = spread(_LEAST_FACTOR, _MOST_RATE), spread(_LEAST_GAIN, _MOST_GAIN)
    factor = torch.where(chosen[:, _STRETCHED] > 0, 1 / rate, torch.where(chosen[:, _SQUEEZED] > 0, rate, 1.0))
    gain = torch.where(chosen[:, _SMALL] > 0, 1 / gain, torch.where(chosen[:, _LARGE] > 0, gain, 1.0))
    matrix = torch.eye(len(LEADS)).repeat(n, 1, 1)
    pair = _PAIRS[torch.randint(0, len(_PAIRS), (n,), generator=random)]
    for kind in _LEAD_KINDS:
        rows = chosen[:, kind] > 0
        matrix[rows] = (
            pair[rows] if KINDS[kind] == "precordials_exchanged" else torch.from_numpy(_MATRICES[KINDS[kind]])
        )
    return Plan(chosen, factor, gain, matrix)


def read_at(ecg: Tensor, starts: Tensor, factor: Tensor, samples: int) -> Tensor:
    """Return recordings as they look when they are read at another rate, by cubic interpolation.

    Args:
        ecg: Shape (batch, leads, n).
        starts: First sample to read of each recording, shape (batch,).
        factor: Samples of `ecg` per sample of the result, shape (batch,).
        samples: Samples of the result.

    Returns:
        Shape (batch, leads, samples).
    """
    at = starts[:, None] + torch.arange(samples) * factor[:, None]
    before = at.floor().long()
    t = (at - before)[:, None]
    a, b, c, d = (
        ecg.gather(2, (before + k).clamp(0, ecg.shape[2] - 1)[:, None].expand(-1, ecg.shape[1], -1))
        for k in range(-1, 3)
    )
    cubic: Tensor = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return cubic


def spoil(  # noqa: PLR0913 - what, where, how
    ecg: Tensor, starts: Tensor, plan: Plan, samples: int, random: Generator, *, disturb: bool
) -> Tensor:
    """Spoil recordings as planned.

    Args:
        ecg: Millivolts at 500 Hz, shape (batch, 12, n).
        starts: First sample to read of each recording, shape (batch,).
        plan: What to do.
        samples: Samples of the result.
        random: Source of all randomness.
        disturb: Also change them as devices and bodies do: speed, gain, noise, hum, filters, lost leads.

    Returns:
        Shape (batch, 12, samples).
    """
    not_ecg = plan.target[:, NOT_ECG] > 0
    factor = plan.factor
    if disturb:
        factor = factor * torch.empty(len(ecg)).uniform_(0.92, 1.08, generator=random)
    wide = samples + 2 * _MARGIN
    x = read_at(ecg, starts - _MARGIN * factor, factor, wide)
    if not_ecg.any():
        x[not_ecg] = make_other_signals(x[not_ecg], random)
    x = plan.matrix @ x
    if disturb:
        x = _disturb(x, factor, random)
    x = (x * plan.gain[:, None, None])[..., _MARGIN : _MARGIN + samples]
    backward = plan.target[:, _TIME_REVERSED] > 0
    return torch.where(backward[:, None, None], x.flip(2), x)


def _disturb(x: Tensor, factor: Tensor, random: Generator) -> Tensor:
    n, leads, samples = x.shape

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(shape).uniform_(low, high, generator=random)

    def seldom(share: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=random) < share

    gain = torch.exp(
        0.1 * torch.randn((n, 1, 1), generator=random) + 0.05 * torch.randn((n, leads, 1), generator=random)
    )
    # Most noise is slight; its square root is even.
    noise = torch.randn(x.shape, generator=random) * (0.06 * uniform(0, 1, n, 1, 1) ** 3)
    time = torch.arange(samples) / _RATE * factor[:, None, None]
    wander = uniform(0, 0.3, n, leads, 1) * torch.sin(
        2 * torch.pi * (uniform(0, 1, n, leads, 1) + uniform(0.05, 0.5, n, 1, 1) * time)
    )
    mains = torch.where(seldom(0.5, n, 1, 1), 50.0, 60.0)
    hum = seldom(0.3, n, 1, 1) * uniform(0, 0.04, n, leads, 1) * torch.sin(2 * torch.pi * mains * time)
    # A frequency above half the rate would be aliased by a bad device only.
    hum = hum * (mains * factor[:, None, None] < _RATE / 2)
    x = _low_pass((x * gain + noise + hum), seldom(0.6, n), uniform(0, 1, n)) + wander
    return x * ~seldom(0.03, n, leads, 1)


def _low_pass(x: Tensor, chosen: Tensor, strength: Tensor) -> Tensor:
    """Filter the chosen recordings at 20 to 200 Hz, so that the band tells nothing of the rate."""
    cutoff = 20 * 10 ** strength[chosen, None, None]
    frequency = torch.fft.rfftfreq(x.shape[2], 1 / _RATE)
    response = 1 / torch.sqrt(1 + (frequency / cutoff) ** 8)
    x[chosen] = torch.fft.irfft(torch.fft.rfft(x[chosen]) * response, x.shape[2])
    return x


def make_other_signals(ecg: Tensor, random: Generator) -> Tensor:
    """Return signals that are no 12-lead ECG: noise, waves, other organs, leads that do not belong together.

    Args:
        ecg: Recordings to make some of them from, shape (batch, 12, samples).
        random: Source of all randomness.

    Returns:
        Shape (batch, 12, samples).
    """
    makers = (
        _make_noise,
        _make_bursts,
        _make_waves,
        _make_pulses,
        _scramble_phases,
        _copy_one_lead,
        _shift_leads,
        _shuffle_leads,
    )
    kinds = torch.randint(0, len(makers), (len(ecg),), generator=random)
    out = torch.empty_like(ecg)
    for kind, make in enumerate(makers):
        rows = kinds == kind
        if rows.any():
            out[rows] = make(ecg[rows], random)
    return out


def _loudness(n: int, random: Generator) -> Tensor:
    return torch.exp(torch.empty(n, 1, 1).uniform_(float(np.log(0.03)), float(np.log(3)), generator=random))


def _join_limbs(x: Tensor, random: Generator) -> Tensor:
    """Make the limb leads of half the recordings obey Einthoven, as those of any signal at three electrodes do."""
    joined = torch.from_numpy(exchange_limbs("R", "R")) @ x
    return torch.where(torch.rand((len(x), 1, 1), generator=random) < 0.5, joined, x)


def _make_noise(ecg: Tensor, random: Generator) -> Tensor:
    """Noise whose power falls with frequency, white to brown, shared by the leads to some degree."""
    n, leads, samples = ecg.shape
    spectrum = torch.fft.rfft(torch.randn((n, leads, samples), generator=random))
    slope = torch.empty(n, 1, 1).uniform_(0, 2, generator=random)
    low, high = (torch.empty(n, 1, 1).uniform_(*limits, generator=random) for limits in ((0, 2), (1, 2.7)))
    frequency = torch.fft.rfftfreq(samples, 1 / _RATE).clamp(min=0.3)
    x = torch.fft.irfft(spectrum * frequency ** (-slope) * ((frequency > low) & (frequency < 10**high)), samples)
    shared = torch.rand((n, 1, 1), generator=random)
    x = (
        x
        + 2
        * shared
        * x.roll(1, 1).mean(dim=1, keepdim=True)
        * torch.randn((n, leads, 1), generator=random)
        * leads**0.5
    )
    return _join_limbs(x / (x.std(dim=2, keepdim=True) + 1e-6) * _loudness(n, random), random)


def _make_bursts(ecg: Tensor, random: Generator) -> Tensor:
    """Noise that comes and goes, as from muscles and loose electrodes."""
    n, _, samples = ecg.shape
    noise = _make_noise(ecg, random)
    phase = torch.rand((n, 1, 1), generator=random) + torch.arange(samples) / _RATE * (
        0.3 + 2 * torch.rand((n, 1, 1), generator=random)
    )
    return noise * torch.sin(2 * torch.pi * phase).clamp(min=0) ** (1 + 20 * torch.rand((n, 1, 1), generator=random))


def _make_waves(ecg: Tensor, random: Generator) -> Tensor:
    """Sine, square, triangle and saw, from wander to hum."""
    n, leads, samples = ecg.shape
    hz = torch.exp(torch.empty(n, 1, 1).uniform_(float(np.log(0.3)), float(np.log(120)), generator=random))
    phase = torch.rand((n, leads, 1), generator=random) * torch.randint(0, 2, (n, 1, 1), generator=random)
    turn = (phase + hz * torch.arange(samples) / _RATE) % 1
    shapes = torch.stack(
        [torch.sin(2 * torch.pi * turn), (turn < 0.5) * 2.0 - 1, (4 * turn - 2).abs() - 1, 2 * turn - 1]
    )
    x = shapes[torch.randint(0, 4, (n,), generator=random), torch.arange(n)]
    return _weigh(x, random)


def _make_pulses(ecg: Tensor, random: Generator) -> Tensor:
    """Smooth pulses at the rate of a heart or of breath, as pressure and light sensors give."""
    n, _, samples = ecg.shape
    hz = 0.3 + 2.2 * torch.rand((n, 1, 1), generator=random)
    turn = (torch.rand((n, 1, 1), generator=random) + hz * torch.arange(samples) / _RATE) % 1
    rise, fall = (0.05 + 0.2 * torch.rand((n, 1, 1), generator=random) for _ in range(2))
    notch = 0.4 * torch.exp(-(((turn - 0.6) / 0.08) ** 2)) * torch.rand((n, 1, 1), generator=random)
    x = torch.where(turn < 0.3, torch.exp(-(((turn - 0.3) / rise) ** 2)), torch.exp(-((turn - 0.3) / fall / 2))) + notch
    return _weigh(x.expand(ecg.shape), random)


def _weigh(x: Tensor, random: Generator) -> Tensor:
    """Give each lead its own share of a signal, and a little noise."""
    n, leads, _ = x.shape
    weight = 1 + torch.rand((n, 1, 1), generator=random) * torch.randn((n, leads, 1), generator=random)
    noise = 0.1 * torch.rand((n, 1, 1), generator=random) ** 2 * torch.randn(x.shape, generator=random)
    return (x * weight + noise) * _loudness(n, random)


def _scramble_phases(ecg: Tensor, random: Generator) -> Tensor:
    """Noise with the spectrum and the correlations of an ECG."""
    spectrum = torch.fft.rfft(ecg)
    angle = 2 * torch.pi * torch.rand((len(ecg), 1, spectrum.shape[2]), generator=random)
    scrambled: Tensor = torch.fft.irfft(spectrum * torch.polar(torch.ones_like(angle), angle), ecg.shape[2])
    return scrambled


def _copy_one_lead(ecg: Tensor, random: Generator) -> Tensor:
    """One lead at other sizes and signs in the place of all: an ECG of one lead only."""
    n, leads, _ = ecg.shape
    which = torch.randint(0, leads, (n,), generator=random)
    sizes = 1 + torch.rand((n, 1, 1), generator=random) * torch.randn((n, leads, 1), generator=random)
    noise = 0.01 * torch.randn(ecg.shape, generator=random)
    return ecg[torch.arange(n), which][:, None] * sizes + noise


def _shift_leads(ecg: Tensor, random: Generator) -> Tensor:
    """Leads that were not recorded at the same time."""
    n, leads, samples = ecg.shape
    shift = torch.randint(0, samples, (n, leads, 1), generator=random)
    return ecg.gather(2, (torch.arange(samples) + shift) % samples)


def _shuffle_leads(ecg: Tensor, random: Generator) -> Tensor:
    """Leads in a wrong order."""
    order = torch.rand(ecg.shape[:2], generator=random).argsort(dim=1)
    return ecg.gather(1, order[..., None].expand(ecg.shape))

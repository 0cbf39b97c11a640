"""Energy of one sample on named hardware, from published energies of single operations.

An estimate multiplies the operations that a simulation counts by the energy that was published for
one of them.  It contains what the publication contains, see `EnergyProfile.note`: neither idle
power nor transfers of data are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from bioconv.ground.errors import ParameterError
from bioconv.ground.suggestions import did_you_mean
from bioconv.measures.activity import multiply_accumulates
from bioconv.network import SpikingNetwork
from bioconv.network.recording import Recording
from bioconv.neurons.language import roles
from bioconv.operators import n_synapses

_PICO, _NANO, _MICRO = 1e-12, 1e-9, 1e-6
NOT_FOUND = "not published, as far as we know"


@dataclass(frozen=True)
class EnergyProfile:
    """Published energies of operations on one kind of hardware, in joule.

    Parameters
    ----------
    name, title : str
    synaptic : float or None
        Energy of one synaptic event: a spike that arrives at one synapse.
    update : float or None
        Energy of advancing one neuron by one step.
    multiply : float or None
        Energy of one multiply-accumulate operation of the analog network.
    source : str
        Publication; empty if none was found.
    note : str
        What the numbers contain, and where they were read.
    """

    name: str
    title: str
    synaptic: float | None = None
    update: float | None = None
    multiply: float | None = None
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Work:
    """Operations for one sample.

    Parameters
    ----------
    synaptic : float
        Synaptic events.
    updates : float
        Neurons times steps.
    inputs : float
        Multiply-accumulates for input currents: once per sample for constant ones, and in every
        step for those from and to analog stages whose values change.  The functions of stages
        (softmax, normalization, products of attention) are not contained.
    multiplies : float
        Multiply-accumulates of the analog network.
    """

    synaptic: float
    updates: float
    inputs: float = 0.0
    multiplies: float = 0.0


@dataclass(frozen=True)
class Energy:
    """Energy of one sample on one kind of hardware, in joule; None where nothing is published.

    Parameters
    ----------
    profile : EnergyProfile
    synapses, neurons, inputs : float or None
        Energy of synaptic events, of updates of neurons, and of input currents.
    analog : float or None
        Energy of the multiply-accumulates of the analog network.
    """

    profile: EnergyProfile
    synapses: float | None
    neurons: float | None
    inputs: float | None
    analog: float | None

    @property
    def spiking(self) -> float | None:
        """Energy of the spiking network; None if that of synaptic events is not known."""
        if self.synapses is None:
            return None
        return self.synapses + (self.neurons or 0.0) + (self.inputs or 0.0)


def work_of(network: SpikingNetwork, recording: Recording) -> Work:
    """Count the operations for one sample.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        A recording of this network.
    """
    neurons = sum(p.n_neurons for p in network.populations if p.model.kind != roles.AXON)
    return Work(
        synaptic=float(np.mean(recording.synaptic_operations)),
        updates=float(neurons * recording.n_steps),
        inputs=float(_input_operations(network, recording.n_steps)),
        multiplies=float(sum(multiply_accumulates(network.analog).values())),
    )


def _input_operations(network: SpikingNetwork, n_steps: int) -> int:
    """Return the multiply-accumulates of a sample for all drives and inputs of analog stages."""
    changing = {entry.name for entry in network.spiking_inputs}
    changing |= {entry.name for entry in network.populations}
    total = 0
    for stage in network.stages:  # each after those it depends on
        for term in (term for affine in stage.inputs for term in affine.terms):
            total += n_synapses(term.operator) * (n_steps if term.source in changing else 1)
        if changing.intersection(stage.sources):
            changing.add(stage.name)
    for drive in network.drives:
        total += n_synapses(drive.operator) * (n_steps if drive.input in changing else 1)
    return total


def energy_of(work: Work, profiles: Sequence[str] | None = None) -> list[Energy]:
    """Estimate the energy of one sample on several kinds of hardware.

    Parameters
    ----------
    work : Work
        See `work_of`.
    profiles : sequence of str, optional
        Names of `PROFILES`; by default all.

    Raises
    ------
    ParameterError
        If a profile is unknown; the message lists all.

    Examples
    --------
    >>> (found,) = energy_of(Work(synaptic=1000, updates=0, multiplies=500), ["cmos_45nm_float32"])
    >>> f"{found.spiking:.1e} J, analog {found.analog:.1e} J"
    '9.0e-10 J, analog 2.3e-09 J'
    """
    names = list(PROFILES) if profiles is None else list(profiles)
    for name in names:
        if name not in PROFILES:
            raise ParameterError(
                f"There is no energy profile {name!r}. Valid names: {', '.join(PROFILES)}."
                + did_you_mean(name, PROFILES)
            )
    return [_energy(work, PROFILES[name]) for name in names]


def _energy(work: Work, profile: EnergyProfile) -> Energy:
    spiking = profile.synaptic is not None
    return Energy(
        profile,
        _times(work.synaptic, profile.synaptic),
        _times(work.updates, profile.update),
        _times(work.inputs, profile.multiply) if spiking else None,
        _times(work.multiplies, profile.multiply),
    )


def _times(number: float, each: float | None) -> float | None:
    return None if each is None else number * each


_HOROWITZ = (
    "Horowitz 2014, IEEE International Solid-State Circuits Conference, p. 10, "
    "doi:10.1109/ISSCC.2014.6757323"
)
_DAVIES = "Davies et al. 2018, IEEE Micro 38(1):82, doi:10.1109/MM.2018.112130359, Table 2"
_HOEPPNER = (
    "Höppner et al. 2019, IEEE Transactions on Circuits and Systems I 66:2973, arXiv:1903.08941"
)
_RHODES = (
    "Rhodes et al. 2020, Philosophical Transactions of the Royal Society A 378:20190160, "
    "doi:10.1098/rsta.2019.0160"
)
_MEROLLA = "Merolla et al. 2014, Science 345:668, doi:10.1126/science.1254642"
_DEGNAN = "Degnan, Marr and Hasler 2016, IEEE Transactions on VLSI Systems 24:58"
_ARITHMETIC = "Arithmetic alone, without memory. As quoted in PMC8934428, Table 3."
_KERAS_SPIKING = "As quoted by KerasSpiking (keras_spiking/model_energy.py)."
_PROCESSOR = f"One multiply-accumulate of the analog network. {_KERAS_SPIKING}"

#: name -> profile, from the smallest systems to the largest
PROFILES: Mapping[str, EnergyProfile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            EnergyProfile(
                "cmos_45nm_int32",
                "45 nm CMOS, 32-bit integers",
                synaptic=0.1 * _PICO,
                multiply=3.2 * _PICO,
                source=_HOROWITZ,
                note=f"Addition 0.1 pJ, multiplication 3.1 pJ. {_ARITHMETIC}",
            ),
            EnergyProfile(
                "cmos_45nm_float32",
                "45 nm CMOS, 32-bit floating point",
                synaptic=0.9 * _PICO,
                multiply=4.6 * _PICO,
                source=_HOROWITZ,
                note=f"Addition 0.9 pJ, multiplication 3.7 pJ. {_ARITHMETIC}",
            ),
            EnergyProfile(
                "loihi",
                "Loihi, digital, 14 nm",
                synaptic=23.6 * _PICO,
                update=81 * _PICO,
                source=_DAVIES,
                note="Estimates from circuit simulations: least energy of a synaptic operation, "
                "and update of an active neuron; without transport of spikes. As quoted in "
                "PMC10326429, Table 3, and by KerasSpiking.",
            ),
            EnergyProfile(
                "truenorth",
                "TrueNorth, digital, 28 nm",
                synaptic=26 * _PICO,
                source=_MEROLLA,
                note="Measured power of the whole chip divided by its synaptic events, at 20 Hz "
                "and 128 active synapses per neuron: neurons and idle power are contained. Other "
                "rates give other numbers (2.5 pJ in PMC10326429, Table 3). As quoted by "
                "SANA-FE (platform catalogue).",
            ),
            EnergyProfile(
                "spinnaker",
                "SpiNNaker, ARM cores, 130 nm: dynamic energy",
                synaptic=13.3 * _NANO,
                update=26 * _NANO,
                source=_HOEPPNER,
                note=f"Without idle power. {_KERAS_SPIKING}",
            ),
            EnergyProfile(
                "spinnaker_machine",
                "SpiNNaker, 12 boards at work",
                synaptic=0.628 * _MICRO,
                source=_RHODES,
                note="Energy of the whole machine divided by its synaptic events, for a model of "
                "cortex in real time with Poisson input: neurons and idle power are contained. "
                "As quoted by INM-6/microcircuit-PD14-model, docs/benchmarking.",
            ),
            EnergyProfile(
                "spinnaker_2",
                "SpiNNaker 2, prototype, 28 nm",
                synaptic=450 * _PICO,
                update=2.19 * _NANO,
                source=_HOEPPNER,
                note=f"Without idle power. {_KERAS_SPIKING}",
            ),
            EnergyProfile(
                "brainscales_2",
                "BrainScaleS-2, analog, 65 nm",
                note="Published are the power of the chip and energies of whole experiments, not "
                "the energy of a synaptic event.",
            ),
            EnergyProfile(
                "arm_processor",
                "Embedded processor (ARM)",
                multiply=0.9 * _NANO,
                source=_DEGNAN,
                note=_PROCESSOR,
            ),
            EnergyProfile(
                "gpu",
                "Graphics processor (2014)",
                multiply=0.3 * _NANO,
                source=_DEGNAN,
                note=_PROCESSOR,
            ),
            EnergyProfile(
                "cpu",
                "Desktop processor (Intel i7-4960X)",
                multiply=8.6 * _NANO,
                source=_DEGNAN,
                note=_PROCESSOR,
            ),
        )
    }
)

"""Published imperfections of five neuromorphic chips, as imperfections and as a table.

Quantities for which no published number was found are listed as such and are not estimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bioconv.ground.errors import ConversionError, ParameterError
from bioconv.ground.suggestions import did_you_mean
from bioconv.network import SpikingNetwork
from bioconv.noise.base import Imperfection, Streams
from bioconv.noise.digital import FanIn, TimeQuantization
from bioconv.noise.mismatch import Mismatch
from bioconv.noise.state import FixedPointState
from bioconv.noise.weights import WeightQuantization

NOT_PUBLISHED = "not published, as far as we know"


@dataclass(frozen=True)
class Number:
    """A quantity of a chip, with the published number or a statement that there is none.

    Parameters
    ----------
    what, value : str
    source : str
        Publication, DOI, section or page; empty if there is no source.
    note : str
        How the imperfection follows from the number, and what has not been verified.
    """

    what: str
    value: str
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Profile:
    """The imperfections of a chip; iterating over the profile yields them.

    Parameters
    ----------
    name, title : str
    imperfections : tuple of Imperfection
        Those of stored values come first, followed by those of analog circuits.
    numbers : tuple of Number
        Sources of the imperfections, and quantities that are missing.

    Examples
    --------
    >>> [str(entry) for entry in profile("rolls")][:2]
    ['WeightQuantization(bits=3)', 'FanIn(limit=512)']
    """

    name: str
    title: str
    imperfections: tuple[Imperfection, ...]
    numbers: tuple[Number, ...]

    def __iter__(self) -> Iterator[Imperfection]:
        return iter(self.imperfections)

    def applicable(self, network: SpikingNetwork) -> tuple[Imperfection, ...]:
        """Return those that apply to the network; one without a leak has no time constants."""
        return tuple(entry for entry in self.imperfections if _applies(entry, network))

    def table(self) -> str:
        """Return a readable table of every number with its source."""
        rows = [self.title, *(f"  {entry}" for entry in self.imperfections)]
        for number in self.numbers:
            rows.append(f"{number.what}: {number.value}")
            rows += [f"    {text}" for text in (number.source, number.note) if text]
        return "\n".join(rows)


def profile(name: str) -> Profile:
    """Return the profile of a chip; an unknown name raises a `ParameterError`.

    Parameters
    ----------
    name : {"brainscales_2", "braindrop", "dynap_se", "rolls", "spinnaker"}
    """
    if name not in PROFILES:
        raise ParameterError(
            f"There is no profile {name!r}. Valid names: {', '.join(sorted(PROFILES))}."
            + did_you_mean(name, PROFILES)
        )
    return PROFILES[name]


def _applies(entry: Imperfection, network: SpikingNetwork) -> bool:
    try:
        entry.rewrite(network, Streams(0))
    except ConversionError:
        return False
    return True


_MORADI = (
    "Moradi, Qiao, Stefanini and Indiveri 2018, IEEE Trans. Biomed. Circuits Syst. 12:106, "
    "doi:10.1109/TBCAS.2017.2759700"
)
_BUCHEL = (
    "Buechel, Zendrikov, Solinas, Indiveri and Muir 2021, Scientific Reports 11:23376, "
    "doi:10.1038/s41598-021-02779-x"
)
_QIAO = (
    "Qiao, Mostafa, Corradi, Osswald, Stefanini, Sumislawska and Indiveri 2015, Frontiers in "
    "Neuroscience 9:141, doi:10.3389/fnins.2015.00141"
)
_PEHLE = "Pehle et al. 2022, Frontiers in Neuroscience 16:795876, doi:10.3389/fnins.2022.795876"
_NECKAR = "Neckar et al. 2019, Proc. IEEE 107:144, doi:10.1109/JPROC.2018.2881432, abstract"
_HOPKINS = "Hopkins and Furber 2015, Neural Computation 27:2148, doi:10.1162/NECO_a_00772, abstract"
_RHODES = (
    "Rhodes et al. 2018, Frontiers in Neuroscience 12:816, doi:10.3389/fnins.2018.00816, section 3"
)
_NOT_REREAD = "Quoted from memory: check the publication before you cite it."

_DYNAP_SE = Profile(
    "dynap_se",
    "DYNAP-SE, mixed-signal, subthreshold, 180 nm",
    (
        FanIn(64),
        Mismatch("threshold", 0.2),
        Mismatch("time_constant", 0.2),
        Mismatch("weight", 0.2),
    ),
    (
        Number(
            "Synapses of a neuron",
            "64 words of content-addressable memory",
            f"{_MORADI}; DYNAPSE_CONFIG_NUMCAM_NEU of libcaer",
            _NOT_REREAD,
        ),
        Number(
            "Mismatch of thresholds, time constants and weights",
            "standard deviation about 20 % of the mean",
            _BUCHEL,
            f"The value in their Gaussian model of the chip. {_NOT_REREAD}",
        ),
        Number(
            "Weights",
            "four synapse types per neuron; all neurons of a core share the weight of each",
            _MORADI,
            f"Not an imperfection: weights are chosen in the design of a network. {_NOT_REREAD}",
        ),
        Number("Thermal and flicker noise of the membrane", NOT_PUBLISHED),
        Number("Temperature dependence", NOT_PUBLISHED),
    ),
)

_BRAINSCALES_2 = Profile(
    "brainscales_2",
    "BrainScaleS-2, mixed-signal, above threshold, 65 nm, 1000 times faster than biology",
    (WeightQuantization(bits=7), FanIn(256)),
    (
        Number(
            "Weights",
            "6 bits; the sign is that of the row of synapses",
            f"{_PEHLE}; pynn-brainscales, projections.py (integers from 0 to 63)",
            "63 steps on either side of 0: 7 bits with the sign.",
        ),
        Number(
            "Synapses of a neuron circuit",
            "256 (131,072 synapses, 512 neuron circuits)",
            _PEHLE,
            "Neuron circuits can be joined to have more.",
        ),
        Number(
            "Mismatch before and after calibration",
            NOT_PUBLISHED,
            "",
            "Published as histograms of single parameters, each for one chip, and compensated by "
            "the calibration tool calix; add Mismatch(...) with the values of your chip.",
        ),
        Number("Trial-to-trial noise", NOT_PUBLISHED),
    ),
)

_BRAINDROP = Profile(
    "braindrop",
    "Braindrop and Neurogrid, mixed-signal, subthreshold, 28 nm FDSOI and 180 nm",
    (Mismatch("gain", 0.4, "log_normal"),),
    (
        Number("Neurons", "4096 (Braindrop)", _NECKAR),
        Number(
            "Mismatch of output currents at the same input current",
            "copies of a circuit differ by a factor of up to 10",
            "Brains in Silicon, Stanford, course EE 304 (repository Stanford-BIS/syde556), "
            "lecture 7, How similar is one silicon circuit to another?",
            "Taken as six standard deviations of a log-normal: ln(10) / 6 = 0.38. The range is "
            "from a lecture, not from a measurement.",
        ),
        Number("Standard deviation of gains and biases", NOT_PUBLISHED),
        Number(
            "Temperature",
            "responses are mismatched and temperature-sensitive; compensated for the network",
            _NECKAR,
            "The publication gives no coefficient.",
        ),
        Number("Mismatch of Neurogrid", NOT_PUBLISHED),
    ),
)

_ROLLS = Profile(
    "rolls",
    "ROLLS, mixed-signal, subthreshold, 180 nm",
    (WeightQuantization(bits=3), FanIn(512), Mismatch("gain", 0.094)),
    (
        Number(
            "Mismatch between neurons",
            "9.4 % on average",
            f"{_QIAO}; quoted by open-neuromorphic.org, ROLLS",
            "Which quantity varied was not checked again.",
        ),
        Number(
            "Weights of the programmable synapses",
            "4 levels, excitatory or inhibitory",
            f"{_QIAO}; quoted by open-neuromorphic.org, ROLLS",
            "Three steps on either side of 0: 3 bits with the sign.",
        ),
        Number(
            "Synapses of a neuron",
            "512 (128 K synapses, 256 neurons)",
            f"{_QIAO}, abstract",
        ),
        Number("Mismatch of synapses and time constants", NOT_PUBLISHED),
    ),
)

_SPINNAKER = Profile(
    "spinnaker",
    "SpiNNaker, digital, ARM cores without floating point",
    (WeightQuantization(bits=16), TimeQuantization(step=1.0), FixedPointState()),
    (
        Number("Time step", "1 ms", _HOPKINS),
        Number(
            "State variables of a neuron",
            "32-bit fixed point (s16.15)",
            _HOPKINS,
            "In mV, pA and nS, like the equations.",
        ),
        Number(
            "Weights",
            "16 bits; the sign is that of the receptor",
            "sPyNNaker 7.4, models/neuron/synapse_dynamics/synapse_dynamics_static.py",
            "Scaled by a power of two for each population and receptor.",
        ),
        Number("Lost packets under load", "no fixed rate", _RHODES, "Depends on the network."),
        Number("Device mismatch", "none: it is digital"),
    ),
)

#: name -> profile
PROFILES: Mapping[str, Profile] = MappingProxyType(
    {entry.name: entry for entry in (_BRAINDROP, _BRAINSCALES_2, _DYNAP_SE, _ROLLS, _SPINNAKER)}
)

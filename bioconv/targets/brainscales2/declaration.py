"""Capabilities and limits of BrainScaleS-2, with sources."""

from __future__ import annotations

from bioconv.neurons import LeakyIntegrateAndFire
from bioconv.targets.findings import Verdict
from bioconv.targets.target import Cell, Limit, Loss, Target

_PYNN = "pynn-brainscales, commit fd4f926 of 2026-07"
_CELLS = f"{_PYNN}, standardmodels/cells.py, CalibHXNeuronCuba"
_PROJECTIONS = f"{_PYNN}, projections.py"
_PEHLE = "Pehle et al. 2022, Frontiers in Neuroscience 16:795876, doi:10.3389/fnins.2022.795876"
_ARNOLD = "Arnold et al. 2025, Frontiers in Neuroscience 18:1523331, arXiv:2401.16840"
_CALIX = "calix, tests/hw/py/test_neuron_threshold_calibration.py"
_HXTORCH = "hxtorch, spiking/utils/from_nir.py"

#: equations of the chip's neurons
MODEL = LeakyIntegrateAndFire().model
#: steps of the ADC that reads potentials
LSB = "LSB"
#: rest and reset; threshold (LSB)
REST = Limit((50, 160), LSB, _CELLS)
THRESHOLD = Limit((50, 220), LSB, _CELLS)
REFRACTORY = Limit((0.04, 32.0), "us", _CELLS)
CAPACITANCE = Limit(63, LSB, f"{_CELLS}: 0 to 63, the default is the largest")
GM = Limit((30, 800), "", f"{_CELLS}, i_synin_gm_E and _I: the same in all populations")
GM_DEFAULT = Limit(500, "", _CELLS)
DAC_BIAS = Limit(600, "", f"{_CELLS}, synapse_dac_bias: 30 to 1022, the same in all populations")
WEIGHT = Limit(63, "", f"{_PROJECTIONS}, round_up_63: 6 bits, more over several synapses")
NEURONS = Limit(512, "neurons", _PEHLE)
ROWS = Limit(256, "synapses", f"{_PEHLE}: 131,072 synapses, 512 neuron circuits")
#: largest number of synapses that may be combined for one large weight
MOST_SYNAPSES = 4

#: ms of the model between two steps of the continuous time of the chip
STEP = 0.05
#: largest rate of a spike source, Hz in the time of the model
SOURCE_RATE = 1000.0

#: effect of a spike on the membrane: LSB per microsecond for one unit of weight at GM_DEFAULT.
#: Weight 64 stands for 1 there, raising the membrane by the distance from rest 80 to threshold
#: 150 in a time constant, by default 10 us.
STRENGTH = Limit(
    (150.0 - 80.0) / (64.0 * 10.0), "LSB/us", f"nominal, from {_HXTORCH}: measure your chip"
)

#: standard deviation between neurons of a calibrated chip
SPREAD_THRESHOLD = Limit(4.0, LSB, f"{_CALIX}: at most 5 % lie beyond 8 LSB of the median")
SPREAD_REST = Limit(2.0, LSB, "not published; taken as half that of the threshold")
SPREAD_TIME = Limit(0.05, "of the time constant", "not published; an assumption")
SPREAD_WEIGHT = Limit(0.05, "of the weight", "not published; an assumption")

_COUNT = "Convert with RateCode(readout='count')."


def _no(text: str, source: str, advice: str = "") -> Loss:
    return Loss(Verdict.IMPOSSIBLE, text, source, advice)


def _nearly(text: str, source: str) -> Loss:
    return Loss(Verdict.APPROXIMATED, text, source)


def _analog(kind: str) -> Loss:
    text = f"the {kind} of all outputs cannot be read: the chip has only two analog channels."
    return _no(text, "pynn-brainscales, doc/hx_neuron.rst, State Variables", _COUNT)


TARGET = Target(
    name="brainscales2",
    title="BrainScaleS-2",
    summary="A Python program for pynn_brainscales.brainscales2 with CalibHXNeuronCuba neurons.",
    tested=(
        "constraint-checked, not run on hardware: in CI the program runs against a stand-in for "
        "pynn_brainscales that enforces its constraints; the accuracy comes from the array "
        "simulator with these constraints and an assumed spread between neurons."
    ),
    conversion="Convert with neuron=LeakyIntegrateAndFire(), code=RateCode(readout='count').",
    cells=(
        Cell(
            "CalibHXNeuronCuba",
            MODEL,
            _CELLS,
            stands_for=(
                (
                    LeakyIntegrateAndFire("subtraction").model,
                    "reset to v_reset, so that the excess over the threshold is lost",
                ),
            ),
            bounds={
                "tau_m": Limit((0.5, 60.0), "ms", f"{_CELLS}: microseconds"),
                "tau_syn": Limit((0.3, 30.0), "ms", f"{_CELLS}: microseconds"),
                "t_ref": Limit((0.0, 32.0), "ms", f"{_CELLS}: microseconds, 0 becomes 0.04"),
            },
        ),
    ),
    losses={
        "constant current": _nearly("becomes a shift of the resting potential", _CELLS),
        "initial state": _nearly("potentials start at rest", f"{_PYNN}, populations.py"),
        "random numbers": _no(
            "noise cannot be set: the chip has noise of its own.",
            _PEHLE,
            "Convert with noise='none'.",
        ),
        "analog stage": _no(
            "the chip has neurons and synapses: the host would have to count the spikes of a run, "
            "compute the function, and send its value as input of the next run.",
            _PEHLE,
            "Run it with simulator='array', or export the network without such layers.",
        ),
        "statements after a step": _no("the chip has no registers for such statements.", _PEHLE),
        "mixed signs": Loss(
            Verdict.EXACT, "split into an excitatory and an inhibitory projection", _PROJECTIONS
        ),
        "random release": _no("synapses transmit every spike.", _PEHLE),
        "current input": _nearly(
            "replaced by sources of regular spikes: neurons have no individual input currents",
            _PEHLE,
        ),
        "readout potential": _analog("potential"),
        "readout level": _analog("potential"),
        "readout accumulated_softmax": _analog("potential"),
        "readout softmax": _analog("potential"),
    },
    delay_steps=Limit((1, 1), "step", f"{_PROJECTIONS}: the delay must be 0"),
    fan_in=ROWS,
    facts={
        "neurons per run": NEURONS,
        "larger networks": Limit("layer by layer, in several runs", "", _ARNOLD),
        "time": Limit("1 ms of the model is 1 us on the chip", "", _PEHLE),
        "potentials of rest and reset": REST,
        "threshold": THRESHOLD,
        "refractory period": REFRACTORY,
        "weight of a synapse": Limit((-63, 63), "", WEIGHT.source),
        "strength of synapses": GM,
        "effect of a weight of 1": STRENGTH,
        "recordables": Limit(
            "spikes of all neurons; the potential of one even and one odd neuron",
            "",
            "pynn-brainscales, doc/hx_neuron.rst",
        ),
        "runs": Limit("one after each reset", "", f"{_PYNN}, simulator.py"),
        "calibration": Limit(
            "about five minutes before the first run", "", "pynn-brainscales, doc/calibration.rst"
        ),
        "spread of thresholds": SPREAD_THRESHOLD,
        "spread of rest and reset": SPREAD_REST,
        "spread of time constants": SPREAD_TIME,
        "spread of weights": SPREAD_WEIGHT,
    },
)

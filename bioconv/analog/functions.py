"""All functions that a layer of an analog graph can compute, and a table of them by name."""

from bioconv.analog.attention import AdditiveAttention, Attention, Embedding, MultiHeadAttention
from bioconv.analog.base import Function
from bioconv.analog.combining import Dot, Maximum, Minimum, Multiply
from bioconv.analog.elementwise import (
    Celu,
    CumulativeNormal,
    Elementwise,
    Elu,
    Exponential,
    Float8Rounding,
    Gelu,
    HardSigmoid,
    HardSilu,
    HardTanh,
    IntegerRounding,
    InverseSquareRoot,
    Linear,
    Logarithm,
    LogSigmoid,
    LogSoftmax,
    Mish,
    NotEqual,
    PReLU,
    RectifiedSquare,
    ReLU,
    Rounding,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Softsign,
    Squareplus,
    Tanh,
)
from bioconv.analog.first_spikes import FirstSpikes
from bioconv.analog.measured import FICurve
from bioconv.analog.normalization import (
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from bioconv.analog.pooling import MaxPool
from bioconv.analog.recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    CountingCell,
    Recurrent,
    SimpleRNN,
)
from bioconv.analog.spike_patterns import LevelPatterns, PatternDistances, SpikingUnits
from bioconv.analog.threshold_count import ThresholdCount

_ALL: tuple[type[Function], ...] = (
    AdditiveAttention,
    Attention,
    Bidirectional,
    Celu,
    CountingCell,
    CumulativeNormal,
    Dot,
    Elu,
    Embedding,
    Exponential,
    FICurve,
    FirstSpikes,
    Float8Rounding,
    GRU,
    Gelu,
    HardSigmoid,
    HardSilu,
    HardTanh,
    IntegerRounding,
    InverseSquareRoot,
    LSTM,
    LayerNormalization,
    LevelPatterns,
    Linear,
    LogSigmoid,
    LogSoftmax,
    Logarithm,
    MaxPool,
    Maximum,
    Minimum,
    Mish,
    MultiHeadAttention,
    Multiply,
    NotEqual,
    PReLU,
    PatternDistances,
    RMSNormalization,
    ReLU,
    RectifiedSquare,
    Selu,
    Sigmoid,
    Silu,
    SimpleRNN,
    Softmax,
    Softplus,
    Softsign,
    SpikingUnits,
    Squareplus,
    Tanh,
    ThresholdCount,
    UnitNormalization,
)

#: class name in a file -> function class
FUNCTIONS: dict[str, type[Function]] = {cls.__name__: cls for cls in _ALL}

__all__ = ["FUNCTIONS", "Elementwise", "Function", "Recurrent", "Rounding", *FUNCTIONS]

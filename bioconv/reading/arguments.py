"""The arguments that Keras 1, 2 and 3 write for each layer, with the names of Keras 3.

A configuration with any other key is refused, as Keras refuses it: the key may be a damaged one,
whose true name would take its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bioconv.ground.suggestions import closest
from bioconv.reading.layers import AUGMENTATION, READERS
from bioconv.reading.layers.operations import OPERATIONS
from bioconv.reading.refusal import Refusal
from bioconv.reading.spec import OPERATION, LayerSpec, ModelSpec

Keys = frozenset[str]

_OF_WEIGHTS = ("initializer", "regularizer", "constraint")


def _keys(names: str, *weights: str) -> Keys:
    """Return names, and the settings that each weight has for training."""
    settings = (f"{weight}_{part}" for weight in weights for part in _OF_WEIGHTS)
    return frozenset((*names.split(), *settings))


#: keys of all layers, among them those of the input shape in the first layer of old models
_COMMON = _keys(
    "name trainable dtype dynamic activity_regularizer batch_input_shape batch_shape input_shape "
    "input_dim input_length input_dtype"
)
#: keys of models
MODEL = _keys("name trainable dtype layers input_layers output_layers build_input_shape")
_FUNCTION = _keys("name trainable dtype function")
_ADAPTED = "lora_rank lora_alpha quantization_config"
_CONVOLUTION = (
    "filters kernel_size strides padding data_format dilation_rate groups activation use_bias"
)
_POOLING = _keys("pool_size strides padding data_format")
_RECURRENT = _keys(
    "units activation use_bias unit_forget_bias dropout recurrent_dropout implementation seed "
    "return_sequences return_state go_backwards stateful unroll time_major zero_output_for_mask "
    "cudnn reset_after recurrent_activation",
    "kernel",
    "recurrent",
    "bias",
)
_NORMALIZATION = _keys("axis epsilon center scale", "gamma", "beta")
_DROPOUT = _keys("rate noise_shape seed data_format")
_ATTENTION = _keys("use_scale score_mode dropout seed causal")
_AUGMENTATION = _keys(
    "seed factor mode data_format bounding_box_format fill_mode fill_value interpolation "
    "height_factor width_factor value_range x_factor y_factor scale alpha sigma kernel_size "
    "contrast_factor brightness_factor saturation_factor hue_factor brightness contrast "
    "saturation hue max_value"
)

_ARGUMENTS: Mapping[str, Keys] = {
    "InputLayer": _keys("shape sparse ragged optional"),
    "Dense": _keys(f"units activation use_bias {_ADAPTED}", "kernel", "bias"),
    "EinsumDense": _keys(
        f"equation output_shape activation bias_axes {_ADAPTED}", "kernel", "bias"
    ),
    **{f"Conv{n}D": _keys(f"{_CONVOLUTION} {_ADAPTED}", "kernel", "bias") for n in (1, 2, 3)},
    **{
        f"Conv{n}DTranspose": _keys(
            f"{_CONVOLUTION} {_ADAPTED} output_padding output_shape", "kernel", "bias"
        )
        for n in (1, 2, 3)
    },
    **{
        f"{kind}{n}D": _keys(
            f"{_CONVOLUTION} {_ADAPTED} depth_multiplier",
            "kernel",
            "depthwise",
            "pointwise",
            "bias",
        )
        for kind in ("DepthwiseConv", "SeparableConv")
        for n in (1, 2)
    },
    **{f"{kind}Pooling{n}D": _POOLING for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{
        f"Global{kind}Pooling{n}D": _keys("data_format keepdims")
        for kind in ("Max", "Average")
        for n in (1, 2, 3)
    },
    **{f"ZeroPadding{n}D": _keys("padding data_format") for n in (1, 2, 3)},
    **{f"Cropping{n}D": _keys("cropping data_format") for n in (1, 2, 3)},
    **{f"UpSampling{n}D": _keys("size data_format interpolation") for n in (1, 2, 3)},
    "Flatten": _keys("data_format"),
    "Reshape": _keys("target_shape"),
    "Permute": _keys("dims"),
    "RepeatVector": _keys("n"),
    "BatchNormalization": _NORMALIZATION
    | _keys(
        "momentum synchronized renorm renorm_clipping renorm_momentum virtual_batch_size fused",
        "moving_mean",
        "moving_variance",
    ),
    "LayerNormalization": _NORMALIZATION | {"rms_scaling"},
    "GroupNormalization": _NORMALIZATION | {"groups"},
    "RMSNormalization": _keys("axis epsilon"),
    "UnitNormalization": _keys("axis"),
    "Normalization": _keys("axis mean variance invert input_mean input_variance"),
    "Rescaling": _keys("scale offset"),
    "LayerScale": _keys("init_values projection_dim"),
    "CustomScaleLayer": _keys("scale"),
    "Activation": _keys("activation"),
    "ReLU": _keys("max_value negative_slope threshold"),
    "LeakyReLU": _keys("negative_slope"),
    "ThresholdedReLU": _keys("theta"),
    "ELU": _keys("alpha"),
    "PReLU": _keys("shared_axes", "alpha"),
    "Softmax": _keys("axis"),
    "ClampedReLU": _keys("lowest highest"),
    "FICurve": _keys("curve"),
    "Concatenate": _keys("axis"),
    "Dot": _keys("axes normalize"),
    "ActivityRegularization": _keys("l1 l2"),
    "GaussianNoise": _keys("stddev seed"),
    "Embedding": _keys(f"output_dim mask_zero sparse dropout {_ADAPTED}", "embeddings"),
    "Masking": _keys("mask_value"),
    "Bidirectional": _keys("layer backward_layer merge_mode num_constants"),
    "TimeDistributed": _keys("layer"),
    "Attention": _ATTENTION,
    "AdditiveAttention": _ATTENTION,
    "MultiHeadAttention": _keys(
        "num_heads key_dim value_dim dropout use_bias output_shape attention_axes flash_attention "
        "use_gate sliding_window seed query_shape key_shape value_shape",
        "kernel",
        "bias",
    ),
    **{kind: _RECURRENT for kind in ("LSTM", "GRU", "SimpleRNN")},
    **{
        kind: _DROPOUT
        for kind in (
            "Dropout",
            "SpatialDropout1D",
            "SpatialDropout2D",
            "SpatialDropout3D",
            "AlphaDropout",
            "GaussianDropout",
        )
    },
    **{kind: _AUGMENTATION for kind in AUGMENTATION},
}


def check_arguments(spec: LayerSpec | ModelSpec) -> None:
    """Refuse a layer, or one that it wraps, whose configuration contains an unknown key.

    Raises
    ------
    Refusal
    """
    if isinstance(spec, ModelSpec) or spec.kind not in (*READERS, "InputLayer"):
        return
    operation = OPERATIONS.get(spec.kind.removeprefix(OPERATION))
    if spec.kind.startswith(OPERATION) and operation is not None:
        check_keys(spec.config, _FUNCTION | set(operation.options))
        return
    check_keys(spec.config, _COMMON | _ARGUMENTS.get(spec.kind, frozenset()))
    if spec.inner is not None:
        check_arguments(spec.inner)


def check_keys(given: Iterable[str], known: Keys, owner: str = "this class") -> None:
    """Refuse keys that are not among the known ones of a class or of models."""
    unknown = sorted(set(given) - known)
    if not unknown:
        return
    likely = [match for key in unknown for match in closest(key, sorted(known))]
    meant = f" Similar: {', '.join(map(repr, dict.fromkeys(likely)))}." if likely else ""
    raise Refusal(
        f"its configuration has keys that Keras does not write for {owner}: "
        f"{', '.join(repr(key[:60]) for key in unknown[:5])}.{meant}",
        "If the file is damaged, obtain it again.",
    )

"""Convert layer classes and arguments of Keras 1, Keras 2 and tf.keras to those of Keras 3.

The tables follow ``legacy/interfaces.py`` of Keras 2 (from Keras 1 to 2) and ``legacy/saving`` of
Keras 3 (from 2 to 3).  Values whose meaning has changed are converted too, so that readers do not
depend on the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioconv.reading.config import shown
from bioconv.reading.refusal import Refusal, UnsafeCode
from bioconv.reading.spec import Era

#: old or alias class name -> class name of Keras 3
CLASSES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "AtrousConv1D": "Conv1D",
    "AtrousConv2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "Convolution1DTranspose": "Conv1DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "TimeDistributedDense": "Dense",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "LSTMV1": "LSTM",
    "LSTMV2": "LSTM",
    "GRUV1": "GRU",
    "GRUV2": "GRU",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    # name of a registered class of `bioconv.keras` in HDF5 files
    "bioconv>ClampedReLU": "ClampedReLU",
    "bioconv>FICurve": "FICurve",
}

#: mode of Keras 1's Merge layer -> class of Keras 2 and 3
_MERGE_MODES = {
    "sum": "Add",
    "mul": "Multiply",
    "concat": "Concatenate",
    "ave": "Average",
    "max": "Maximum",
}

#: argument of Keras 1 -> argument of Keras 2 and 3 (the same for all classes)
_KERAS_1 = {
    "nb_filter": "filters",
    "subsample": "strides",
    "subsample_length": "strides",
    "border_mode": "padding",
    "bias": "use_bias",
    "atrous_rate": "dilation_rate",
    "filter_length": "kernel_size",
    "pool_length": "pool_size",
    "stride": "strides",
    "p": "rate",
    "sigma": "stddev",
    "inner_activation": "recurrent_activation",
    "length": "size",
    "concat_axis": "axis",
}
#: classes in which Keras 1 calls the number of units ``output_dim``
_UNITS = ("Dense", "LSTM", "GRU", "SimpleRNN")
#: other arguments that only Keras 1 wrote, and that do not affect predictions
_ONLY_KERAS_1 = (
    "init",
    "inner_init",
    "forget_bias_init",
    "gamma_init",
    "beta_init",
    "W_regularizer",
    "U_regularizer",
    "b_regularizer",
    "W_constraint",
    "U_constraint",
    "b_constraint",
    "depthwise_init",
    "pointwise_init",
    "dropout_W",
    "dropout_U",
    "consume_less",
    "weights",
    "mode",
    "mode_type",
    "dot_axes",
    "output_shape",
    "output_shape_type",
    "output_mask",
    "output_mask_type",
    "arguments",
    "layers",
    "create_input_layer",
)


def upgrade_kind(class_name: str, config: Mapping[str, Any]) -> str:
    """Return the class name in Keras 3 of a layer of any Keras.

    Parameters
    ----------
    class_name : str
        The class name in the file.
    config : mapping
        The configuration in the file, whose mode determines the class of a Merge of Keras 1.

    Raises
    ------
    Refusal
        If the mode of a Merge has no counterpart.
    """
    if class_name != "Merge":
        return CLASSES.get(class_name, class_name)
    mode = config.get("mode", "sum")
    if config.get("mode_type", "raw") != "raw":
        raise UnsafeCode("its mode is Python code, which is never run.", "Use a merge layer.")
    if not isinstance(mode, str) or mode not in _MERGE_MODES:
        known = ", ".join(_MERGE_MODES)
        raise Refusal(f"its mode is {shown(mode)}; expected one of {known}.")
    return _MERGE_MODES[mode]


def upgrade_arguments(class_name: str, config: Mapping[str, Any], era: Era) -> dict[str, Any]:
    """Return the arguments of a layer with the names and meanings of Keras 3.

    Parameters
    ----------
    class_name : str
        The class name in the file.
    config : mapping
        The configuration in the file.
    era : Era

    Returns
    -------
    dict

    Raises
    ------
    Refusal
        If an argument of an old version has no counterpart.
    """
    kind = upgrade_kind(class_name, config)
    new = dict(config)
    if era.keras == 1:
        new = _from_keras_1(kind, new)
    if era.keras < 3:
        new = _from_keras_2(kind, new)
    if class_name.startswith("CuDNN"):
        fixed = {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True}
        new = {**new, **fixed, "cudnn": True}
    axis = new.get("axis")
    if isinstance(axis, list | tuple) and len(axis) == 1:
        new["axis"] = axis[0]
    if kind == "LeakyReLU" and "alpha" in new:
        new["negative_slope"] = new.pop("alpha")
    if new.get("time_major"):
        raise Refusal(
            "time is the first axis of its input (time_major).", "Rebuild it with time_major=False."
        )
    return new


def _from_keras_2(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Convert values that have another meaning in Keras 3."""
    new = dict(config)
    if kind in ("LSTM", "GRU"):
        new.setdefault("recurrent_activation", "hard_sigmoid")
    if kind == "GRU":  # Keras 1 and 2.0 only had the reset before the product
        new.setdefault("reset_after", False)
    for key in ("activation", "recurrent_activation"):
        if key in new:
            new[key] = _old_activation(new[key])
    return new


def _old_activation(value: Any) -> Any:
    """Convert the hard sigmoid clip(0.2 x + 0.5, 0, 1), which is relu6(x + 3) / 6 in Keras 3."""
    inner = value
    if isinstance(value, Mapping):
        inner = value.get("class_name")
        inner = value.get("config") if inner == "function" else inner
    return "keras2_hard_sigmoid" if inner == "hard_sigmoid" else value


def _from_keras_1(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Rename arguments of Keras 1 without changing their values."""
    new = {_KERAS_1.get(key, key): value for key, value in config.items()}
    rows, columns = new.pop("nb_row", None), new.pop("nb_col", None)
    if rows is not None and columns is not None:
        depth = new.pop("kernel_dim1", None)
        new["kernel_size"] = [rows, columns] if depth is None else [depth, rows, columns]
    if kind == "Conv3D" and "kernel_dim1" in new:
        new["kernel_size"] = [new.pop(f"kernel_dim{axis}") for axis in (1, 2, 3)]
    if kind in _UNITS and "output_dim" in new:
        new["units"] = new.pop("output_dim")
    if "dim_ordering" in new:
        order = new.pop("dim_ordering")
        names = {"th": "channels_first", "tf": "channels_last"}
        if order not in names:
            raise Refusal(f"its dim_ordering is {order!r}; only 'th' and 'tf' define the layout.")
        new["data_format"] = names[order]
    if kind == "BatchNormalization" and new.get("mode", 0) != 0:
        raise Refusal(
            f"it is of mode {new.get('mode')!r}, which normalizes with the batch's own statistics.",
            "Train it with mode 0.",
        )
    if kind in _MERGE_MODES.values() and kind != "Concatenate":
        new.pop("axis", None)  # a Merge has an axis in every mode
    if kind.startswith("ZeroPadding"):
        new["padding"] = _padding_of_keras_1(new.get("padding"))
    return {key: value for key, value in new.items() if key not in _ONLY_KERAS_1}


def _padding_of_keras_1(value: Any) -> Any:
    """Convert (top, bottom, left, right), or sides by name, which only Keras 1 accepted."""
    sides = ("top_pad", "bottom_pad", "left_pad", "right_pad")
    if isinstance(value, Mapping):
        two_axes = "top_pad" in value or "bottom_pad" in value
        value = [value.get(side, 0) for side in sides[0 if two_axes else 2 :]]
    if isinstance(value, list | tuple) and len(value) == 4:
        return [[value[0], value[1]], [value[2], value[3]]]
    return value

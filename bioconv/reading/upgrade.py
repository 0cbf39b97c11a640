"""Convert configurations of Keras 1.2 and later to a common form, `ModelSpec`.

Only JSON is read; no classes are looked up or imported, and no code is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bioconv.reading.arguments import MODEL, check_keys
from bioconv.reading.config import Config, shown
from bioconv.reading.nodes import read_call, references
from bioconv.reading.refusal import Refusal, UnsafeCode
from bioconv.reading.spec import OPERATION, Call, Era, LayerSpec, ModelSpec, TensorRef
from bioconv.reading.upgrade_arguments import upgrade_arguments, upgrade_kind

_FUNCTIONAL = ("Functional", "Model")
_KERAS_MODULES = ("keras", "tensorflow", "tf_keras", "keras_core", "builtins")
#: classes whose configuration contains marshalled or serialized Python code
_CODE_CLASSES = ("Lambda", "__lambda__")
_OPERATION_MODULES = ("keras.src.ops", "keras.ops", "keras.src.activations")
_WRAPPERS = ("Bidirectional", "TimeDistributed")
_FLATTENED_ADVICE = (
    "Rebuild it from its tensors: keras.Model(x, model.call(x)) with x = keras.Input(shape)."
)


def upgrade_model(config: Mapping[str, Any], era: Era) -> ModelSpec:
    """Upgrade the configuration of a model.

    Parameters
    ----------
    config : mapping
        The mapping ``{"class_name": ..., "config": ...}`` that Keras writes.
    era : Era

    Returns
    -------
    ModelSpec

    Raises
    ------
    Refusal
        If the model is neither Sequential nor functional, or if its structure cannot be read.
    """
    kind, inner = config.get("class_name"), config.get("config")
    if isinstance(inner, Mapping) and (kind == "Sequential" or kind in _FUNCTIONAL):
        check_keys(inner, MODEL, "a model")
    if kind == "Sequential" and isinstance(inner, Mapping | list):
        return _sequential(inner, era)
    if kind in _FUNCTIONAL and isinstance(inner, Mapping) and "layers" in inner:
        return _functional(inner, era)
    raise Refusal(
        f"the model is of class {shown(kind)}; only Sequential and functional models contain the "
        "connections of their layers.",
        _FLATTENED_ADVICE,
    )


def upgrade_layer(entry: Any, era: Era) -> LayerSpec | ModelSpec:
    """Upgrade the configuration of a layer, or of a model that is used as a layer.

    A layer that cannot be read becomes a `LayerSpec` with a refusal, so that all such layers are
    reported.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
        raise Refusal(f"the entry of a layer has no class_name: {shown(entry)}")
    class_name, config = entry["class_name"], entry.get("config")
    name = _layer_name(entry)
    if class_name == "Sequential" or class_name in _FUNCTIONAL:
        return _nested(entry, name, class_name, era)
    if not isinstance(config, Mapping):
        return LayerSpec(name, class_name, Config({}), "its configuration is not a JSON object.")
    if class_name in _CODE_CLASSES:
        reason = "it contains Python code, which is never run."
        return LayerSpec(name, class_name, Config({}), reason, code=True)
    custom = _custom(entry, class_name)
    if custom:
        return LayerSpec(name, class_name, Config({}), custom)
    try:
        kind = upgrade_kind(class_name, config)
        arguments = Config(upgrade_arguments(class_name, config, era))
        wrapped = upgrade_layer(config.get("layer"), era) if kind in _WRAPPERS else None
    except UnsafeCode as refusal:
        return LayerSpec(name, class_name, Config({}), refusal.reason, code=True)
    except Refusal as refusal:
        return LayerSpec(name, class_name, Config({}), f"{refusal.reason} {refusal.advice}".strip())
    if _is_operation(entry, era):
        function = str(config.get("function", class_name)).split(".")[-1]
        kind = f"{OPERATION}{function.lower().replace(chr(95), '')}"
    shared = entry.get("shared_object_id")
    return LayerSpec(
        name, kind, arguments, inner=wrapped, class_name=class_name, shared=_number(shared)
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


#: layers of Keras 3 whose configurations do not say whether they can be trained
_PLAIN_LAYERS = ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")


def _is_operation(entry: Mapping[str, Any], era: Era) -> bool:
    """Whether the entry is a function such as x + y, rather than a layer.

    HDF5 files of Keras 3 do not contain its module, but unlike a layer it cannot be trained.
    """
    if entry["class_name"] in ("TFOpLambda", "SlicingOpLambda"):
        return True
    if "module" not in entry:
        plain = "trainable" not in entry["config"] and not _is_input(entry)
        return era.keras == 3 and plain and entry["class_name"] not in _PLAIN_LAYERS
    return str(entry["module"]).startswith(_OPERATION_MODULES)


def _nested(entry: Mapping[str, Any], name: str, kind: str, era: Era) -> LayerSpec | ModelSpec:
    try:
        model = upgrade_model(entry, era)
    except Refusal as refusal:
        return LayerSpec(name, kind, Config({}), f"{refusal.reason} {refusal.advice}".strip())
    return replace(model, name=name, shared=_number(entry.get("shared_object_id")))


#: classes of `bioconv.keras`
_OWN = frozenset({"ClampedReLU", "FICurve"})
#: modules of these classes in files; the first two occur in files of older versions
_OWN_MODULES = (None, "bioconv.keras", "bioconv.keras.activations", "bioconv.keras.curves")


def _custom(entry: Mapping[str, Any], class_name: str) -> str:
    """Return the reason if the class is a custom one, which only newer files show, or ""."""
    module = entry.get("module")
    own = class_name.removeprefix("bioconv>") if module in _OWN_MODULES else ""
    if own in _OWN and (own != class_name or module):
        return ""  # its configuration consists of numbers
    if "module" in entry and module is None:  # Keras 3 names the modules of its own classes
        return "it is a custom class."
    if isinstance(module, str) and module.split(".")[0] not in _KERAS_MODULES:
        return f"it is a custom class of the module {shown(module)}."
    registered = entry.get("registered_name")
    if ">" in class_name or (isinstance(registered, str) and ">" in registered):
        return "it is a custom class."
    return ""


def _layer_name(entry: Mapping[str, Any]) -> str:
    config = entry.get("config")
    inside = config.get("name") if isinstance(config, Mapping) else None
    name = entry.get("name") or inside
    if name is None and isinstance(config, list):
        return "sequential"
    if not isinstance(name, str) or not name or not name.isprintable() or len(name) > 512:
        raise Refusal(f"a layer of class {shown(entry.get('class_name'))} has no usable name.")
    return name


def _sequential(config: Mapping[str, Any] | list, era: Era) -> ModelSpec:
    """Read a chain of layers, adding an input layer if the file contains none."""
    entries = config if isinstance(config, list) else config.get("layers")
    if not isinstance(entries, list) or not entries:
        raise Refusal("the model has no layers.")
    extra: list[Any] = []
    if isinstance(entries[0], Mapping) and entries[0].get("class_name") == "Merge":
        return _sequential_after_merge(config, entries, era)
    if not _is_input(entries[0]):
        extra = [_input_entry(entries[0], config)]
    layers: dict[str, LayerSpec | ModelSpec] = {}
    calls: list[Call] = []
    for entry in [*extra, *entries]:
        spec = upgrade_layer(entry, era)
        _add(layers, spec)
        sources = tuple(TensorRef(call.layer) for call in calls[-1:])
        calls.append(Call(spec.name, 0, sources, {}))
    first, last = TensorRef(calls[0].layer), TensorRef(calls[-1].layer)
    return ModelSpec(
        _model_name(config),
        layers,
        tuple(calls),
        (first,),
        (last,),
        class_name="Sequential",
        trainable=_trainable(config),
    )


def _sequential_after_merge(config: Any, entries: list, era: Era) -> ModelSpec:
    """Read a Sequential of Keras 1 whose first layer merges the outputs of other models."""
    merge = entries[0].get("config")
    branches = merge.get("layers") if isinstance(merge, Mapping) else None
    if not isinstance(branches, list) or not branches:
        raise Refusal("its Merge layer has no layers to merge.")
    layers: dict[str, LayerSpec | ModelSpec] = {}
    calls: list[Call] = []
    inputs, merged = [], []
    for branch in branches:
        spec = upgrade_layer(branch, era)
        if not isinstance(spec, ModelSpec) or len(spec.inputs) != 1:
            raise Refusal("its Merge layer joins models that are not Sequential.")
        source = spec.layers.get(spec.inputs[0].layer)
        if not isinstance(source, LayerSpec):
            raise Refusal("its Merge layer joins a model whose input is not an input layer.")
        name = f"{spec.name}_input"
        _add(layers, LayerSpec(name, "InputLayer", source.config))
        _add(layers, spec)
        calls += [Call(name, 0, (), {}), Call(spec.name, 0, (TensorRef(name),), {})]
        inputs.append(TensorRef(name))
        merged.append(TensorRef(spec.name))
    sources = tuple(merged)
    for entry in entries:
        spec = upgrade_layer(entry, era)
        _add(layers, spec)
        calls.append(Call(spec.name, 0, sources, {}))
        sources = (TensorRef(spec.name),)
    return ModelSpec(_model_name(config), layers, tuple(calls), tuple(inputs), sources)


def _model_name(config: Any) -> str:
    name = config.get("name") if isinstance(config, Mapping) else None
    return name if isinstance(name, str) and name.isprintable() and name else "model"


def _trainable(config: Any) -> bool:
    return not isinstance(config, Mapping) or Config(config).flag("trainable", True)


def _add(layers: dict[str, LayerSpec | ModelSpec], spec: LayerSpec | ModelSpec) -> None:
    if spec.name in layers:
        raise Refusal(f"two layers are called {shown(spec.name)}.")
    layers[spec.name] = spec


def _is_input(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("class_name") == "InputLayer"


def _input_entry(first: Any, model: Any) -> dict[str, Any]:
    """Return an input layer for a Sequential without one, from a shape stored elsewhere."""
    shape = _first_shape(first)
    if shape is None and isinstance(model, Mapping):
        shape = model.get("build_input_shape")
    if not isinstance(shape, list | tuple):
        raise Refusal(
            "the model does not contain the shape of its input.",
            "Add keras.Input(shape) as its first layer, or call it once, and save it again.",
        )
    inner = first.get("config") if isinstance(first, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    config = {"batch_shape": list(shape), "name": f"{name or 'model'}_input"}
    return {"class_name": "InputLayer", "config": config}


def _first_shape(entry: Any) -> Any:
    """Return the batch shape from the first layer of an old Sequential, or None."""
    config = entry.get("config") if isinstance(entry, Mapping) else None
    if isinstance(config, list):  # Keras 1 and 2.0: a bare list of layers
        return _first_shape(config[0]) if config else None
    if not isinstance(config, Mapping):
        return None
    for key in ("batch_input_shape", "batch_shape"):
        if config.get(key) is not None:
            return config[key]
    if config.get("input_shape") is not None:
        return [None, *_as_list(config["input_shape"])]
    if isinstance(config.get("layers"), list) and config["layers"]:
        return _first_shape(config["layers"][0])
    if config.get("input_dim") is None:
        return None
    length = config.get("input_length")
    if entry.get("class_name") == "Embedding":
        return [None, *_as_list(length)]
    return (
        [None, length, config["input_dim"]]
        if "input_length" in config
        else [
            None,
            config["input_dim"],
        ]
    )


def _as_list(value: Any) -> list:
    return list(value) if isinstance(value, list | tuple) else [value]


def _functional(config: Mapping[str, Any], era: Era) -> ModelSpec:
    entries = config["layers"]
    if not isinstance(entries, list) or not entries:
        raise Refusal("the model has no layers.")
    layers: dict[str, LayerSpec | ModelSpec] = {}
    calls: list[Call] = []
    for entry in entries:
        spec = upgrade_layer(entry, era)
        _add(layers, spec)
        nodes = entry.get("inbound_nodes") or []
        if not isinstance(nodes, list):
            raise Refusal(f"the inputs of layer {shown(spec.name)} are not a list.")
        if not nodes and not _is_input(entry):
            raise Refusal(f"layer {shown(spec.name)} is not connected to any other.")
        calls += [read_call(spec.name, i, node) for i, node in enumerate(nodes or [[]])]
    inputs = tuple(references(config.get("input_layers")))
    outputs = tuple(references(config.get("output_layers")))
    if not inputs or not outputs:
        raise Refusal("the model does not define which of its layers are inputs and outputs.")
    name, trainable = _model_name(config), _trainable(config)
    return _renumbered(ModelSpec(name, layers, tuple(calls), inputs, outputs, trainable=trainable))


def _renumbered(model: ModelSpec) -> ModelSpec:
    """Number the calls of every layer from 0.

    A model that is used as a layer was called once when it was built.  Some versions of Keras count
    this call, so that the first call in the model has the number 1.
    """
    lowest: dict[str, int] = {}
    references = [ref for call in model.calls for ref in call.sources]
    for ref in [*references, *model.outputs, *model.inputs]:
        lowest[ref.layer] = min(lowest.get(ref.layer, ref.node), ref.node)
    nested = {name for name, spec in model.layers.items() if isinstance(spec, ModelSpec)}

    def new(value: Any) -> Any:
        if not isinstance(value, TensorRef) or value.layer not in nested:
            return value
        return TensorRef(value.layer, value.node - lowest[value.layer], value.tensor)

    calls = tuple(
        Call(
            call.layer,
            call.node,
            tuple(new(value) for value in call.args),
            {key: new(value) for key, value in call.kwargs.items()},
        )
        for call in model.calls
    )
    outputs = tuple(new(ref) for ref in model.outputs)
    return replace(model, calls=calls, outputs=outputs)

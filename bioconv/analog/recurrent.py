"""Recurrent layers as Keras computes them after training.

Inputs are a sequence of shape (steps, features) and, optionally, a mask of shape (steps,).  The
state does not change in steps for which the mask is 0.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
from jax import lax
from numpy.typing import NDArray

from bioconv.analog.base import Function
from bioconv.analog.elementwise import Elementwise, Sigmoid, Tanh
from bioconv.ground.errors import ParameterError
from bioconv.operators import LEAF, Array, register

State = tuple[Array, ...]
#: function from the name of a part of a cell, such as a gate, and its input to its value
Respond = Callable[[str, Array], Array]


class Recurrent(Function):
    """A recurrent cell that processes a sequence.

    Subclasses have the fields ``kernel``, ``recurrent_kernel``, ``return_sequences``,
    ``go_backwards`` and ``zero_output_for_mask``.  The first entry of the state is the output.
    """

    kernel: NDArray
    recurrent_kernel: NDArray
    return_sequences: bool
    go_backwards: bool
    zero_output_for_mask: bool
    #: number of arrays in the state
    n_states: int = 1

    @abstractmethod
    def drive(self, x: Array) -> Array:
        """Return the contribution of the input in all steps, (batch, steps, gates * units)."""

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, Elementwise]:
        """The activations inside the cell, by the name of the part that has it."""

    @abstractmethod
    def step(self, state: State, drive: Array, respond: Respond) -> State:
        """Return the state after one step; ``respond`` is called once for each part."""

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.recurrent_kernel.shape[0])

    def apply(self, inputs: Sequence[Array]) -> Array:
        parts = self.parts
        return self.run(inputs, lambda part, x: parts[part].value(x))[0]

    def run(
        self, inputs: Sequence[Array], respond: Respond, *, trace: bool = False
    ) -> tuple[Array, dict[str, Array]]:
        """Process the sequence with other activations inside the cell.

        Parameters
        ----------
        inputs : sequence of array
            A sequence (batch, steps, features) and, optionally, a mask (batch, steps).
        respond : function of str and array
            Replacement for the cell's own activations.
        trace : bool
            Whether to return the input of every part in every step.

        Returns
        -------
        output : array
            The output as returned by `apply`.
        traces : dict of str to array, shape (batch, steps, units)
            By part, in the order of the input's steps; empty without ``trace``.
        """
        x, *rest = inputs
        drive = jnp.moveaxis(self.drive(x), 1, 0)
        mask = jnp.ones(drive.shape[:2], bool) if not rest else jnp.moveaxis(rest[0], 1, 0) != 0
        start = jnp.zeros((x.shape[0], self.recurrent_kernel.shape[0]), drive.dtype)

        # the output of a masked last step is zero instead of the state, so all outputs are needed
        wants_all = self.return_sequences or self.zero_output_for_mask

        def advance(state: State, now: tuple[Array, Array]) -> tuple[State, Any]:
            value, real = now[0], now[1][:, None]
            heard: dict[str, Array] = {}

            def listen(part: str, x: Array) -> Array:
                heard[part] = x
                return respond(part, x)

            new = self.step(state, value, listen)
            kept = tuple(jnp.where(real, a, b) for a, b in zip(new, state, strict=True))
            seen = jnp.where(real, new[0], 0) if self.zero_output_for_mask else kept[0]
            return kept, (seen if wants_all else None, heard if trace else {})

        state, (outputs, traces) = lax.scan(
            advance, (start,) * self.n_states, (drive, mask), reverse=self.go_backwards
        )
        traces = {part: jnp.moveaxis(values, 0, 1) for part, values in traces.items()}
        if not wants_all:
            return state[0], traces
        if self.go_backwards:  # Keras returns the outputs in the order of computation
            outputs = outputs[::-1]
        return (jnp.moveaxis(outputs, 0, 1) if self.return_sequences else outputs[-1]), traces


def _affine(x: Array, kernel: Array, bias: Array | None) -> Array:
    y = x @ jnp.asarray(kernel)
    return y if bias is None else y + bias


@register
@dataclass(frozen=True, eq=False)
class SimpleRNN(Recurrent):
    """h' = activation(x W + b + h U).

    Parameters
    ----------
    kernel : ndarray, shape (features, units)
    recurrent_kernel : ndarray, shape (units, units)
    bias : ndarray, shape (units,), or None
    activation : Elementwise
    return_sequences, go_backwards, zero_output_for_mask : bool
        As in Keras.
    """

    kernel: NDArray = field(metadata=LEAF)
    recurrent_kernel: NDArray = field(metadata=LEAF)
    bias: NDArray | None = field(default=None, metadata=LEAF)
    activation: Elementwise = field(default=Tanh(), metadata=LEAF)
    return_sequences: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False

    def drive(self, x: Array) -> Array:
        return _affine(x, self.kernel, self.bias)

    @property
    def parts(self) -> Mapping[str, Elementwise]:
        return {"state": self.activation}

    def step(self, state: State, drive: Array, respond: Respond) -> State:
        return (respond("state", drive + state[0] @ self.recurrent_kernel),)


@register
@dataclass(frozen=True, eq=False)
class LSTM(Recurrent):
    """Long short-term memory, with gates in Keras's order input, forget, candidate, output.

    Parameters
    ----------
    kernel : ndarray, shape (features, 4 * units)
    recurrent_kernel : ndarray, shape (units, 4 * units)
    bias : ndarray, shape (4 * units,), or None
    activation : Elementwise
        Function of the candidate (part "carry") and of the cell state in the output (part
        "hidden").
    recurrent_activation : Elementwise
        Function of the gates (parts "input", "forget", "output").
    return_sequences, go_backwards, zero_output_for_mask : bool
        As in Keras.
    """

    kernel: NDArray = field(metadata=LEAF)
    recurrent_kernel: NDArray = field(metadata=LEAF)
    bias: NDArray | None = field(default=None, metadata=LEAF)
    activation: Elementwise = field(default=Tanh(), metadata=LEAF)
    recurrent_activation: Elementwise = field(default=Sigmoid(), metadata=LEAF)
    return_sequences: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False

    n_states = 2

    def drive(self, x: Array) -> Array:
        return _affine(x, self.kernel, self.bias)

    @property
    def parts(self) -> Mapping[str, Elementwise]:
        gates = dict.fromkeys(("input", "forget", "output"), self.recurrent_activation)
        return {**gates, "carry": self.activation, "hidden": self.activation}

    def step(self, state: State, drive: Array, respond: Respond) -> State:
        output, cell = state
        gates = jnp.split(drive + output @ self.recurrent_kernel, 4, axis=-1)
        write, keep, candidate, show = gates
        kept = respond("forget", keep) * cell
        cell = kept + respond("input", write) * respond("carry", candidate)
        return respond("output", show) * respond("hidden", cell), cell


@register
@dataclass(frozen=True, eq=False)
class GRU(Recurrent):
    """Gated recurrent unit, with gates in Keras's order update, reset, candidate.

    Parameters
    ----------
    kernel : ndarray, shape (features, 3 * units)
    recurrent_kernel : ndarray, shape (units, 3 * units)
    bias : ndarray, or None
        Input and recurrent biases of shape (2, 3 * units) if ``reset_after``, else a bias of shape
        (3 * units,).
    activation : Elementwise
        Function of the candidate.
    recurrent_activation : Elementwise
        Function of the gates.
    reset_after : bool
        Whether the reset gate acts after the recurrent matrix (Keras 2 and 3) or before (Keras 1).
    return_sequences, go_backwards, zero_output_for_mask : bool
        As in Keras.
    """

    kernel: NDArray = field(metadata=LEAF)
    recurrent_kernel: NDArray = field(metadata=LEAF)
    bias: NDArray | None = field(default=None, metadata=LEAF)
    activation: Elementwise = field(default=Tanh(), metadata=LEAF)
    recurrent_activation: Elementwise = field(default=Sigmoid(), metadata=LEAF)
    reset_after: bool = True
    return_sequences: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False

    def drive(self, x: Array) -> Array:
        bias = self.bias if self.bias is None or not self.reset_after else self.bias[0]
        return _affine(x, self.kernel, bias)

    @property
    def parts(self) -> Mapping[str, Elementwise]:
        gates = dict.fromkeys(("update", "reset"), self.recurrent_activation)
        return {**gates, "candidate": self.activation}

    def step(self, state: State, drive: Array, respond: Respond) -> State:
        (output,) = state
        n_units = output.shape[-1]
        matrix = jnp.asarray(self.recurrent_kernel)
        if self.reset_after:
            back = _affine(output, matrix, None if self.bias is None else self.bias[1])
        else:
            back = output @ matrix[:, : 2 * n_units]
        both = drive[:, : 2 * n_units] + back[:, : 2 * n_units]
        update, reset = respond("update", both[:, :n_units]), respond("reset", both[:, n_units:])
        if self.reset_after:
            recurrent = reset * back[:, 2 * n_units :]
        else:
            recurrent = (reset * output) @ matrix[:, 2 * n_units :]
        candidate = respond("candidate", drive[:, 2 * n_units :] + recurrent)
        return (update * output + (1 - update) * candidate,)


@register
@dataclass(frozen=True, eq=False)
class CountingCell(Function):
    """A recurrent layer with populations of neurons in place of some parts (mueller Fig 5.2).

    Products of gates and states stay analog.

    Parameters
    ----------
    cell : Recurrent
    replaced : tuple of str
        Names of `Recurrent.parts`.
    functions : tuple of Elementwise
        Replacements in the same order; see `bioconv.analog.functions.ThresholdCount`.
    """

    cell: Recurrent = field(metadata=LEAF)
    replaced: tuple[str, ...] = ()
    functions: tuple[Elementwise, ...] = field(default=(), metadata=LEAF)

    @property
    def parts(self) -> Mapping[str, Elementwise]:
        """The activations inside the cell, by the name of the part that has it."""
        return {**self.cell.parts, **dict(zip(self.replaced, self.functions, strict=True))}

    @property
    def return_sequences(self) -> bool:
        """As in Keras."""
        return self.cell.return_sequences

    def apply(self, inputs: Sequence[Array]) -> Array:
        return self.trace(inputs, wanted=False)[0]

    def trace(
        self, inputs: Sequence[Array], *, wanted: bool = True
    ) -> tuple[Array, dict[str, Array]]:
        """Return the output, and the input of every part in every step; see `Recurrent.run`."""
        parts = self.parts
        return self.cell.run(inputs, lambda part, x: parts[part].value(x), trace=wanted)


@register
@dataclass(frozen=True, eq=False)
class Bidirectional(Function):
    """Two recurrent layers that process the same sequence forwards and backwards.

    Parameters
    ----------
    forward, backward : Recurrent
        ``go_backwards`` of ``backward`` is opposite to that of ``forward``, as in Keras.
    merge : {"concat", "sum", "ave", "mul"}
    """

    forward: Recurrent | CountingCell = field(metadata=LEAF)
    backward: Recurrent | CountingCell = field(metadata=LEAF)
    merge: str = "concat"

    def __post_init__(self) -> None:
        if self.merge not in ("concat", "sum", "ave", "mul"):
            raise ParameterError(
                f'Bidirectional: merge must be "concat", "sum", "ave" or "mul". '
                f"Received: {self.merge!r}"
            )

    def apply(self, inputs: Sequence[Array]) -> Array:
        ahead, back = self.forward.apply(inputs), self.backward.apply(inputs)
        if self.forward.return_sequences:
            back = back[:, ::-1]
        match self.merge:
            case "concat":
                return jnp.concatenate([ahead, back], axis=-1)
            case "sum":
                return ahead + back
            case "ave":
                return (ahead + back) / 2
            case _:
                return ahead * back

"""Noise of the input current and of the membrane potential for any neuron."""

from __future__ import annotations

from dataclasses import replace

from bioconv.ground.errors import ParameterError
from bioconv.neurons.language import roles
from bioconv.neurons.language.additions import free_names, membrane_of, name_of
from bioconv.neurons.language.model import UNITS, NeuronModel, Parameter
from bioconv.neurons.language.neuron import Neuron, Value
from bioconv.neurons.language.substitution import substitute

#: names that noise adds to a model, if they are not used already
SIGMA, NOISE = "sigma_noise", "i_noise"
SIGMA_MEMBRANE, SLOPE_NOISE = "sigma_membrane", "slope_noise"


def with_noise(neuron: Neuron, sigma: Value) -> Neuron:
    """Return the neuron with white noise added to its input current.

    In every step of ``dt``, each neuron receives an independent current, drawn from a normal
    distribution with standard deviation ``sigma sqrt(1 ms / dt)``.  The mean current over 1 ms then
    has the standard deviation ``sigma`` for any time step.

    Parameters
    ----------
    neuron : Neuron
        Any neuron whose model takes a constant input current.
    sigma : float or ndarray
        Standard deviation in pA (dimensionless for a dimensionless model), which becomes the
        parameter ``sigma_noise`` of the new model, with the role "noise current".

    Returns
    -------
    Neuron
        Neuron with the model ``NAME_noisy``.  For a neuron that already has such noise, sigma is
        replaced.

    Raises
    ------
    ParameterError
        If the model takes no current, or if sigma is negative or not a number.

    Examples
    --------
    >>> from bioconv import neurons
    >>> noisy = neurons.with_noise(neurons.LeakyIntegrateAndFire(), 50.0)
    >>> noisy.value("sigma_noise")
    50.0
    """
    model = neuron.model
    if not model.role(roles.NOISE_CURRENT):
        model = _noisy(model)
    name = model.role(roles.NOISE_CURRENT)
    return replace(neuron, model=model, parameters={**neuron.parameters, name: sigma})


def with_membrane_noise(model: NeuronModel) -> NeuronModel:
    """Return the model with white noise on its membrane potential, independent of input currents.

    In every step of ``dt``, an independent normal contribution with standard deviation
    ``sigma_membrane sqrt(1 ms / dt)`` is added to the slope of each potential: the potential of a
    perfect integrator performs a random walk with the standard deviation
    ``sigma_membrane sqrt(T / 1 ms)`` ms in the time T.

    Parameters
    ----------
    model : NeuronModel
        A model with one membrane potential, in mV.

    Returns
    -------
    NeuronModel
        Model ``NAME_fluctuating`` with the parameter ``sigma_membrane`` (mV/ms, with the role
        "noise slope"), which is 0 by default.  A model that already has this noise is returned
        unchanged.

    Raises
    ------
    ParameterError
        If the model does not have exactly one membrane potential in mV.
    """
    if model.role(roles.NOISE_SLOPE):
        return model
    potential = membrane_of(model)
    if not potential:
        reason = "it does not have one membrane potential in mV"
        raise ParameterError(f"{model.name} cannot get noise on its membrane: {reason}.")
    sigma, slope = free_names(model, SIGMA_MEMBRANE, SLOPE_NOISE)
    noise = f"{slope} = {sigma} * sqrt(ms / dt) * randn()"
    rewritten = [
        replace(e, expression=f"({e.expression}) + {slope}") if e.name == potential else e
        for e in model.parsed_equations
    ]
    meaning = "Standard deviation of the mean slope of the noise over 1 ms"
    return replace(
        model,
        name=name_of(model, "fluctuating"),
        equations="\n".join(
            [f"{noise} : volt/second (constant over dt)", *(e.text for e in rewritten)]
        ),
        parameters=(
            *model.parameters,
            Parameter(sigma, 0.0, "mV/ms", meaning, (0.0, 1e12), role=roles.NOISE_SLOPE),
        ),
        standard_cell="",
    )


def _noisy(model: NeuronModel) -> NeuronModel:
    if not model.current:
        raise ParameterError(f"{model.name} cannot get a noise current: it takes no current.")
    sigma, current = free_names(model, SIGMA, NOISE)
    unit = model.parameter(model.current).unit
    noise = f"{current} = {sigma} * sqrt(ms / dt) * randn() : {UNITS[unit][1]} (constant over dt)"
    total = f"{model.current} + {current}"
    rewritten = [
        replace(e, expression=substitute(e.expression, model.current, total))
        for e in model.parsed_equations
    ]
    meaning = "Standard deviation of the mean noise current over 1 ms"
    return replace(
        model,
        name=name_of(model, "noisy"),
        equations="\n".join([noise, *(equation.text for equation in rewritten)]),
        parameters=(
            *model.parameters,
            Parameter(sigma, 0.0, unit, meaning, (0.0, 1e12), role=roles.NOISE_CURRENT),
        ),
        standard_cell="",
    )

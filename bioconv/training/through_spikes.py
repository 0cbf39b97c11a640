"""Training of spiking networks through the equations of their neurons, spike by spike.

The gradient of a loss is propagated through the update of every neuron and synapse, the same that
the array simulator runs, in all steps of a sample.  Only the threshold has a surrogate derivative
(Neftci, Mostafa and Zenke 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioconv.ground.digests import digest_of
from bioconv.network import Population, SpikingNetwork
from bioconv.network.agreement import without_expectation
from bioconv.neurons.language import roles
from bioconv.neurons.language.evaluation import Comparison
from bioconv.neurons.language.update import update_of
from bioconv.simulators.array.differentiable import outcome, plan_of
from bioconv.simulators.array.plan import Plan
from bioconv.simulators.settings import Settings, check_data, settings_of
from bioconv.training.loop import fit
from bioconv.training.objective import Objective, check_network, labels_of
from bioconv.training.options import Training
from bioconv.training.surrogate import Surrogate
from bioconv.training.trainable import BIAS, WEIGHTS, Trainable, last_value

Array = Any

#: approximate memory of the signals in one chunk of steps
_CHUNK_BYTES = 1 << 24


def finetune_spikes(
    network: SpikingNetwork,
    x: ArrayLike | Mapping[str, ArrayLike],
    y: ArrayLike | None = None,
    *,
    options: Training | None = None,
    surrogate: Surrogate | None = None,
    loss: str = "none",
    distillation: float = 1.0,
    trainable: Sequence[str] = (WEIGHTS, BIAS),
    n_steps: int | None = None,
    dtype: str = "float32",
    chunk_bytes: int = _CHUNK_BYTES,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> SpikingNetwork:
    """Train a spiking network through the equations of its neurons.

    Parameters
    ----------
    network : SpikingNetwork
        A network without loops, of any neurons.
    x : ndarray of shape (n_samples, *input shape), or mapping of input names to such arrays
    y : ndarray of int, shape (n_samples,), optional
        Labels, for the loss "cross_entropy".
    options : Training, optional
        The learning rate is relative to the root mean square of each array of weights, and to the
        current that represents the scale of a layer.  Default: ``Training(epochs=1,
        batch_size=16, learning_rate=0.003)``.
    surrogate : Surrogate, optional
        Derivative of the threshold.
    loss : {"cross_entropy", "soft_labels", "mean_squared_error", "none"}
        Loss of the outputs at the end of a sample: the cross-entropy of the labels, or of the
        outputs of the analog network as soft labels (Hinton, Vinyals and Dean 2015), the mean
        squared distance from these outputs, or none.
    distillation : float
        Weight of a second loss, the squared distance of the rates of each layer from the
        activations of the analog network, in units of the scale of the layer, averaged over
        layers.  If it is the only loss, the derivative of the rates of a layer passes through its
        own neurons and synapses, and not through the layers before it, which have targets of their
        own.

        With a few hundred samples, distillation alone keeps what the network has learnt from many
        more, while the labels of samples that it already classifies make it forget.
    trainable : sequence of str
        "weights", "bias" (constant currents), and roles of parameters such as "threshold" or
        "time constant" (`bioconv.neurons.language.roles`).  A parameter that changes within a
        sample is trained in the value that it has at the end.  Absent synapses stay absent, and the
        weights of a receptor of one sign keep it.
    n_steps : int, optional
        Steps per sample during training; by default those of the network.
    dtype : {"float32", "float64"}
        Precision of the simulation.
    chunk_bytes : int
        Approximate memory for the signals of the steps whose derivatives are computed together.
    checkpoint : str or Path, optional
        File in which the run is stored, and from which it continues; see `bioconv.training.fit`.
    progress : bool

    Returns
    -------
    SpikingNetwork
        A network with the trained values.  Weights on a grid are on the same grid.

    Raises
    ------
    ParameterError
        If the network cannot be trained, or arguments are invalid; the message lists the reasons.
    DataError
        If samples or labels cannot be used, or if the checkpoint belongs to another run.
    TrainingError
        If the loss is no longer finite.

    Examples
    --------
    >>> import numpy as np, bioconv as bc
    >>> from bioconv.models import weights_path
    >>> from bioconv.training import Training, finetune_spikes
    >>> x = np.random.default_rng(0).random((20, 8, 8, 1))
    >>> network = bc.convert(weights_path("digits_cnn"), calibration=x, n_steps=30)
    >>> options = Training(epochs=1, batch_size=10, learning_rate=1e-3)
    >>> tuned = finetune_spikes(network, x, options=options, progress=False)
    >>> tuned.n_synapses == network.n_synapses
    True
    """
    run = Run.of(
        network,
        options or Training(epochs=1, batch_size=16, learning_rate=0.003),
        surrogate or Surrogate(),
        trainable,
        loss,
        distillation,
        n_steps,
        dtype,
        chunk_bytes,
    )
    data = check_data(network, x)
    n_samples = len(next(iter(data.values())))
    labels = labels_of(run.objective, None if y is None else np.asarray(y), n_samples)
    fitted = fit(
        run.loss(n_samples),
        run.trainable.start(),
        (),
        {"data": data, "sample": np.arange(n_samples)},
        labels,
        run.options,
        dtype="float64",  # of the trained values; the simulation has its own
        project=run.trainable.project,
        checkpoint=checkpoint,
        record=run.record(),
        progress=progress,
        updates=1,
    )
    code = {
        **without_expectation(network.code),
        "trained_through_spikes_epochs": run.options.epochs,
    }
    return run.trainable.network_of(fitted.parameters).replace(code=code)


@dataclass(frozen=True)
class Run:
    """A network with everything that is needed to compute gradients of its spikes.

    Parameters
    ----------
    trainable : Trainable
    plan : Plan
    objective : Objective
    options : Training
    surrogate : Surrogate
    """

    trainable: Trainable
    plan: Plan
    objective: Objective
    options: Training
    surrogate: Surrogate

    @staticmethod
    def of(
        network: SpikingNetwork,
        options: Training,
        surrogate: Surrogate,
        trainable: Sequence[str],
        loss: str,
        distillation: float,
        n_steps: int | None,
        dtype: str,
        chunk_bytes: int,
    ) -> Run:
        """Prepare a run; see `finetune_spikes`."""
        settings = settings_of(
            network,
            simulator="array",
            steps=n_steps,
            duration=None,
            record={p.name: ("counts",) for p in network.populations if p.model.threshold},
            batch_size=options.batch_size,
            dtype=dtype,
            seed=options.seed,
            progress=False,
        )
        objective = Objective(network, loss, distillation, settings.n_steps, settings.dtype)
        check_network(objective)
        # Without a loss of the outputs, every layer has a target of its own.
        plan = _plan(network, settings, surrogate, chunk_bytes, local=loss == "none")
        return Run(Trainable.of(network, trainable), plan, objective, options, surrogate)

    def outcome(self, variables: Sequence[Array], data: dict[str, Array], images: Array) -> Any:
        """Return counts and potentials of a batch; see `bioconv.simulators.array.differentiable`.

        Parameters
        ----------
        variables : sequence of array
            The trained variables (`Trainable.start`).
        data : dict of str to array, shape (batch, *input shape)
        images : array of int, shape (batch,)
        """
        parts = self.trainable.parts(variables)
        n_steps, seed = self.objective.n_steps, self.options.seed
        return outcome(parts, self.plan, data, images, n_steps, seed)

    def loss(self, n_samples: int) -> Any:
        """Return the `bioconv.training.loop.Loss` of a run with this number of samples."""
        most = np.iinfo(np.int32).max // n_samples

        def of_batch(variables: Any, state: Any, x: Any, y: Array, key: Array) -> Any:
            # New random numbers in each update, as for other samples of a simulation.
            images = x["sample"] + n_samples * jax.random.randint(key, (), 0, most)
            found = self.outcome(variables, x["data"], images)
            total, parts = self.objective(found, x["data"], y)
            return total, (state, parts)

        return of_batch

    def record(self) -> dict[str, Any]:
        """Return everything that a run depends on besides options and data, as plain values."""
        network = self.trainable.network
        trained = [(e.field, e.index, e.part, e.unit, e.start) for e in self.trainable.entries]
        return {
            "network": network.name,
            "code": dict(network.code),
            "trained": digest_of(trained),
            "plan": repr(self.plan),
            "surrogate": asdict(self.surrogate),
            "loss": [self.objective.loss, self.objective.distillation, self.objective.n_steps],
        }


def _plan(
    network: SpikingNetwork,
    settings: Settings,
    surrogate: Surrogate,
    chunk_bytes: int,
    local: bool,
) -> Plan:
    """Return the plan of a run with surrogate derivatives."""
    compare = {
        population.name: comparison(network, population, surrogate, settings.n_steps)
        for population in network.populations
        if population.model.threshold
    }
    return plan_of(network, settings, compare, chunk_bytes, local)


def comparison(
    network: SpikingNetwork, population: Population, surrogate: Surrogate, n_steps: int
) -> Comparison:
    """Return the surrogate derivative of the threshold of a population.

    Parameters
    ----------
    network : SpikingNetwork
    population : Population
    surrogate : Surrogate
    n_steps : int
        Steps of a sample.
    """
    model = population.model
    values = {p.name: last_value(network, population, p.name)[2] for p in model.parameters}
    flat = {name: _flat(value, population) for name, value in values.items()}
    update = update_of(model)
    with jax.enable_x64(True):
        constants = {**update.constants(flat, network.dt), "t": 0.0}
        state = {s.name: jnp.asarray(population.starts(s.name)) for s in model.states}
        distances = np.asarray(update.margin(state, constants))
        lasting = model.kind == roles.SPIKING and update.passes_reset(state, constants)
    relay = model.kind in (roles.MAX_GATE, roles.AXON)
    per_step = 1.0 if relay else population.max_rate * network.dt * 1e-3
    later = max(0.5 * per_step * n_steps, 1.0) if lasting else 1.0
    some = distances[distances > 0]
    return surrogate.at(float(np.median(some)) if some.size else 1.0, per_step / later)


def _flat(value: Any, population: Population) -> NDArray[np.float64]:
    array = np.asarray(value, np.float64)
    return np.broadcast_to(array, population.shape).reshape(-1) if array.ndim else array

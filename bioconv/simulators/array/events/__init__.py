"""The engine "events": loops compiled by Numba, which follow spikes instead of all neurons.

Numba was chosen over C, generated and compiled as for NEST, because its wheels contain the
compiler.  It is an optional part (``pip install 'bioconv[events]'``), because it is large and
follows new versions of Python and NumPy late; without it the dense engine runs everything.

`rows` turns operators into what a spike adds, `program` writes the loop of a population from the
equations of its neurons, and `engine` runs batches on all cores.
"""

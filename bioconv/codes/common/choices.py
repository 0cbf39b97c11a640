"""Values that the options of codes offer, apart from the modules that work with them.

Codes are declared with them, and listing the codes must not load what converts networks.
"""

#: sets of activations over which a percentile may be taken
OVER = ("positive", "all")
#: values that are scaled to the threshold
NORMALIZATIONS = ("peak", "bound", "activation")
#: share of the duration of a sample after which the outputs of neurons with a measured curve are
#: read
SETTLE = 0.2

"""Networks of affine maps and functions of one variable only, for codes that carry no others.

A product is a difference of squares, xy = ((x + y)² - (x - y)²) / 4; a softmax is an exponential
minus the logarithm of a sum; a normalization is a product with an inverse square root.  Attention
and everything else that several values enter is made of these.
"""

from bioconv.codes.pointwise.expanding import expand, expanded_for

__all__ = ["expand", "expanded_for"]

"""What the record of a network says about how well it is expected to agree with the analog one."""

from __future__ import annotations

from collections.abc import Mapping

Plain = str | int | float | bool

#: agreement below which a conversion warns, and from which on no layer is named that loses most
ENOUGH = 0.99
#: deviation of the outputs above which a conversion warns
MOST_DEVIATION = 0.02
#: key of the record for the share of decisions that are expected to stay the same
AGREEMENT = "expected_agreement"
#: key for the expected deviation of the outputs: root mean square, as a share of their range
DEVIATION = "expected_deviation"
#: key for the layer that loses most
WEAKEST = "weakest_layer"
#: key for the number of samples of the run that found it; 0 if a run would have taken too long
RUN = "expected_from"


def without_expectation(record: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return the record of a network without what was expected of it before it was changed."""
    known = (AGREEMENT, DEVIATION, WEAKEST, RUN)
    return {key: value for key, value in record.items() if key not in known}

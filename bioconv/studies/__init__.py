"""Studies of one trained network: many conversions, resumed after an interruption, tabulated."""

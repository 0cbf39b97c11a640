"""Studies of one trained network: tables of many conversions, with resumable runs."""

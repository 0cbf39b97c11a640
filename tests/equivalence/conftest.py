"""Simulations that several tests compare: each runs once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

import bioconv as bc
from bioconv.network import SpikingNetwork
from bioconv.recording import Recording
from tests.equivalence import networks

"""Configuration of the documentation: ``sphinx-build -W -b html docs docs/_build``."""

import logging
import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "agg")
sys.path[:0] = [str(Path(__file__).parent / "extension"), str(Path(__file__).parents[1])]
# A package of the theme configures logging when it is imported.
logging.getLogger("bioconv").setLevel(logging.WARNING)

project = "bioconv"
author = "The bioconv developers"
release = version = version_of("bioconv")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "bioconv_pages",
]
exclude_patterns = ["_build", "jupyter_execute"]
default_role = "py:obj"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# The tutorials are run, also when only the library has changed; a cell that fails ends the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"bioconv {release}"
html_static_path = ["_static"]
html_css_files = ["bioconv.css"]
html_show_copyright = False

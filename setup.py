"""Packages of an installation; everything else about the distribution is in ``setup.cfg``.

The folders ``models`` and ``paper_figures`` are installed inside ``bioconv``, so that an
installation adds one name only.  ``setup.cfg`` cannot look for packages in several places.
"""

from setuptools import find_packages, setup

BESIDE = ("models", "paper_figures")

setup(
    packages=[
        *find_packages(include=["bioconv", "bioconv.*"]),
        *(f"bioconv.{name}" for top in BESIDE for name in find_packages(include=[top, f"{top}.*"])),
    ],
    package_dir={f"bioconv.{top}": top for top in BESIDE},
)

"""Publications of neuron models, with citations in BibTeX."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bioconv.ground.bibtex import Publication, article, entry

NEURONS: Mapping[str, Publication] = MappingProxyType(
    {
        "brette2005": article(
            "Brette, Romain and Gerstner, Wulfram",
            "Adaptive Exponential Integrate-and-Fire Model as an Effective Description of "
            "Neuronal Activity",
            2005,
            "Journal of Neurophysiology",
            "94",
            "3637--3642",
            "10.1152/jn.00686.2005",
        ),
        "brette2007": article(
            "Brette, Romain and others",
            "Simulation of networks of spiking neurons: A review of tools and strategies",
            2007,
            "Journal of Computational Neuroscience",
            "23",
            "349--398",
            "10.1007/s10827-007-0038-6",
        ),
        "ermentrout1996": article(
            "Ermentrout, Bard",
            "Type I Membranes, Phase Resetting Curves, and Synchrony",
            1996,
            "Neural Computation",
            "8",
            "979--1001",
            "10.1162/neco.1996.8.5.979",
        ),
        "fitzhugh1961": article(
            "FitzHugh, Richard",
            "Impulses and Physiological States in Theoretical Models of Nerve Membrane",
            1961,
            "Biophysical Journal",
            "1",
            "445--466",
            "10.1016/S0006-3495(61)86902-6",
        ),
        "fitzhugh1969": entry(
            "incollection",
            "FitzHugh, Richard",
            "Mathematical models of excitation and propagation in nerve",
            1969,
            booktitle="Biological Engineering",
            editor="Schwan, Herman P.",
            publisher="McGraw-Hill",
            pages="1--85",
        ),
        "fourcaud2003": article(
            "Fourcaud-Trocmé, Nicolas and Hansel, David and van Vreeswijk, Carl and "
            "Brunel, Nicolas",
            "How Spike Generation Mechanisms Determine the Neuronal Response to Fluctuating Inputs",
            2003,
            "Journal of Neuroscience",
            "23",
            "11628--11640",
            "10.1523/JNEUROSCI.23-37-11628.2003",
        ),
        "hindmarsh1984": article(
            "Hindmarsh, J. L. and Rose, R. M.",
            "A model of neuronal bursting using three coupled first order differential equations",
            1984,
            "Proceedings of the Royal Society of London. Series B",
            "221",
            "87--102",
            "10.1098/rspb.1984.0024",
        ),
        "hodgkin1952": article(
            "Hodgkin, A. L. and Huxley, A. F.",
            "A quantitative description of membrane current and its application to conduction and "
            "excitation in nerve",
            1952,
            "The Journal of Physiology",
            "117",
            "500--544",
            "10.1113/jphysiol.1952.sp004764",
        ),
        "izhikevich2001": article(
            "Izhikevich, Eugene M.",
            "Resonate-and-fire neurons",
            2001,
            "Neural Networks",
            "14",
            "883--894",
            "10.1016/S0893-6080(01)00078-8",
        ),
        "izhikevich2003": article(
            "Izhikevich, Eugene M.",
            "Simple Model of Spiking Neurons",
            2003,
            "IEEE Transactions on Neural Networks",
            "14",
            "1569--1572",
            "10.1109/TNN.2003.820440",
        ),
        "mihalas2009": article(
            "Mihalas, Stefan and Niebur, Ernst",
            "A Generalized Linear Integrate-and-Fire Neural Model Produces Diverse Spiking "
            "Behaviors",
            2009,
            "Neural Computation",
            "21",
            "704--718",
            "10.1162/neco.2008.12-07-680",
        ),
        "morris1981": article(
            "Morris, Catherine and Lecar, Harold",
            "Voltage oscillations in the barnacle giant muscle fiber",
            1981,
            "Biophysical Journal",
            "35",
            "193--213",
            "10.1016/S0006-3495(81)84782-0",
        ),
        "nagumo1962": article(
            "Nagumo, J. and Arimoto, S. and Yoshizawa, S.",
            "An Active Pulse Transmission Line Simulating Nerve Axon",
            1962,
            "Proceedings of the IRE",
            "50",
            "2061--2070",
            "10.1109/JRPROC.1962.288235",
        ),
        "naud2008": article(
            "Naud, Richard and Marcille, Nicolas and Clopath, Claudia and Gerstner, Wulfram",
            "Firing patterns in the adaptive exponential integrate-and-fire model",
            2008,
            "Biological Cybernetics",
            "99",
            "335--347",
            "10.1007/s00422-008-0264-7",
        ),
        "rinzel1998": entry(
            "incollection",
            "Rinzel, John and Ermentrout, Bard",
            "Analysis of neural excitability and oscillations",
            1998,
            booktitle="Methods in Neuronal Modeling: From Ions to Networks",
            editor="Koch, Christof and Segev, Idan",
            publisher="MIT Press",
            pages="251--291",
            edition="2",
        ),
        "rotter1999": article(
            "Rotter, Stefan and Diesmann, Markus",
            "Exact digital simulation of time-invariant linear systems with applications to "
            "neuronal modeling",
            1999,
            "Biological Cybernetics",
            "81",
            "381--402",
            "10.1007/s004220050570",
        ),
        "touboul2008": article(
            "Touboul, Jonathan",
            "Bifurcation Analysis of a General Class of Nonlinear Integrate-and-Fire Neurons",
            2008,
            "SIAM Journal on Applied Mathematics",
            "68",
            "1045--1079",
            "10.1137/070687268",
        ),
        "traub1991": entry(
            "book",
            "Traub, Roger D. and Miles, Richard",
            "Neuronal Networks of the Hippocampus",
            1991,
            publisher="Cambridge University Press",
            doi="10.1017/CBO9780511895401",
        ),
    }
)

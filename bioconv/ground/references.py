"""Publications of the codes and neurons, with citations in BibTeX.

>>> print(citation("stoeckl2021").splitlines()[0])
@article{stoeckl2021,
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bioconv.ground.bibtex import Publication, article, entry
from bioconv.ground.errors import ParameterError

PUBLICATIONS: Mapping[str, Publication] = MappingProxyType(
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
        "guo2021": article(
            "Guo, Wenzhe and Fouda, Mohammed E. and Eltawil, Ahmed M. and Salama, Khaled Nabil",
            "Neural Coding in Spiking Neural Networks: A Comparative Study for Robust "
            "Neuromorphic Systems",
            2021,
            "Frontiers in Neuroscience",
            "15",
            "638474",
            "10.3389/fnins.2021.638474",
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
        "hough1999": entry(
            "inproceedings",
            "Hough, Michael and de Garis, Hugo and Korkin, Michael and Gers, Felix and "
            "Nawa, Norberto Eiji",
            "SPIKER: Analog Waveform to Digital Spiketrain Conversion in ATR's Artificial Brain "
            "(CAM-Brain) Project",
            1999,
            booktitle="International Conference on Robotics and Artificial Life",
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
        "kasabov2016": article(
            "Kasabov, Nikola and others",
            "Evolving spatio-temporal data machines based on the NeuCube neuromorphic framework: "
            "Design methodology and selected applications",
            2016,
            "Neural Networks",
            "78",
            "1--14",
            "10.1016/j.neunet.2015.09.011",
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
        "mueller2021": entry(
            "inproceedings",
            "Mueller, Etienne and Hansjakob, Julius and Auge, Daniel and Knoll, Alois",
            "Minimizing Inference Time: Optimization Methods for Converted Deep Spiking Neural "
            "Networks",
            2021,
            booktitle="International Joint Conference on Neural Networks (IJCNN)",
        ),
        "mueller2022exploiting": entry(
            "inproceedings",
            "Mueller, Etienne and Auge, Daniel and Knoll, Alois",
            "Exploiting Inhomogeneities of Subthreshold Transistors as Populations of Spiking "
            "Neurons",
            2022,
            booktitle="International Conference on Natural Computation, Fuzzy Systems and "
            "Knowledge Discovery (ICNC-FSKD)",
        ),
        "mueller2022oscillations": entry(
            "inproceedings",
            "Mueller, Etienne and Klimaschka, Simon and Auge, Daniel and Knoll, Alois",
            "Neural Oscillations for Energy-Efficient Hardware Implementation of Sparsely "
            "Activated Deep Spiking Neural Networks",
            2022,
            booktitle="Practical Deep Learning in the Wild, workshop of the AAAI conference",
        ),
        # The text from which this library was written lacks the title page.
        "mueller2023": entry(
            "phdthesis",
            "Mueller, Etienne",
            "Doctoral thesis on the conversion of artificial to spiking neural networks",
            2023,
            school="Technical University of Munich",
            note="title described, not quoted",
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
        "neftci2019": article(
            "Neftci, Emre O. and Mostafa, Hesham and Zenke, Friedemann",
            "Surrogate Gradient Learning in Spiking Neural Networks: Bringing the Power of "
            "Gradient-Based Optimization to Spiking Neural Networks",
            2019,
            "IEEE Signal Processing Magazine",
            "36",
            "51--63",
            "10.1109/MSP.2019.2931595",
        ),
        "pedersen2024": article(
            "Pedersen, Jens E. and others",
            "Neuromorphic intermediate representation: A unified instruction set for "
            "interoperable brain-inspired computing",
            2024,
            "Nature Communications",
            "15",
            "8122",
            "10.1038/s41467-024-52259-9",
        ),
        "petro2020": article(
            "Petro, Balint and Kasabov, Nikola and Kiss, Rita M.",
            "Selection and Optimization of Temporal Spike Encoding Methods for Spiking Neural "
            "Networks",
            2020,
            "IEEE Transactions on Neural Networks and Learning Systems",
            "31",
            "358--370",
            "10.1109/TNNLS.2019.2906158",
        ),
        "purdy2016": entry(
            "misc",
            "Purdy, Scott",
            "Encoding Data for HTM Systems",
            2016,
            eprint="1602.05925",
        ),
        "rhodes2018": article(
            "Rhodes, Oliver and others",
            "sPyNNaker: A Software Package for Running PyNN Simulations on SpiNNaker",
            2018,
            "Frontiers in Neuroscience",
            "12",
            "816",
            "10.3389/fnins.2018.00816",
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
        "rueckauer2016": entry(
            "misc",
            "Rueckauer, Bodo and Lungu, Iulia-Alexandra and Hu, Yuhuang and Pfeiffer, Michael",
            "Theory and Tools for the Conversion of Analog to Spiking Convolutional Neural "
            "Networks",
            2016,
            eprint="1612.04052",
        ),
        "rueckauer2018": entry(
            "inproceedings",
            "Rueckauer, Bodo and Liu, Shih-Chii",
            "Conversion of analog to spiking neural networks using sparse temporal coding",
            2018,
            booktitle="IEEE International Symposium on Circuits and Systems (ISCAS)",
            pages="1--5",
            doi="10.1109/ISCAS.2018.8351295",
        ),
        "schrauwen2003": entry(
            "inproceedings",
            "Schrauwen, Benjamin and Van Campenhout, Jan",
            "BSA, a fast and accurate spike train encoding scheme",
            2003,
            booktitle="International Joint Conference on Neural Networks (IJCNN)",
            pages="2825--2830",
            doi="10.1109/IJCNN.2003.1224019",
        ),
        "sengupta2017": article(
            "Sengupta, Neelava and Kasabov, Nikola",
            "Spike-time encoding as a data compression technique for pattern recognition of "
            "temporal data",
            2017,
            "Information Sciences",
            "406",
            "133--145",
            "10.1016/j.ins.2017.04.017",
        ),
        "stanojevic2022": entry(
            "misc",
            "Stanojevic, Ana and Wozniak, Stanislaw and Bellec, Guillaume and Cherubini, Giovanni "
            "and Pantazi, Angeliki and Gerstner, Wulfram",
            "An Exact Mapping From ReLU Networks to Spiking Neural Networks",
            2022,
            eprint="2212.12522",
        ),
        "stanojevic2022a": entry(
            "inproceedings",
            "Stanojevic, Ana and Eleftheriou, Evangelos and Cherubini, Giovanni and Wozniak, "
            "Stanislaw and Pantazi, Angeliki and Gerstner, Wulfram",
            "Approximating Relu Networks by Single-Spike Computation",
            2022,
            booktitle="IEEE International Conference on Image Processing (ICIP)",
        ),
        "stanojevic2023": entry(
            "phdthesis",
            "Stanojevic, Ana",
            "Supervised learning and inference of spiking neural networks with temporal coding",
            2023,
            school="EPFL",
        ),
        "stanojevic2023b": entry(
            "article",
            "Stanojevic, Ana and Cherubini, Giovanni and Wozniak, Stanislaw and Eleftheriou, "
            "Evangelos",
            "Time-encoded multiplication-free spiking neural networks: application to data "
            "classification tasks",
            2023,
            journal="Neural Computing and Applications",
            volume="35",
            number="9",
            pages="7017--7033",
            doi="10.1007/s00521-022-07910-1",
        ),
        "stoeckl2021": entry(
            "article",
            "Stöckl, Christoph and Maass, Wolfgang",
            "Optimized spiking neurons can classify images with high accuracy through temporal "
            "coding with two spikes",
            2021,
            journal="Nature Machine Intelligence",
            volume="3",
            pages="230--238",
            doi="10.1038/s42256-021-00311-4",
        ),
        "thorpe1998": entry(
            "incollection",
            "Thorpe, Simon and Gautrais, Jacques",
            "Rank Order Coding",
            1998,
            booktitle="Computational Neuroscience: Trends in Research",
            editor="Bower, James M.",
            publisher="Springer",
            pages="113--118",
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
        "yousefzadeh2019": entry(
            "inproceedings",
            "Yousefzadeh, Amirreza and others",
            "Conversion of Synchronous Artificial Neural Network to Asynchronous Spiking Neural "
            "Network using sigma-delta quantization",
            2019,
            booktitle="IEEE International Conference on Artificial Intelligence Circuits and "
            "Systems (AICAS)",
            pages="81--85",
            doi="10.1109/AICAS.2019.8771624",
        ),
        "zenke2018": article(
            "Zenke, Friedemann and Ganguli, Surya",
            "SuperSpike: Supervised Learning in Multilayer Spiking Neural Networks",
            2018,
            "Neural Computation",
            "30",
            "1514--1541",
            "10.1162/neco_a_01086",
        ),
    }
)


def citation(*keys: str) -> str:
    """Return entries of a bibliography in BibTeX.

    Parameters
    ----------
    *keys : str
        Keys of `PUBLICATIONS`.

    Raises
    ------
    ParameterError
        If a publication is unknown; the message lists the valid keys.
    """
    unknown = [key for key in keys if key not in PUBLICATIONS]
    if unknown:
        raise ParameterError(
            f"there is no publication {', '.join(map(repr, unknown))}. "
            f"Valid: {', '.join(PUBLICATIONS)}."
        )
    return "\n\n".join(PUBLICATIONS[key].bibtex(key) for key in keys)

"""Publications of the codes and neurons, with citations in BibTeX.

>>> print(citation("stoeckl2021").splitlines()[0])
@article{stoeckl2021,
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bioconv.ground.bibtex import Publication, article, entry
from bioconv.ground.errors import ParameterError
from bioconv.ground.neuron_references import NEURONS

#: of codes, encoders, training, noise and formats
_OTHERS: Mapping[str, Publication] = MappingProxyType(
    {
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
        "hough1999": entry(
            "inproceedings",
            "Hough, Michael and de Garis, Hugo and Korkin, Michael and Gers, Felix and "
            "Nawa, Norberto Eiji",
            "SPIKER: Analog Waveform to Digital Spiketrain Conversion in ATR's Artificial Brain "
            "(CAM-Brain) Project",
            1999,
            booktitle="International Conference on Robotics and Artificial Life",
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

#: key -> publication, in alphabetical order
PUBLICATIONS: Mapping[str, Publication] = MappingProxyType(
    dict(sorted({**NEURONS, **_OTHERS}.items()))
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

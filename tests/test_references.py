"""Publications: complete entries, and every code and neuron of the library cites some."""

from __future__ import annotations

import re

import pytest

import bioconv as bc
from bioconv import codes, neurons
from bioconv.ground.bibtex import REQUIRED
from bioconv.ground.errors import ParameterError
from bioconv.ground.references import PUBLICATIONS, citation


@pytest.mark.parametrize("key", PUBLICATIONS)
def test_entries_are_complete(key: str) -> None:
    entry = PUBLICATIONS[key]
    assert set(REQUIRED[entry.kind]) <= entry.fields.keys()
    assert all([entry.author, entry.title, *entry.fields.values()])
    surname = re.sub(r"\W", "", entry.author.split(",")[0].lower().replace("ö", "oe"))
    assert re.fullmatch(rf"([a-z]+){entry.year}[a-z]*", key)
    assert surname.startswith(re.match(r"[a-z]+", key).group())  # type: ignore[union-attr]
    if entry.kind == "article":
        assert "doi" in entry.fields
    if entry.kind == "misc":
        assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.fields["eprint"])
    assert re.fullmatch(r"10\.\d{4,}/\S+", entry.fields.get("doi", "10.1000/none"))


@pytest.mark.parametrize("key", PUBLICATIONS)
def test_bibtex_can_be_read(key: str) -> None:
    text = citation(key)
    assert text.startswith(f"@{PUBLICATIONS[key].kind}{{{key},\n")
    assert text.count("{") == text.count("}")
    assert text.isascii()
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", text, re.M))
    assert len(fields) == len(text.splitlines()) - 2
    assert fields["year"] == str(PUBLICATIONS[key].year)


@pytest.mark.parametrize("name", sorted(codes.library()))
def test_every_code_says_what_to_cite(name: str) -> None:
    code = codes.make(name)
    assert code.references
    assert code.citation() == citation(*code.references)
    assert code.citation() in str(bc.describe_code(name))


@pytest.mark.parametrize("name", sorted(neurons.library()))
def test_every_neuron_says_what_to_cite(name: str) -> None:
    neuron = neurons.make(name)
    assert neuron.model.references
    assert neuron.citation() == citation(*neuron.model.references)
    assert neuron.citation() in str(bc.describe_neuron(name))


def test_unknown_publications_are_named() -> None:
    with pytest.raises(ParameterError, match="no publication 'nobody1900'.*stoeckl2021"):
        citation("stoeckl2021", "nobody1900")


def test_models_with_other_references_are_the_same() -> None:
    model = neurons.make("lif").model
    fields = {name: getattr(model, name) for name in model.__dataclass_fields__}
    assert neurons.NeuronModel(**{**fields, "references": ()}) == model
    with pytest.raises(ParameterError, match="must be a tuple of keys"):
        neurons.NeuronModel(**{**fields, "references": "rotter1999"})

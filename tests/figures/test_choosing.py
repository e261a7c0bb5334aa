"""Each subject's marks in the figures: there, unseen, at its place, by its name."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

from twolevel.figures.svg.choosing import with_subjects
from twolevel.findings.live.each_subject import MOST_SUBJECTS

CHOICES = ("data_by_subject", "caterpillar", "shrinkage", "influence")
USE = "{http://www.w3.org/2000/svg}use"


def marks(svg: bytes) -> list[ET.Element]:
    return [each for each in ET.fromstring(svg).iter() if each.get("data-subject") is not None]


def numbers(mark: ET.Element) -> np.ndarray:
    """The points of a mark (m, 2), in the figure's coordinates."""
    if mark.tag == USE:
        return np.array([[float(mark.get("x")), float(mark.get("y"))]])
    return np.array(re.findall(r"[\d.]+", mark.get("d")), dtype=float).reshape(-1, 2)


@pytest.mark.parametrize("name", CHOICES)
def test_every_subject_can_be_chosen(study, name, svg):
    found = marks(svg(study.draw(name)))
    assert {each.get("data-subject") for each in found} == set(study.subjects["subject"])
    assert {each.get("opacity") for each in found} == {"0"}


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("count", [MOST_SUBJECTS, MOST_SUBJECTS + 1])
def test_of_many_subjects_none_can_be_chosen(simulate, name, count, svg):
    found = {each.get("data-subject") for each in marks(svg(simulate(count).draw(name)))}
    assert len(found) == (count if count <= MOST_SUBJECTS else 0)


def test_marks_lie_on_the_points_that_are_drawn(study, svg):
    drawn = svg(study.draw("shrinkage"))
    seen = [
        (float(each.get("x")), float(each.get("y")))
        for each in ET.fromstring(drawn).iter(USE)
        if "opacity: 0.7" in each.get("style", "")
    ]
    order = np.argsort(study.random_effects["deviation"], kind="stable")
    names = study.random_effects["subject"].iloc[order]
    found = {each.get("data-subject"): tuple(numbers(each)[0]) for each in marks(drawn)}
    assert found == dict(zip(names, seen[: len(names)], strict=True))


def test_a_subjects_line_goes_through_its_points(study, svg):
    found = marks(svg(study.draw("data_by_subject")))
    for name in study.subjects["subject"]:
        line, *own = (numbers(each) for each in found if each.get("data-subject") == name)
        assert np.concatenate(own) == pytest.approx(line)


def test_a_missing_cell_interrupts_the_line(simulate, svg):
    study = simulate(8, tuple("abcdef"), missing=0.4)
    found = marks(svg(study.draw("data_by_subject")))
    seen = study.observations.groupby("subject", observed=True)["condition"].agg(set)
    for name, cells in seen.items():
        line, *own = (each for each in found if each.get("data-subject") == name)
        assert len(own) == len(cells)
        runs = sum(c in cells and d not in cells for c, d in pairwise("abcdef."))
        assert line.get("d").count("M") == runs


def test_a_mark_for_each_or_an_error():
    group = '<g id=\'subjects:["a", "b"]\'><g><use x="1" y="2" style="fill: none"/></g></g>'
    with pytest.raises(ValueError, match="1 marks of 2 subjects; expected one of each"):
        with_subjects(f"<svg>{group}</svg>")


def test_a_name_that_looks_like_an_attribute_is_a_name(simulate, svg):
    person = '{} style="fill: #123456"'
    found = marks(svg(simulate(8, person=person).draw("shrinkage")))
    assert {each.get("data-subject") for each in found} == {person.format(k) for k in range(8)}

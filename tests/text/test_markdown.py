"""Words as they stand in a page."""

from twolevel.text.markdown import begins


def test_only_the_first_letter_of_a_line_is_made_a_capital():
    assert begins("effects of Farbe des Reizes") == "Effects of Farbe des Reizes"

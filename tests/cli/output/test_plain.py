import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from engine.cli.output.plain import plain
from engine.cli.output.saying import say_on


def test_names_stay_and_what_steers_becomes_an_escape():
    for name in (
        "Ada Lovelace",
        "Jos\u00e9",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u05d3\u05e0\u05d4\u200e",
        "[b]x[/b]",
    ):
        assert plain(name) == name
    assert plain("a\x1b[31mb\0c\x9bd\x7f\n\u2028\u202e\udcff") == r"a\x1b[31mb\x00c\x9bd\x7f\n\u2028\u202e\udcff"


@given(st.text(st.characters()))
def test_nothing_of_a_text_steers_a_terminal(text):
    shown = plain(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert plain(shown) == shown


def test_a_sentence_with_brackets_is_no_markup():
    """A run whose directory was called so ended in an error, after all its work."""
    shown = io.StringIO()
    say_on(Console(file=shown, force_terminal=True, width=20), "report: /out[/b]/:key:\x1b[31m/report.html")
    assert shown.getvalue() == "report: /out[/b]/:key:\\x1b[31m/report.html\n"

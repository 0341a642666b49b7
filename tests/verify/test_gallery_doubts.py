import pytest

from engine.verify.gallery_doubts import forget_in_doubts
from engine.verify.gallery_file import GalleryFile
from tests.privacy.output import enrol


@pytest.mark.parametrize(
    ("doubt", "left"),
    [
        ("looks like Ann (cosine 0.700)", "looks like somebody removed (cosine 0.700)"),
        ("looks more like Ann (cosine 0.700) than like the other pictures of Bo (0.5)",
         "looks more like somebody removed (cosine 0.700) than like the other pictures of Bo (0.5)"),
        ("looks like Ann Lee (cosine 0.700)", "looks like Ann Lee (cosine 0.700)"),
        ("looks like Joann (cosine 0.700)", "looks like Joann (cosine 0.700)"),
        ("looks unlike the other pictures of Bo (cosine 0.1)", "looks unlike the other pictures of Bo (cosine 0.1)"),
    ],
)  # fmt: skip
def test_a_name_goes_from_what_is_said_of_other_peoples_pictures(tmp_path, doubt, left):
    file = GalleryFile(enrol(tmp_path / "g.sqlite", "Bo", doubt=doubt), read_only=False)
    forget_in_doubts(file, "A\u200bnn")
    assert file.rows("SELECT doubt FROM pictures") == [(left,)]
    file.close()

from trt_build.protocols.generators.papers import PAPERS, papers_of


def test_a_model_brings_its_paper_whatever_its_scale():
    found = papers_of(["compact_x4", "srcnn_x2", "srcnn_srgan", "redeg_x4#2"])
    assert [paper.measured for paper in found] == [["redeg_x4#2"], ["srcnn_x2", "srcnn_srgan"]]
    assert papers_of(["compact_x4"]) == []
    assert all(paper.measured == [] for paper in PAPERS)


def test_all_four_say_why():
    assert len(PAPERS) == 4
    names = [name for paper in PAPERS for name in paper.models]
    assert len(names) == len(set(names))
    for paper in PAPERS:
        assert paper.rows
        assert paper.compares.endswith(".")
        assert paper.compares.count(". ") == 0  # one sentence

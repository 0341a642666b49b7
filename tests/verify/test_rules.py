import pytest

from engine.config.verify import VerifyConfig
from engine.errors import ConfigError
from engine.verify import rules
from engine.verify.evidence import MOST_FACES
from engine.verify.naming import ByChance, ByCosine
from engine.verify.rules import check_rates, rule_of
from tests.verify.faces import ThumbnailEmbedder
from tests.verify.measured import measured

ONE = measured()


def test_cosines_that_are_set_decide_and_say_so(monkeypatch):
    monkeypatch.setattr(rules, "open_set_of", lambda sha256: ONE)
    embedder = ThumbnailEmbedder()
    assert isinstance(rule_of(embedder, VerifyConfig()), ByChance)
    for config in (VerifyConfig(known_cosine=0.95), VerifyConfig(unknown_cosine=0.3)):
        rule = rule_of(embedder, config)
        assert isinstance(rule, ByCosine)
        assert "that were set: no rate of false names is claimed" in rule.sentence(3)
    assert "0.95 and 0.5" in rule_of(embedder, VerifyConfig(known_cosine=0.95)).sentence(3)


def test_an_embedder_that_was_not_measured_keeps_its_cosines_and_says_so():
    rule = rule_of(ThumbnailEmbedder(), VerifyConfig())
    assert isinstance(rule, ByCosine)
    assert "the embedder's own cosines 0.9 and 0.5, not calibrated" in rule.sentence(3)


def test_a_rate_that_was_not_measured_is_refused(monkeypatch):
    monkeypatch.setattr(rules, "open_set_of", lambda sha256: ONE)
    with pytest.raises(ConfigError, match="false_name_rate"):
        rule_of(ThumbnailEmbedder(), VerifyConfig(false_name_rate=0.0001))
    rule_of(ThumbnailEmbedder(), VerifyConfig(false_name_rate=0.0001, known_cosine=0.9))


def test_more_faces_than_are_kept_of_a_track_are_refused_before_and_at_the_start():
    for most in (MOST_FACES + 1, 2**40):
        for check in (check_rates, lambda config: rule_of(ThumbnailEmbedder(), config)):
            with pytest.raises(ConfigError, match=rf"verify.min_faces \({most}\) can never be met, .* use 24 or less"):
                check(VerifyConfig(min_faces=most))
    check_rates(VerifyConfig(min_faces=MOST_FACES))

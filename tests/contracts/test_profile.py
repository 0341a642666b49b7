from __future__ import annotations

from engine.contracts.profile import ONE, Profile


def test_on_a_cpu_the_smallest_batch_is_best_elsewhere_what_is_called_so_or_the_largest():
    assert Profile(1, 8, 64).on("cpu") == Profile(1, 1, 64)
    assert Profile(4, 8, 64).on("cpu").best == 4
    assert Profile(1, 8, 64).on("cuda:0").best == 8
    assert Profile(1, 1, 32).on("cuda:0").best == 32
    assert ONE.on("cuda:0") == ONE


def test_large_pictures_share_a_run_with_fewer():
    profile = Profile(1, 32, 64, most_pixels=64 * 96 * 96)
    assert profile.at(16, 16) == Profile(1, 32, 64)
    assert profile.at(96, 192) == Profile(1, 32, 32)
    assert profile.at(192, 192) == Profile(1, 16, 16)
    assert profile.at(5000, 5000) == ONE
    assert Profile(2, 4, 8).at(5000, 5000) == Profile(2, 4, 8)

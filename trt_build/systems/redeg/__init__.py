"""Learned degradation: what real footage does to faces, learned from faces without a known sharp version.

After ReDegNet (Li et al., "From Face to Natural Image: Learning Real Degradation for Blind Image Super-Resolution", ECCV 2022),
on which the paper on DegNet, SynNet and second-order degradation is based. `trt-build redeg train` trains both networks; the
recipe of a generator then names their checkpoint under `learned`, and its training faces get the damage of real ones.
"""

"""Learned degradation: what real footage does to faces, taken from faces whose sharp version nobody has.

After ReDegNet (Li et al., "From Face to Natural Image: Learning Real Degradation for Blind Image Super-Resolution", ECCV 2022),
which stands behind the paper on DegNet, SynNet and second-order degradation. `trt-build redeg train` trains both networks; the
recipe of a generator then names their checkpoint under `learned`, and its training faces get the damage of real ones.
"""

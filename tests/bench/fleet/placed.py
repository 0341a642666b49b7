"""stand-in"""
from __future__ import annotations
import numpy as np
from tests.bench.fleet.cameras import Timing, Placing, Site
from tests.bench.fleet.load import Load,HELD_SHARE
TIMING=Timing(6.0,2.0,1.0)
_MIX=(0.4,0.3,0.2,0.1)
def kinds_of(cameras,seed):
    return np.random.default_rng(seed).choice(4,cameras,p=_MIX)
def placing_of(site,load):
    w=load._base
    cap=site.cores*HELD_SHARE
    def place(present,free,homes):
        load_=[0.0]*site.nodes; out=list(homes)
        for c,h in enumerate(homes):
            if h in present and h in free: load_[h]+=w[c]
        for c,h in enumerate(homes):
            if h<0 or h not in free:
                n=min(free,key=lambda n:load_[n],default=-1)
                if n>=0: load_[n]+=w[c]
                out[c]=n
        return out
    return place

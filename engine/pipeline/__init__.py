"""The composition root: the only package that knows every stage.

decode_worker xN ──▶ perceive_worker (detect, track, crop) ──▶ enhance_worker xN (super-resolve, verify) ──▶ publish_worker
                                    supervisor: starts them, watches them, drains them
"""

"""Faces and tracks as they go on the wire, before they get their numbers."""

from __future__ import annotations

from engine.config import Config
from engine.contracts.links import FaceCrop, TrackClosed
from engine.contracts.messages import Enhanced, Face, Part, Track
from engine.super_resolve.enhancer import EnhancedFace
from engine.verify.verifier import FaceScores, TrackScores


def face_message(crop: FaceCrop, face: EnhancedFace | None, score: FaceScores, parts: list[Part], config: Config) -> Face:
    """Return the message of one face.

    Args:
        crop: the original.
        face: None: it was not enhanced.
        score: compared with the gallery.
        parts: what the payloads are.
        config: of the run.
    """
    enhanced = None
    if face is not None:
        enhanced = Enhanced(face.model, face.scale, face.lr_consistency_db, config.super_resolve.strength)
    return Face(
        run_id="",
        stream=crop.stream,
        track_id=crop.track_id,
        frame_index=crop.frame_index,
        pts=crop.pts,
        time_base=crop.time_base,
        pts_seconds=crop.pts_seconds,
        captured_ns=crop.captured_ns,
        box=crop.box,
        landmarks=crop.landmarks,
        detection_score=crop.detection_score,
        quality=crop.quality,
        crop_box=crop.crop_box,
        enhanced=enhanced,
        decision=score.decision,
        candidates=score.candidates,
        gallery_version=score.gallery_version,
        parts=parts,
        ntp_ns=crop.ntp_ns,
        recorded_ns=crop.recorded_ns,
        live=crop.live,
    )


def track_message(closed: TrackClosed, scores: TrackScores, faces: int, parts: list[Part], *, ended: bool) -> Track:
    """Return the message of a track, which has ``ended`` or goes on."""
    return Track(
        run_id="",
        stream=closed.stream,
        track_id=closed.track_id,
        ended=ended,
        first_pts_seconds=closed.first_pts_seconds,
        last_pts_seconds=closed.last_pts_seconds,
        first_pts=closed.first_pts,
        last_pts=closed.last_pts,
        time_base=closed.time_base,
        frames_seen=closed.frames_seen,
        faces_enhanced=faces,
        best_face_seq=None,
        decision=scores.decision,
        candidates=scores.candidates,
        gallery_version=scores.gallery_version,
        parts=parts,
        first_recorded_ns=closed.first_recorded_ns,
        last_recorded_ns=closed.last_recorded_ns,
    )

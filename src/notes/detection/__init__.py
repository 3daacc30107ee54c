"""Object detection: boxes, anchors, targets, detections, their evaluation, and small detectors."""

import torch

from notes.data.tensor_loader import TensorLoader
from notes.detection.labels import Detections, DetectionSet


def test_a_set_is_the_pair_of_images_and_labels():
    images, labels = torch.rand(3, 3, 8, 8), torch.full((3, 2, 5), -1.0)
    data = DetectionSet(images, labels)
    assert data.images is images
    assert data.labels is labels
    first, second = data
    assert first is images
    assert second is labels


def test_a_loader_takes_a_set_as_it_is_and_keeps_images_and_labels_together():
    numbers = torch.arange(5.0)
    data = DetectionSet(numbers.view(5, 1, 1, 1), numbers.view(5, 1, 1).expand(5, 2, 5).clone())
    generator = torch.Generator().manual_seed(0)
    seen = []
    for images, labels in TensorLoader(*data, batch_size=2, shuffle=True, generator=generator):
        assert torch.equal(images.flatten(), labels[:, 0, 0])
        seen += images.flatten().tolist()
    assert sorted(seen) == numbers.tolist()
    assert seen != numbers.tolist()


def test_detections_are_boxes_scores_and_classes():
    found = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    boxes, scores, classes = found
    assert (boxes.shape, scores.shape, classes.shape) == ((0, 4), (0,), (0,))
    assert found.boxes is boxes
    assert found.scores is scores
    assert found.classes is classes

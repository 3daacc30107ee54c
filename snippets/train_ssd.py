"""Train TinySSD on shapes drawn on photographs, until it finds nine objects of ten.

    python train_ssd.py                 three seeds, some minutes each on two cores
    python train_ssd.py --quick         seconds: everything runs, and the numbers mean nothing

It writes ssd.json with every number and what it depends on, and for each training a checkpoint and
a picture of what the model finds. A training that is interrupted goes on after its last whole epoch
if --resume is given.
"""

import argparse
import json
import platform
import shlex
import sys
import time
from collections import Counter
from functools import partial
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from notes.data.tensor_loader import TensorLoader
from notes.detection.augmentation import random_horizontal_flip, random_resized_crop
from notes.detection.detections import detect
from notes.detection.evaluation import mean_average_precision
from notes.detection.overlap import box_iou
from notes.detection.shapes_on_photos import CLASS_NAMES, HARD, shapes_on_photos
from notes.detection.ssd import TinySSD
from notes.detection.ssd_loss import ssd_loss
from notes.detection.targets import make_targets
from notes.figures.boxes import draw_boxes
from notes.figures.images import draw_image
from notes.training.checkpoint import load_checkpoint, save_checkpoint
from notes.training.device import best_device, describe_device

TEST_SEED = 1000
NUM_PICTURES = 8
LOSSES = {
    "paper": {},
    "all negatives": {"hard_negatives": None},
    "notes": {"per": "anchor", "hard_negatives": None},
}


def parse(arguments=None):
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=".", help="where the result goes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="a training each")
    parser.add_argument(
        "--other-losses",
        nargs="*",
        choices=list(LOSSES),
        default=[],
        help="train the first seed with these too, for comparison",
    )
    parser.add_argument("--epochs", type=int, default=12, help="of each training")
    parser.add_argument("--images", type=int, default=2000, help="in the training set")
    parser.add_argument("--test-images", type=int, default=400, help="in each test set")
    parser.add_argument("--image-size", type=int, default=96, help="side in pixels")
    parser.add_argument("--batch-size", type=int, default=32, help="images in each step")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="the largest")
    parser.add_argument("--bfloat16", action="store_true", help="faster where the processor has it")
    parser.add_argument("--resume", action="store_true", help="go on where a training stopped")
    parser.add_argument("--quick", action="store_true", help="one tiny training")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.epochs, options.images, options.test_images = [0], 2, 48, 16
        options.batch_size = 16
    return options


def make_set(num_images, options, generator, hard=None):
    """Images and labels of this size."""
    return shapes_on_photos(
        num_images, image_size=options.image_size, hard=hard, generator=generator
    )


def make_test_set(options, hard=None):
    """The images for testing, the same for every model."""
    return make_set(options.test_images, options, torch.Generator().manual_seed(TEST_SEED), hard)


def predict(model, images, options):
    """The model's predictions, computed in half precision if asked for, as float32."""
    device = next(model.parameters()).device
    images = images.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=options.bfloat16):
        class_logits, offsets, anchors = model(images)
    return class_logits.float(), offsets.float(), anchors


# --8<-- [start:train_epoch]
def train_epoch(model, loader, loss_fn, optimizer, scheduler, options):
    """Show the model each image once, mirrored and cut at random; return the mean losses."""
    model.train()
    sums, generator = torch.zeros(2), loader.generator
    for images, labels in loader:
        images, labels = random_horizontal_flip(images, labels, generator=generator)
        size = (images.shape[2], images.shape[3])
        images, labels = random_resized_crop(images, labels, size, generator=generator)
        class_logits, offsets, anchors = predict(model, images, options)
        loss = loss_fn(class_logits, offsets, make_targets(anchors, labels))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        scheduler.step()
        sums += torch.stack(list(loss)).detach().cpu()
    return (sums / len(loader)).tolist()


# --8<-- [end:train_epoch]


# --8<-- [start:find]
@torch.no_grad()
def find(model, data, loss_fn, options):
    """What the model finds in each image of a set, and the mean losses."""
    model.eval()
    detections, sums = [], torch.zeros(2)
    for images, labels in TensorLoader(*data, batch_size=100):
        class_logits, offsets, anchors = predict(model, images, options)
        targets = make_targets(anchors, labels.to(anchors.device))
        sums += torch.stack(list(loss_fn(class_logits, offsets, targets))).cpu() * len(images)
        found = detect(class_logits.softmax(dim=2), offsets, anchors)
        detections += [type(one)(*(part.cpu() for part in one)) for one in found]
    return detections, (sums / len(data.images)).tolist()


# --8<-- [end:find]


def mistakes(found, rows, min_score=0.5):
    """What is wrong about the sure detections of an image: a word for each mistake."""
    sure = found.scores >= min_score
    boxes, classes = found.boxes[sure], found.classes[sure]
    objects = rows[rows[:, 0] >= 0]
    overlaps = box_iou(boxes, objects[:, 1:])  # (N, M)
    same = classes[:, None] == objects[:, 0]
    right = same & (overlaps >= 0.5)
    kinds = []
    for number in range(len(boxes)):
        if right[number].any():
            first = right[:number, right[number]].any()
            kinds += ["found twice"] if first else []
        elif (overlaps[number] >= 0.5).any():
            kinds.append("wrong class")
        elif (same[number] & (overlaps[number] >= 0.1)).any():
            kinds.append("poor box")
        else:
            kinds.append("nothing there")
    touched = (overlaps >= 0.1).any(dim=0)
    return kinds + ["missed"] * int((~touched).sum())


def picture(found, number, kinds=()):
    """What has to be stored to draw the detections of an image again."""
    sure = found[number].scores >= 0.5
    boxes, scores, classes = (part[sure] for part in found[number])
    return {
        "image": number,
        "boxes": [[round(value, 4) for value in box] for box in boxes.tolist()],
        "scores": [round(score, 3) for score in scores.tolist()],
        "classes": classes.tolist(),
        "mistakes": list(kinds),
    }


def judge(model, test_set, options):
    """Average precision by class, with a stricter threshold, and on hard sets; the mistakes."""
    sets = {"test": test_set} | {hard: make_test_set(options, hard) for hard in HARD}
    found = {name: find(model, data, ssd_loss, options)[0] for name, data in sets.items()}
    measure = partial(mean_average_precision, num_classes=len(CLASS_NAMES))
    qualities = {name: measure(found[name], data.labels) for name, data in sets.items()}
    strict = measure(found["test"], test_set.labels, iou_threshold=0.75)
    kinds = [mistakes(one, rows) for one, rows in zip(found["test"], test_set.labels, strict=True)]
    wrong = [number for number, kind in enumerate(kinds) if kind][:NUM_PICTURES]
    pictures = {
        "test": [picture(found["test"], number) for number in range(NUM_PICTURES)],
        "mistakes": [picture(found["test"], number, kinds[number]) for number in wrong],
    }
    for hard in HARD:
        pictures[hard] = [picture(found[hard], number) for number in range(NUM_PICTURES // 2)]
    return {
        "average_precision": {name: quality.mean for name, quality in qualities.items()},
        "average_precision_75": strict.mean,
        "per_class": dict(zip(CLASS_NAMES, qualities["test"].per_class.tolist(), strict=True)),
        "num_objects": int((test_set.labels[..., 0] >= 0).sum()),
        "mistakes": dict(Counter(kind for image in kinds for kind in image)),
        "pictures": pictures,
    }


def draw(images, pictures, path):
    """Draw what was found in some images."""
    figure, grid = plt.subplots(2, NUM_PICTURES // 2, figsize=(10, 5))
    for ax, found in zip(grid.flat, pictures, strict=True):
        image = images[found["image"]]
        draw_image(image, ax)
        names = [CLASS_NAMES[kind] for kind in found["classes"]]
        boxes = torch.tensor(found["boxes"]).reshape(-1, 4)
        draw_boxes(boxes, ax, labels=names, image_size=image.shape[1:])
    figure.savefig(path)
    plt.close(figure)


def train(seed, loss, options):
    """Train one model with one loss, measure it after each epoch, return what was measured."""
    loss_fn = partial(ssd_loss, **LOSSES[loss])
    device = best_device()
    generator = torch.Generator().manual_seed(seed)
    train_set = make_set(options.images, options, generator)
    test_set = make_test_set(options)
    loader = TensorLoader(
        *train_set,
        batch_size=options.batch_size,
        shuffle=True,
        drop_last=True,
        generator=generator,
        device=device,
    )
    torch.manual_seed(seed)
    model = TinySSD(len(CLASS_NAMES)).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.learning_rate)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.learning_rate, total_steps=options.epochs * len(loader)
    )
    states = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "generators": {"data": generator},
    }
    checkpoint = options.folder / f"ssd-{loss}-{seed}.pt"
    history, first_epoch = {}, 0
    if options.resume and checkpoint.exists():
        first_epoch, extra = load_checkpoint(checkpoint, **states)
        history = extra["history"]
    for epoch in range(first_epoch, options.epochs):
        clocks = time.perf_counter(), time.process_time()
        losses = train_epoch(model, loader, loss_fn, optimizer, scheduler, options)
        detections, test_losses = find(model, test_set, loss_fn, options)
        quality = mean_average_precision(detections, test_set.labels, num_classes=len(CLASS_NAMES))
        seconds = time.perf_counter() - clocks[0], time.process_time() - clocks[1]
        measured = {
            "train_classes": losses[0],
            "train_boxes": losses[1],
            "test_classes": test_losses[0],
            "test_boxes": test_losses[1],
            "average_precision": quality.mean,
            "seconds": seconds[0],
            "processor_seconds": seconds[1],
        }
        history = {name: [*history.get(name, []), measured[name]] for name in measured}
        shown = ", ".join(f"{name} {value:.3f}" for name, value in measured.items())
        print(f"{loss}, seed {seed}, epoch {epoch + 1}: {shown}", file=sys.stderr, flush=True)
        save_checkpoint(checkpoint, **states, epoch=epoch + 1, extra={"history": history})
    judged = judge(model, test_set, options)
    draw(test_set.images, judged["pictures"]["test"], checkpoint.with_suffix(".png"))
    return {"seed": seed, "loss": loss, "history": history} | judged


def main():
    """Train with each seed and loss, and write what was measured after each training."""
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    asked = {"folder", "other_losses", "quick", "resume", "seeds"}
    packages = ("torch", "torchvision", "scikit-learn")
    result = {
        "command": shlex.join(["python", *sys.argv]),
        "device": describe_device(best_device()),
        "versions": {"python": platform.python_version()} | {x: version(x) for x in packages},
        "test_seed": TEST_SEED,
        "settings": {name: value for name, value in vars(options).items() if name not in asked},
        "runs": [],
        "other_losses": [],
    }
    path = options.folder / "ssd.json"
    trainings = [("runs", seed, "paper") for seed in options.seeds]
    trainings += [("other_losses", options.seeds[0], loss) for loss in options.other_losses]
    for kind, seed, loss in trainings:
        result[kind].append(train(seed, loss, options))
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("written:", path.resolve())


if __name__ == "__main__":
    main()

"""Random changes of training images, a whole batch at a time, with an own draw for each image.

Every operation comes in two halves that can be used on their own: `draw_...` draws the
parameters of each image, `..._at` applies given parameters. `random_...` is one after the other.
"""

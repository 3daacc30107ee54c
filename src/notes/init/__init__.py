"""Where the weights of a network start: the rules, and a look at what they do to its signals."""

# %% [markdown] description="One weight and one bias roll downhill, drawn on the map of the loss."
# # A first notebook: one descent, drawn
#
# A line has two numbers: a weight and a bias. Two numbers make a map, so here you can watch
# gradient descent walk. The data is made up: the true line has weight 2 and bias -1, with a
# little noise around it.

# %%
import matplotlib.pyplot as plt
import torch

generator = torch.Generator().manual_seed(0)
x = torch.rand(50, generator=generator) * 2 + 0.5  # (50,)
y = 2 * x - 1 + 0.3 * torch.randn(50, generator=generator)  # (50,)


def loss(weight, bias):
    """Mean squared error of one line, or of a whole grid of lines."""
    return ((weight[..., None] * x + bias[..., None] - y) ** 2).mean(dim=-1)


# %% [markdown]
# ## The walk
#
# Start far away, at weight -1 and bias 2. Each step asks autograd which way the loss grows and
# goes a little the other way.

# %%
parameters = torch.tensor([-1.0, 2.0], requires_grad=True)
path = [parameters.detach().clone()]
for _ in range(200):
    (gradient,) = torch.autograd.grad(loss(*parameters), parameters)
    with torch.no_grad():
        parameters -= 0.1 * gradient
    path.append(parameters.detach().clone())

for step in (0, 5, 50, 200):
    weight, bias = path[step]
    line = f"{weight:6.3f} x + {bias:6.3f}"
    print(f"step {step:3d}: line {line}, loss {loss(weight, bias):.3f}")

# %% [markdown]
# ## The map
#
# On the map of the loss, dark is low. The walk falls into a narrow valley within a few steps,
# then creeps along its floor: a bit more weight can be paid for by a bit less bias, so the slope
# there is small. This is why data is centered before training: with the mean of `x` at 0 the
# valley turns into a bowl.

# %% alt="Contours of the loss: the path drops into a long valley and follows its floor."
grid = torch.linspace(-1.5, 3.5, 120), torch.linspace(-3.0, 3.0, 120)
weights, biases = torch.meshgrid(*grid, indexing="xy")
walk = torch.stack(path)
plt.figure(figsize=(6.4, 4.0))
height = loss(weights, biases).log10()
plt.contourf(weights, biases, height, levels=18, cmap="cividis")
plt.plot(*walk.T, "o-", color="white", markersize=3, linewidth=1)
plt.plot(2, -1, "*", color="white", markersize=14, markeredgecolor="black")
plt.xlabel("weight")
plt.ylabel("bias")
plt.title("200 steps of gradient descent; the star is the true line")
plt.tight_layout()

#!/usr/bin/python3
"""TD3's update in PyTorch as CleanRL writes it, timed for learner.ts: Debian's python3-torch, one thread.

Reads requests as lines of JSON, {"states": S, "actions": A, "batch": N, "hidden": H, "seconds": T}, and answers each with
{"milliseconds": M, "blas": file}: the mean of updates for T seconds, every second one with the actor and the targets, and
the OpenBLAS that computes them. Any other BLAS is refused: the reference one is many times slower.
"""

import json
import sys
import time

try:
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError as error:
    sys.exit(f"left out PyTorch ({error}); to include it: apt-get install -y python3-torch libopenblas0-pthread")

GAMMA, TAU, LEARNING_RATE = 0.99, 0.005, 3e-4
POLICY_NOISE, NOISE_CLIP, POLICY_FREQUENCY = 0.2, 0.5, 2
TRANSITIONS = 10_000


class QNetwork(nn.Module):
    def __init__(self, states, actions, hidden):
        super().__init__()
        self.fc1 = nn.Linear(states + actions, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 1)

    def forward(self, x, a):
        x = torch.cat([x, a], 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


class Actor(nn.Module):
    def __init__(self, states, actions, hidden):
        super().__init__()
        self.fc1 = nn.Linear(states, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc_mu = nn.Linear(hidden, actions)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return torch.tanh(self.fc_mu(x))


class Learner:
    def __init__(self, states, actions, batch, hidden):
        self.batch = batch
        self.actor = Actor(states, actions, hidden)
        self.qf1 = QNetwork(states, actions, hidden)
        self.qf2 = QNetwork(states, actions, hidden)
        self.qf1_target = QNetwork(states, actions, hidden)
        self.qf2_target = QNetwork(states, actions, hidden)
        self.target_actor = Actor(states, actions, hidden)
        self.target_actor.load_state_dict(self.actor.state_dict())
        self.qf1_target.load_state_dict(self.qf1.state_dict())
        self.qf2_target.load_state_dict(self.qf2.state_dict())
        critics = list(self.qf1.parameters()) + list(self.qf2.parameters())
        self.q_optimizer = torch.optim.Adam(critics, lr=LEARNING_RATE)
        self.actor_optimizer = torch.optim.Adam(list(self.actor.parameters()), lr=LEARNING_RATE)
        random = np.random.default_rng(1)
        shapes = {"observations": states, "actions": actions, "rewards": 1, "next_observations": states}
        self.buffer = {
            name: random.uniform(-1, 1, (TRANSITIONS, width)).astype(np.float32) for name, width in shapes.items()
        }
        self.buffer["dones"] = np.zeros((TRANSITIONS, 1), np.float32)
        self.updates = 0

    def update(self):
        self.updates += 1
        indices = np.random.randint(0, TRANSITIONS, size=self.batch)
        data = {name: torch.tensor(values[indices]) for name, values in self.buffer.items()}
        observations, actions = data["observations"], data["actions"]
        next_observations = data["next_observations"]
        with torch.no_grad():
            noise = (torch.randn_like(actions) * POLICY_NOISE).clamp(-NOISE_CLIP, NOISE_CLIP)
            next_actions = (self.target_actor(next_observations) + noise).clamp(-1, 1)
            next_q = torch.min(
                self.qf1_target(next_observations, next_actions), self.qf2_target(next_observations, next_actions)
            )
            target = data["rewards"].flatten() + (1 - data["dones"].flatten()) * GAMMA * next_q.view(-1)

        qf1_loss = F.mse_loss(self.qf1(observations, actions).view(-1), target)
        qf2_loss = F.mse_loss(self.qf2(observations, actions).view(-1), target)
        self.q_optimizer.zero_grad()
        (qf1_loss + qf2_loss).backward()
        self.q_optimizer.step()

        if self.updates % POLICY_FREQUENCY == 0:
            actor_loss = -self.qf1(observations, self.actor(observations)).mean()
            self.actor_optimizer.zero_grad()
            actor_loss.backward()
            self.actor_optimizer.step()
            pairs = [(self.actor, self.target_actor), (self.qf1, self.qf1_target), (self.qf2, self.qf2_target)]
            for network, followed in pairs:
                for param, target_param in zip(network.parameters(), followed.parameters()):
                    target_param.data.copy_(TAU * param.data + (1 - TAU) * target_param.data)


def loaded_blas():
    """The libraries of BLAS that this process has loaded, by their files."""
    with open("/proc/self/maps") as maps:
        files = {fields[5] for fields in (line.split(None, 5) for line in maps.read().splitlines()) if len(fields) > 5}
    return sorted(name for name in files if "blas" in name.lower())


def main():
    torch.set_num_threads(1)
    torch.ones(2, 2) @ torch.ones(2, 2)
    blas = next((name for name in loaded_blas() if "openblas" in name), None)
    if blas is None:
        found = ", ".join(loaded_blas()) or "none"
        sys.exit(f"left out PyTorch: expected OpenBLAS, got {found}; apt-get install -y libopenblas0-pthread")
    learners = {}
    for line in sys.stdin:
        request = json.loads(line)
        seconds = request.pop("seconds")
        key = tuple(request.items())
        if key not in learners:
            learners[key] = Learner(**request)
            for _ in range(20):
                learners[key].update()
        learner, count = learners[key], 0
        start = time.perf_counter()
        while count == 0 or time.perf_counter() - start < seconds:
            for _ in range(POLICY_FREQUENCY):
                learner.update()
            count += POLICY_FREQUENCY
        print(json.dumps({"milliseconds": (time.perf_counter() - start) * 1000 / count, "blas": blas}), flush=True)


if __name__ == "__main__":
    main()

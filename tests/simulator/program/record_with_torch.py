"""Trains a small network twice over, in one process of two learners and as two ranks of DistributedDataParallel, and
records both with scripts/traincast_trace.py. Prints how far the recorded gradients' mean is from what averaging gave."""
import os, sys

import torch
import torch.distributed as dist
import torch.multiprocessing as processes

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../scripts"))
from traincast_trace import Trace


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3))


def batch(step, learner):
    generator = torch.Generator().manual_seed(100 * step + learner)
    return torch.randn(4, 5, generator=generator), torch.randint(3, (4,), generator=generator)


def train(model, folder, learners, rank, mine):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trace = Trace(model, folder, learners=learners, rank=rank, data={"name": "drawn for a test", "batch": 4})
    for step in range(3):
        optimizer.zero_grad()
        for learner in mine:
            x, y = batch(step, learner)
            trace.forward(step, learner)
            trace.backward(torch.nn.functional.cross_entropy(model(x), y))
        for p in model.parameters():
            p.grad /= len(mine)
        trace.update(optimizer)
    trace.close()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def rank_of_two(rank, folder, rendezvous):
    dist.init_process_group("gloo", init_method="file://" + rendezvous, rank=rank, world_size=2)
    trained = train(torch.nn.parallel.DistributedDataParallel(network()), folder, 2, rank, [rank])
    if rank == 0:
        torch.save(trained, rendezvous + ".trained")
    dist.destroy_process_group()


if __name__ == "__main__":
    one, two = os.path.join(sys.argv[1], "one"), os.path.join(sys.argv[1], "two")
    alone = train(network(), one, 2, 0, [0, 1])
    rendezvous = os.path.join(sys.argv[1], "rendezvous")
    processes.spawn(rank_of_two, (two, rendezvous), nprocs=2)
    assert torch.allclose(torch.load(rendezvous + ".trained"), alone, atol=1e-6), "the two trainings differ"

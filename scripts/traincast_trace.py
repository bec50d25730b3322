"""Records your own PyTorch training as a traincast trace (workloads/trace/FORMAT.md); needs torch and safetensors alone.

    trace = Trace(model, "trace", learners=world_size, rank=rank, data={"name": "CIFAR-10", "batch": 32})
    for step, (x, y) in enumerate(batches):
        trace.forward(step)      # many learners in one process: forward(step, learner) … backward, one by one; then update
        trace.backward(loss(model(x), y))
        trace.update(optimizer)
    trace.close()                # several ranks: when all have closed, python3 traincast_trace.py FOLDER on one of them
Gradients are each learner's own, taken before DistributedDataParallel averages them. All ranks write into one folder."""
import glob, hashlib, json, os, re, sys, time
from statistics import median
import torch
from safetensors.torch import save_file

class Trace:
    def __init__(self, model, folder, *, data, learners=1, rank=0, seed=0, optimizer={}):
        self.folder, self.rank, self.learners, self.passes, self.updates, self.files = folder, rank, learners, [], [], []
        inner = getattr(model, "module", model)  # within DistributedDataParallel
        named = [(name, p) for name, p in inner.named_parameters() if p.requires_grad]
        self.names, self.cuda = [name for name, _ in named], named[0][1].is_cuda
        owner = {id(p): re.sub("^conv.*", "conv", re.sub(".*norm.*", "norm", type(m).__name__.lower()))  # traincast's words
                 for m in inner.modules() for p in m.parameters(recurse=False)}
        self.about = {"format": 1, "model": type(inner).__name__, "learners": learners, "seed": seed, "data": data,
                      "optimizer": optimizer, "versions": {"torch": torch.__version__}, "device": torch.cuda.get_device_name() if self.cuda else "cpu",
                      "layers": [{"name": name, "shape": list(p.shape), "kind": f"{owner[id(p)]}.{name.split('.')[-1]}"}
                                 for name, p in named]}
        os.makedirs(folder, exist_ok=True)
        for old in glob.glob(os.path.join(folder, f"rank-{rank:06}.json" if rank else "[mr]an*.json")): os.remove(old)  # of an earlier run
        for name, p in named:
            p.register_hook(lambda gradient, name=name: self.taken.update({name: (self.now(), gradient.clone())}))

    def now(self):  # on CUDA a mark in the stream: the host has only queued the work
        if not self.cuda: return time.perf_counter()
        mark = torch.cuda.Event(enable_timing=True)
        return mark.record() or mark

    def seconds(self, begin, end):
        if self.cuda: torch.cuda.synchronize()
        return begin.elapsed_time(end) / 1e3 if self.cuda else end - begin

    def forward(self, step, learner=None):
        self.step, self.learner = step, self.rank if learner is None else learner
        self.taken, self.began = {}, self.now()

    def backward(self, loss):
        begin = self.now()
        loss.backward()
        if lacking := [name for name in self.names if name not in self.taken]:
            raise ValueError(f"no gradient reached {lacking} in step {self.step}; freeze what is not trained")
        self.passes.append((self.seconds(self.began, begin), [self.seconds(begin, self.taken[name][0]) for name in self.names]))
        name = f"step-{self.step:06}-{self.learner:06}.safetensors"
        path = os.path.join(self.folder, name)
        save_file({n: g.detach().to_dense().float().cpu()[None].contiguous() for n, (_, g) in self.taken.items()}, path + ".partial")
        with open(path + ".partial", "rb") as file: digest = hashlib.sha256(file.read()).hexdigest()
        os.replace(path + ".partial", path)
        self.files.append({"path": name, "step": self.step, "learners": [self.learner, self.learner + 1], "sha256": digest})

    def update(self, optimizer):
        begin = self.now()
        optimizer.step()
        self.updates.append(self.seconds(begin, self.now()))

    def close(self):
        forward, ready = zip(*(self.passes[1:] or self.passes))  # the first warms up
        with open(os.path.join(self.folder, f"rank-{self.rank:06}.json"), "w") as file:
            json.dump({**self.about, "forward_s": median(forward), "ready_s": [median(all) for all in zip(*ready)],
                       "optimizer_s": median(self.updates[1:] or self.updates or [0.0]), "files": self.files}, file)
        if len({f["learners"][0] for f in self.files}) == self.learners: finish(self.folder)

def finish(folder):
    ranks = [json.load(open(path)) for path in sorted(glob.glob(os.path.join(folder, "rank-*.json")))]
    files = [f for rank in ranks for f in rank["files"]]
    with open(os.path.join(folder, "manifest.json.partial"), "w") as file:
        json.dump({**ranks[0], "steps": sorted({f["step"] for f in files}), "files": files,
                   "ready_s": [median(all) for all in zip(*(rank["ready_s"] for rank in ranks))],
                   "forward_s": median(r["forward_s"] for r in ranks), "optimizer_s": median(r["optimizer_s"] for r in ranks)}, file)
    os.replace(file.name, file.name.removesuffix(".partial"))  # last, so that a folder without one is no trace

if __name__ == "__main__": finish(sys.argv[1]) if len(sys.argv) == 2 else sys.exit("usage: python3 traincast_trace.py FOLDER")

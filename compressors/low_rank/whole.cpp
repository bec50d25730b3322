#include "compressors/low_rank/whole.hpp"

#include "compressors/gathered.hpp"

namespace traincast {

void send_whole(Group& group, unsigned phase, bool waits, const GradientSource& source,
                Contributions& contributions, std::span<float> average) {
  group.phase(phase);
  auto addend = [&](LearnerId learner, std::span<float> out) {
    source.read(learner, out);
    contributions.kept_all(learner);
  };
  group.all_reduce(Element::fp32, average, {}, addend, waits);
  take_mean(average, group.size());
}

}  // namespace traincast

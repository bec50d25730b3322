#include "simulator/collectives/goal.hpp"

#include <algorithm>
#include <map>
#include <ostream>

namespace traincast {

namespace {

using Label = std::uint64_t;

class RankText {
 public:
  RankText(std::ostream& out, Rank rank) : out_(out) { out_ << "\nrank " << rank << " {\n"; }
  ~RankText() { out_ << "}\n"; }
  RankText(const RankText&) = delete;
  RankText& operator=(const RankText&) = delete;

  void write(const Schedule& schedule, Rank rank) {
    std::vector<Label> last;
    for (std::uint32_t channel = 0; channel < schedule.channels(); ++channel) {
      Label sent = 0, taken = 0;
      auto program = schedule.program(rank, channel);
      for (Action action; program->next(action);) {
        bool sends = action.kind == Action::Kind::send;
        Label label = write(action);
        if (sent == 0 && taken == 0)
          for (Label before : before_) depend(label, before);
        if (sends && sent > 0) depend(label, sent);
        if (taken > 0) depend(label, taken);
        (sends ? sent : taken) = label;
      }
      for (Label label : {sent, taken})
        if (label > 0) last.push_back(label);
    }
    if (!last.empty()) before_ = std::move(last);
  }

 private:
  Label write(const Action& action) {
    bool sends = action.kind == Action::Kind::send;
    std::uint64_t tag = messages_[{sends, action.peer}]++;
    out_ << 'l' << ++label_ << (sends ? ": send " : ": recv ") << std::max<Bytes>(action.bytes, 1)
         << (sends ? "b to " : "b from ") << action.peer << " tag " << tag << '\n';
    return label_;
  }

  void depend(Label label, Label other) { out_ << 'l' << label << " requires l" << other << '\n'; }

  std::ostream& out_;
  Label label_ = 0;
  std::vector<Label> before_;                                // the ends of the collective before
  std::map<std::pair<bool, Rank>, std::uint64_t> messages_;  // to and from each peer
};

}  // namespace

void write_goal(std::ostream& out, const std::vector<std::shared_ptr<const Schedule>>& collectives) {
  std::uint32_t ranks = 0;
  for (const auto& schedule : collectives) ranks = std::max(ranks, schedule->ranks());
  out << "num_ranks " << ranks << '\n';
  for (Rank rank = 0; rank < ranks; ++rank) {
    RankText text(out, rank);
    for (const auto& schedule : collectives)
      if (rank < schedule->ranks()) text.write(*schedule, rank);
  }
}

}  // namespace traincast

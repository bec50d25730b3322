// What a communication stack makes of a method's collectives: which algorithm carries them, in what form, and
// what is added to their time.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platforms/stack.hpp"
#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

/// Thresholds between the stack's protocols for messages over such a network, and its rates of work on hops.
Transport transport_of(const Stack& stack, const NetworkEstimate& network);

struct CarriedCollective {
  std::shared_ptr<const Schedule> schedule;
  /// What ran, in order: a size exchange, then the collective itself.
  std::vector<std::pair<Word, std::string>> algorithms;
  double launch_s = 0, landing_s = 0;
  double estimate_s = 0;  ///< of the collective itself, by its closed form
  /// What "auto" would have taken instead of a named algorithm, where that is quicker.
  std::string quicker;
  double quicker_s = 0;
};

/// `name` is an algorithm of the word that carries the collective, or "auto". Throws InputError where the
/// stack does not carry the word, or the named algorithm not this collective.
CarriedCollective carry(const Stack& stack, const std::string& name, const Collective& collective,
                        const NetworkEstimate& network);

/// The same among sub-groups, for a collective that is written down for all ranks. All take one algorithm:
/// the one of the sub-group that sends most.
CarriedCollective carry(const Stack& stack, const std::string& name, const Collective& collective,
                        const Subgroups& members, const NetworkEstimate& network);

/// Several collectives of one kind as one: addends or messages one behind the other.
Collective joined(std::span<const Collective> collectives);

}  // namespace traincast

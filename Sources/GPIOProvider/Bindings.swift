import Lattice
import Transport

/// The actors bound to a provider.
struct Bindings {
  private(set) var all: [Binding] = []

  /// Adds a binding; one of the same actor and name is replaced.
  mutating func bind(_ binding: Binding) throws(InvocationError) {
    if binding.actor.isEmpty { throw InvocationError(.badRequest, "a binding names no actor") }
    for index in all.indices
    where all[index].actor == binding.actor && all[index].name == binding.name {
      all[index] = binding
      return
    }
    all.append(binding)
  }

  /// Removes all bindings of an actor, if it has any.
  mutating func unbind(actor: String) { all.removeAll { $0.actor == actor } }
}

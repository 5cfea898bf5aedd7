import Lattice
import Transport

/// An input that somebody presses: clicks, double clicks and long presses.
final class ButtonLine: ProvidedLine {
  private var presses: ButtonPresses

  override init(_ configuration: LineConfiguration) {
    presses = ButtonPresses(configuration.button)
    super.init(configuration)
  }

  override var parts: [LineConfiguration] {
    var line = configuration
    line.edges = .both
    return [line]
  }

  override func begin(_ values: [Bool], at now: Instant) {
    presses.begin(isActive: values.first ?? false)
    super.begin(values, at: now)
  }

  override func handle(_ edge: EdgeEvent, ofPart part: Int) -> [LineNews] {
    presses.edge(isActive: edge.isRising, at: edge.time).map { news($0) }
  }

  override var deadline: Instant? { isTaken ? presses.deadline : nil }

  override func handleDeadline(at now: Instant) -> [LineNews] {
    presses.handleDeadline(at: now).map { news($0) }
  }

  private func news(_ event: ButtonPresses.Event) -> LineNews {
    var news = LineNews("press", at: event.time)
    let press: String =
      switch event.gesture {
      case .click: "click"
      case .double: "double"
      case .long: "long"
      }
    news.fields.append("press", .string(press))
    return news
  }
}

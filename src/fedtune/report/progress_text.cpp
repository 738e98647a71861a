#include "fedtune/report/progress_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace fedtune::report {
namespace {

constexpr std::string_view separator = "  ";
constexpr std::size_t longest_bar = 24;
constexpr std::size_t shortest_bar = 8;

struct Field {
  int importance = 0;  // the least is left out first
  std::string text;
};

std::vector<Field> fields_of(const ProgressState& state) {
  std::vector<Field> fields;
  if (state.clients > 0) fields.push_back({3, fmt::format("{}/{} clients", state.clients_done, state.clients)});
  if (state.sentences_per_second) fields.push_back({2, fmt::format("{:.0f} sentences/s", *state.sentences_per_second)});
  if (state.loss) fields.push_back({4, fmt::format("loss {:.4f}", *state.loss)});
  if (state.metric) fields.push_back({5, fmt::format("{} {:.3f}", state.metric_name, *state.metric)});
  if (state.seconds_left) fields.push_back({6, fmt::format("{} left", duration_text(*state.seconds_left))});
  return fields;
}

std::string round_text(const ProgressState& state) {
  return fmt::format("{} {}/{}", state.unit, state.round, state.rounds);
}

// Rounds that are done and the part of this one, in [0, 1].
double fraction_done(const ProgressState& state) {
  if (state.rounds <= 0) return 0.0;
  const double part = state.clients > 0 ? static_cast<double>(state.clients_done) / state.clients : state.part;
  return std::clamp((std::max(state.round - 1, 0) + (state.round > 0 ? part : 0.0)) / state.rounds, 0.0, 1.0);
}

std::string bar_text(double fraction, std::size_t width) {
  const auto done = static_cast<std::size_t>(std::floor(fraction * static_cast<double>(width)));
  return fmt::format("[{}{}]", std::string(done, '#'), std::string(width - done, '-'));
}

std::size_t width_of(const std::vector<Field>& fields) {
  std::size_t width = 0;
  for (const Field& field : fields) width += separator.size() + field.text.size();
  return width;
}

// Leaves out the least important fields until the rest fits.
void fit(std::vector<Field>& fields, std::size_t width) {
  const auto less = [](const Field& a, const Field& b) { return a.importance < b.importance; };
  while (!fields.empty() && width_of(fields) > width)
    fields.erase(std::min_element(fields.begin(), fields.end(), less));
}

std::string joined(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields) text += fmt::format("{}{}", separator, field.text);
  return text;
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds >= 0.0) || seconds > 1e9) return "unknown";
  const long long whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole % 3600 / 60);
}

std::string render_plain(const ProgressState& state) {
  return round_text(state) + joined(fields_of(state));
}

std::string render_bar(const ProgressState& state, const BarStyle& style) {
  // The last column stays free: writing it would wrap the line on some terminals.
  const auto width = static_cast<std::size_t>(std::max(style.width - 1, 0));
  const std::string head = round_text(state).substr(0, width);
  std::vector<Field> fields = fields_of(state);
  if (!state.phase.empty()) fields.insert(fields.begin(), {1, state.phase});
  fit(fields, width - head.size());

  const std::size_t left = width - head.size() - width_of(fields);
  constexpr std::size_t frame = 3;  // a space and two brackets
  std::string bar;
  if (left >= frame + shortest_bar) {
    bar = bar_text(fraction_done(state), std::min(longest_bar, left - frame));
    bar = style.color ? fmt::format(" \033[32m{}\033[0m", bar) : fmt::format(" {}", bar);
  }
  return head + bar + joined(fields);
}

}  // namespace fedtune::report

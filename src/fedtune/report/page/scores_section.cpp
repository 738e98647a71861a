#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fedtune/report/page/measures.h"
#include "fedtune/report/page/sections.h"

namespace fedtune::report {
namespace {

bool taught(const Group& group) {
  return std::ranges::all_of(group.runs,
                             [](const RunRecord* r) { return r->results.metrics.back().teacher.has_value(); });
}

// The mean of a control over the runs that have it.
std::optional<double> control(const Study& study, std::string_view name, const Measure& measure) {
  double sum = 0.0;
  int count = 0;
  for (const RunRecord& run : study.runs()) {
    for (const Control& entry : run.results.controls) {
      if (entry.name != name) continue;
      sum += measure(entry.metrics);
      ++count;
    }
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

void add_levels(LineChart& chart, const Study& study, const Measure& measure) {
  if (const auto value = control(study, "centralised", measure)) chart.levels.push_back({"centralised", *value});
  if (const auto value = control(study, "local", measure)) chart.levels.push_back({"each alone", *value});
}

std::string band_note(const Study& study) {
  const bool several = std::ranges::any_of(study.groups(), [](const Group& g) { return g.runs.size() > 1; });
  return several ? " Lines are means over the seeds, bands reach from the lowest seed to the highest." : "";
}

LineChart chart_of(const Study& study, std::string title, const Measure& measure) {
  LineChart chart{.title = std::move(title), .x_title = "round", .summary = {}, .lines = {}};
  for (const Group& group : study.groups()) {
    chart.lines.push_back({.label = group.label, .look = group.look, .points = series(group, measure)});
  }
  return chart;
}

// One pair of charts for each group that has a teacher.
std::string teacher_figures(const Study& study) {
  std::string html;
  for (const Group& group : study.groups()) {
    if (!taught(group)) continue;
    const std::string of = study.groups().size() > 1 ? fmt::format(", {}", group.label) : "";
    const auto pair = [&](std::string_view what, const Measure& student, const Measure& teacher) {
      LineChart chart{
          .title = fmt::format("{} of teacher and student{}", what, of),
          .x_title = "round",
          .summary = {},
          .lines = {{.label = "student", .look = group.look, .points = series(group, student)},
                    {.label = "teacher", .look = group.look, .dashed = true, .points = series(group, teacher)}}};
      return line_figure(std::move(chart), "Both on the validation set; the teacher is dashed.");
    };
    html += pair("Accuracy", accuracy, teacher_accuracy) + pair("Loss", loss, teacher_loss);
  }
  return html;
}

}  // namespace

std::string scores_section(const Study& study) {
  LineChart accuracies = chart_of(study, "Accuracy", accuracy);
  add_levels(accuracies, study, accuracy);
  accuracies.levels.push_back({"majority", study.runs().front().results.majority_accuracy});
  LineChart mccs = chart_of(study, "MCC", mcc);
  add_levels(mccs, study, mcc);
  LineChart losses = chart_of(study, "Loss", loss);
  add_levels(losses, study, loss);

  std::string figures =
      line_figure(std::move(accuracies),
                  "Share of sentences labelled rightly; majority is who always says the commoner label.") +
      line_figure(std::move(mccs), "Matthews correlation: 1 is perfect, 0 is chance, whatever the labels' balance.") +
      line_figure(std::move(losses), "Mean cross-entropy per sentence; lower is better.") + teacher_figures(study);
  std::string lead = "The global model on the validation set; round 0 is before any training." + band_note(study);
  if (control(study, "centralised", accuracy)) {
    lead += " Centralised: one party trained on all clients' shares for as many rounds.";
  }
  return to_html(Section{.id = "scores",
                         .title = "Scores",
                         .lead = lead,
                         .body = fmt::format("<div class=\"figures\">{}</div>\n", figures)});
}

}  // namespace fedtune::report

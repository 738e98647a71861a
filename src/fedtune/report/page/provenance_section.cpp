#include <algorithm>

#include <fmt/format.h>

#include "fedtune/report/page/sections.h"
#include "fedtune/report/units.h"

namespace fedtune::report {
namespace {

std::string command_of(const RunRecord& run) {
  if (!run.results.command.empty()) return run.results.command;
  return fmt::format("fedtune run --config {}", (run.folder / "config.toml").string());
}

// One for each contender; its other seeds are said.
std::string commands(const Study& study) {
  std::string html;
  for (const Group& group : study.groups()) {
    const RunRecord& run = *group.runs.front();
    std::string seeds;
    for (std::size_t i = 1; i < group.runs.size(); ++i) {
      seeds += fmt::format("{}{}", seeds.empty() ? "" : ", ", group.runs[i]->results.seed);
    }
    html += fmt::format(
        "<h3>{0}</h3>\n<pre tabindex=\"0\" role=\"region\" aria-label=\"Command of {0}\"><code>{1}</code></pre>\n",
        escaped(run.name), escaped(command_of(run)));
    if (!seeds.empty()) html += fmt::format("<p>The other runs like it: <code>--seed</code> {}.</p>\n", seeds);
  }
  return html;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

Table hashes(const Study& study) {
  Table table{.caption = "SHA-256 of what went in and came out",
              .columns = {"run", "final tensors", "client's checkpoint", "teacher's checkpoint", "tokenizer"},
              .rows = {},
              .numeric = false};
  for (const RunRecord& run : study.runs()) {
    const RunResults& r = run.results;
    table.rows.push_back({run.name, or_dash(r.final_sha256), or_dash(r.checkpoints.client),
                          or_dash(r.checkpoints.teacher), or_dash(r.checkpoints.tokenizer)});
  }
  return table;
}

Table machines(const Study& study) {
  Table table{.caption = "Program and machine",
              .columns = {"run", "fedtune", "torch", "processor", "kernels", "most memory"},
              .rows = {},
              .numeric = false};
  for (const RunRecord& run : study.runs()) {
    const RunResults& r = run.results;
    table.rows.push_back({run.name, or_dash(r.version), or_dash(r.torch), or_dash(r.cpu), or_dash(r.kernels),
                          r.peak_rss_bytes > 0 ? bytes_text(static_cast<double>(r.peak_rss_bytes)) : "-"});
  }
  return table;
}

// A column for each contender; the first run of each stands for it.
Table options(const Study& study) {
  constexpr std::size_t most = 8;
  Table table{.caption = "All options", .columns = {"option"}, .rows = {}, .numeric = false};
  const auto groups = study.groups().first(std::min(most, study.groups().size()));
  for (const Group& group : groups) table.columns.push_back(group.label);
  for (const auto& item : groups.front().runs.front()->results.config.items()) {
    std::vector<std::string> row{item.key()};
    for (const Group& group : groups) row.push_back(config_value(*group.runs.front(), item.key()));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::string provenance_section(const Study& study) {
  return to_html(
      Section{.id = "again",
              .title = "Repeat it",
              .lead = "The same command in the same folder, on the same build and kind of processor, gives the same "
                      "bits, and so the same SHA-256 of the final tensors.",
              .body = commands(study) + to_html(hashes(study)) + to_html(machines(study)) + folded(options(study))});
}

}  // namespace fedtune::report

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/report_files.h"
#include "fedtune/report/page/page.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

bool is_run(const fs::path& folder) {
  return fs::exists(folder / "results.json") || fs::exists(folder / "events.jsonl") ||
         fs::exists(folder / "config.toml");
}

// The runs of a sweep, by name; those that tune are no result.
std::vector<fs::path> runs_within(const fs::path& folder) {
  std::vector<fs::path> runs;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with("tune-") && is_run(entry.path())) runs.push_back(entry.path());
  }
  std::ranges::sort(runs);
  return runs;
}

// A run leaves NAME.json beside its folder NAME, so that "results/*" says both: the file stands for the folder.
fs::path without_summary(const fs::path& path) {
  const fs::path folder = fs::path(path).replace_extension();
  return path.extension() == ".json" && fs::is_regular_file(path) && is_run(folder) ? folder : path;
}

std::vector<fs::path> run_folders(const std::vector<std::string>& places) {
  std::vector<fs::path> folders;
  for (const std::string& place : places) {
    fs::path path = fs::path(place).lexically_normal();
    path = without_summary(path.has_filename() ? path : path.parent_path());  // "results/a/" is "results/a"
    std::vector<fs::path> within{path};
    if (fs::is_directory(path) && !is_run(path)) within = runs_within(path);
    if (within.empty()) throw input_error("{}: neither a run's folder nor one that holds runs", place);
    std::ranges::copy_if(within, std::back_inserter(folders),
                         [&](const fs::path& run) { return std::ranges::count(folders, run) == 0; });
  }
  return folders;
}

fs::path page_path(const CommandLine& line) {
  const fs::path path = line.given.contains("output") ? fs::path(line.options.run.output) : fs::path("report.html");
  if (fs::is_directory(path) || !path.has_filename()) {
    throw usage_error("--output {}: a folder; give the name of the page, such as {}", path.string(),
                      (path / "report.html").string());
  }
  if (path.extension() == ".csv") {
    throw usage_error("--output {}: names the page; the CSV is written beside it", path.string());
  }
  return path;
}

}  // namespace

void write_report(const report::RunResults& results, const RunFolder& folder) {
  const nlohmann::json json = report::to_json(results);
  std::vector<report::RunRecord> runs;
  runs.push_back(report::run_record({.folder = folder.path(), .results = json, .events = read_file(folder.events())}));
  write_file_atomically(folder.report(), report::to_page(report::Study(std::move(runs))));
}

void report_command(const CommandLine& line) {
  if (line.positionals.empty()) throw usage_error("report: of which RUN? give the folder of a run, or of several");
  const fs::path page = page_path(line);
  std::vector<report::RunRecord> runs;
  for (const fs::path& folder : run_folders(line.positionals)) runs.push_back(report::load_run(folder));
  const report::Study study(std::move(runs));

  fs::path table = page;
  table.replace_extension(".csv");
  if (page.has_parent_path()) create_folders(page.parent_path());
  write_file_atomically(page, report::to_page(study));
  write_file_atomically(table, report::to_csv(study));
  if (line.options.run.quiet) return;
  for (const report::RunRecord& run : study.runs()) {
    for (const std::string& remark : run.remarks) fmt::print("note: {}: {}\n", run.name, remark);
  }
  fmt::print("{} and {}: {} run{}\n", page.string(), table.string(), study.runs().size(),
             study.runs().size() == 1 ? "" : "s");
}

}  // namespace fedtune::cli

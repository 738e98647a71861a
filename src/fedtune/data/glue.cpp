#include "fedtune/data/glue.h"

#include <algorithm>
#include <iterator>

#include <fmt/ranges.h>

#include "fedtune/base/error.h"

namespace fedtune::data {

std::span<const GlueTask> glue_tasks() {
  static const std::vector<GlueTask> tasks = [] {
    const std::vector<std::string_view> plain{"validation", "dev"};
    const std::vector<std::string_view> matched{"validation", "dev", "validation_matched", "dev_matched"};
    const std::vector<std::string_view> mismatched{"validation_mismatched", "dev_mismatched"};
    return std::vector<GlueTask>{
        {"cola", "CoLA", "cola", plain},           {"sst2", "SST-2", "sst2", plain},
        {"mrpc", "MRPC", "mrpc", plain},           {"qqp", "QQP", "qqp", plain},
        {"qnli", "QNLI", "qnli", plain},           {"rte", "RTE", "rte", plain},
        {"wnli", "WNLI", "wnli", plain},           {"mnli", "MNLI", "mnli", matched},
        {"mnli_matched", "MNLI", "mnli", matched}, {"mnli_mismatched", "MNLI", "mnli", mismatched}};
  }();
  return tasks;
}

const GlueTask* find_glue_task(std::string_view name) {
  const auto tasks = glue_tasks();
  const auto found = std::ranges::find(tasks, name, &GlueTask::name);
  return found == tasks.end() ? nullptr : &*found;
}

const GlueTask& glue_task(std::string_view name) {
  if (const GlueTask* task = find_glue_task(name)) return *task;
  std::vector<std::string_view> names;
  std::ranges::transform(glue_tasks(), std::back_inserter(names), &GlueTask::name);
  throw usage_error("--data-name {}: expected {}{}", name, fmt::join(names, ", "),
                    name == "stsb" || name == "STS-B" ? "; STS-B asks for a number, not for a class" : "");
}

}  // namespace fedtune::data

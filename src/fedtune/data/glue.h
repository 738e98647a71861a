// The classification tasks of GLUE (Wang et al. 2019): what they are called, and where their files are.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::data {

struct GlueTask {
  std::string_view name;    // as --data-name gives it: "mrpc"
  std::string_view folder;  // in GLUE's own archive: "MRPC"
  std::string_view subset;  // the hub's configuration, a folder there
  // How the names of its validation files begin, the first that is there.
  std::vector<std::string_view> validation;
};

// cola sst2 mrpc qqp qnli rte wnli; mnli (validated on the genres it was trained on; mnli_matched is the same) and
// mnli_mismatched.
std::span<const GlueTask> glue_tasks();

// nullptr for another name.
const GlueTask* find_glue_task(std::string_view name);
// Throws Error(usage) that lists the names.
const GlueTask& glue_task(std::string_view name);

}  // namespace fedtune::data

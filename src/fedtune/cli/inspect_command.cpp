#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/inspect.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/hub/resolve.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

Facts inspect(const fs::path& path, const Options& options) {
  if (fs::is_regular_file(path) && path.extension() == ".safetensors") return inspect_tensors(path);
  if (fs::is_regular_file(path)) return inspect_sentences(path);
  if (fs::exists(path / "config.toml")) return inspect_run(path);
  if (fs::exists(path / "adapter_config.json")) return inspect_adapter(path);
  if (fs::exists(path / "config.json")) return inspect_checkpoint(path, options);
  return inspect_dataset(path, options);
}

std::string to_text(const Facts& facts) {
  std::string text;
  for (const auto& [name, value] : facts.items()) {
    text += fmt::format("{:<28}{}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

}  // namespace

void inspect_command(const CommandLine& line) {
  if (line.positionals.empty()) throw usage_error("inspect: which PATH? a checkpoint, adapter, data set or run");
  const Options options = resolve_for_scoring(line.options);
  const std::string& place = line.positionals.front();
  const fs::path path =
      hub::is_path(place) ? fs::path(place) : hub::resolve_checkpoint(place, hub_options(options)).folder;
  if (!fs::exists(path)) throw input_error("{}: there is no such file or folder", place);
  const Facts facts = inspect(path, options);
  fmt::print("{}", options.score.json ? facts.dump(2) + "\n" : to_text(facts));
}

}  // namespace fedtune::cli

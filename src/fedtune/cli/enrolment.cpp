#include "fedtune/cli/enrolment.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"
#include "fedtune/cli/option_table.h"

namespace fedtune::cli {
namespace {

// May differ from party to party. That the model is the same is checked by its hash.
constexpr std::array<std::string_view, 5> own_affairs{"client-ckpt", "teacher-ckpt", "data-path", "device", "threads"};

bool is_own(const OptionSpec& spec) {
  return spec.on_resume == OnResume::may_differ || std::ranges::count(own_affairs, spec.name) > 0;
}

Options read_announcement(const std::string& announced) {
  Options options;
  try {
    const nlohmann::json json = nlohmann::json::parse(announced);
    for (const auto& [name, value] : json.items()) {
      const OptionSpec* const spec = find_option(name);
      if (spec == nullptr) {
        throw network_error("the server has an option that is not known here, --{}; its fedtune is newer", name);
      }
      spec->set(options, std::vector<std::string>{value_text(value)});
    }
  } catch (const nlohmann::json::exception& error) {
    throw network_error("the server's options cannot be read: {}", error.what());
  }
  return options;
}

}  // namespace

std::string announced_options(const Options& options) {
  nlohmann::ordered_json announced = nlohmann::ordered_json::object();
  for (const OptionSpec& spec : option_table()) {
    if (spec.on_resume == OnResume::may_differ) continue;
    if (nlohmann::json value = spec.get(options); !value.is_null()) announced[std::string(spec.name)] = value;
  }
  return announced.dump();
}

Options enrolled_options(const CommandLine& line, const std::string& announced) {
  Options options = read_announcement(announced);
  std::string differences;
  for (const OptionSpec& spec : option_table()) {
    if (!line.given.contains(spec.name)) continue;
    if (is_own(spec)) {
      copy_option(spec, line.options, options);
    } else if (spec.get(line.options) != spec.get(options)) {
      differences += fmt::format("{}--{} {} (the server has {})", differences.empty() ? "" : ", ", spec.name,
                                 value_text(spec.get(line.options)), value_text(spec.get(options)));
    }
  }
  if (!differences.empty()) {
    throw usage_error("the server's settings hold for every client, and these contradict them: {}; leave them out",
                      differences);
  }
  return options;
}

}  // namespace fedtune::cli

#include "fedtune/cli/sweep/sweep_file.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/cli/toml_file.h"

namespace fedtune::cli {
namespace {

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ","));
}

class SweepFileReader {
 public:
  explicit SweepFileReader(const std::filesystem::path& path) : toml_(path) { sweep_.name = path.stem().string(); }

  SweepFile read() {
    for (const auto& [key, node] : TomlFile::in_file_order(toml_.root())) read_root(key, *node);
    return std::move(sweep_);
  }

 private:
  void read_root(const std::string& key, const toml::node& node) {
    static const std::vector<std::string> sections{"sweep", "case", "tune"};
    if (key == "sweep") {
      for (const auto& [option, values] : entries(key, node)) sweep_.axes.push_back(axis(option, *values, sections));
    } else if (key == "case") {
      read_cases(node);
    } else if (key == "tune") {
      read_tuning(key, node);
    } else {
      read_common(key, node, sections);
    }
  }

  void read_common(const std::string& key, const toml::node& node, std::span<const std::string> sections) {
    const OptionSpec& spec = toml_.option(key, node, sections);
    if (spec.name == "config" || spec.name == "resume" || spec.name == "table") {
      throw usage_error("{}: --{} does not belong in a sweep", toml_.place(node), spec.name);
    }
    std::vector<std::string> texts = toml_.texts(spec, key, node);
    if (spec.name == "name") {
      sweep_.name = texts.front();
    } else if (spec.name == "output") {
      sweep_.output = texts.front();
    } else {
      sweep_.common[std::string(spec.name)] = std::move(texts);
    }
  }

  void read_cases(const toml::node& node) {
    static const std::vector<std::string> others{"name"};
    const toml::array* cases = node.as_array();
    if (cases == nullptr || !cases->is_homogeneous<toml::table>()) {
      throw usage_error("{}: case: expected [[case]] tables", toml_.place(node));
    }
    std::map<std::string, const toml::node*> varied;
    for (const toml::node& item : *cases) {
      Case one;
      for (const auto& [key, value] : entries("case", item)) {
        if (key == "name") {
          one.name = text_of(key, *value);
          continue;
        }
        const OptionSpec& spec = sweepable(key, *value, others);
        one.options.push_back({std::string(spec.name), {joined(toml_.texts(spec, key, *value))}});
        varied.emplace(spec.name, value);
      }
      sweep_.cases.push_back(std::move(one));
    }
    for (const auto& [option, value] : varied) claim(option, *value);
  }

  void read_tuning(const std::string& section, const toml::node& node) {
    static const std::vector<std::string> others{"per", "metric"};
    Tuning tuning{.candidates = {}, .overrides = {{"tune-slice", {"10"}}}, .per = {"scheme"}, .metric = "mcc"};
    for (const auto& [key, value] : entries(section, node)) {
      if (key == "per") {
        tuning.per = options_of(key, *value);
      } else if (key == "metric") {
        tuning.metric = text_of(key, *value);
        if (tuning.metric != "mcc" && tuning.metric != "accuracy") {
          throw usage_error("{}: metric: expected mcc or accuracy, got '{}'", toml_.place(*value), tuning.metric);
        }
      } else if (value->is_array()) {
        tuning.candidates.push_back(axis(key, *value, others));
      } else {
        const OptionSpec& spec = sweepable(key, *value, others);
        tuning.overrides[std::string(spec.name)] = toml_.texts(spec, key, *value);
      }
    }
    if (tuning.candidates.empty()) {
      throw usage_error("{}: tune: which option? give a list of values to try, as in client-lr = [1e-4, 1e-3]",
                        toml_.place(node));
    }
    for (const std::string& option : tuning.per) {
      if (std::ranges::count(tuning.candidates, option, &Axis::option) > 0) {
        throw usage_error("{}: tune: --{} is both tuned and in per", toml_.place(node), option);
      }
    }
    sweep_.tuning = std::move(tuning);
  }

  std::vector<TomlEntry> entries(const std::string& section, const toml::node& node) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) throw usage_error("{}: {}: expected a table", toml_.place(node), section);
    return TomlFile::in_file_order(*table);
  }

  std::string text_of(const std::string& key, const toml::node& node) const {
    const auto* text = node.as_string();
    if (text == nullptr) throw usage_error("{}: {}: expected a string", toml_.place(node), key);
    return text->get();
  }

  std::vector<std::string> options_of(const std::string& key, const toml::node& node) const {
    const toml::array* names = node.as_array();
    if (names == nullptr) throw usage_error("{}: {}: expected a list of options", toml_.place(node), key);
    std::vector<std::string> options;
    for (const toml::node& name : *names) options.emplace_back(sweepable(text_of(key, name), name, {}).name);
    return options;
  }

  const OptionSpec& sweepable(const std::string& key, const toml::node& node,
                              std::span<const std::string> others) const {
    const OptionSpec& spec = toml_.option(key, node, others);
    if (spec.on_resume == OnResume::may_differ || !spec.stored) {
      throw usage_error("{}: --{} cannot change a result: there is nothing to compare", toml_.place(node), spec.name);
    }
    return spec;
  }

  Axis axis(const std::string& key, const toml::node& node, std::span<const std::string> others) {
    const OptionSpec& spec = sweepable(key, node, others);
    claim(std::string(spec.name), node);
    const toml::array* values = node.as_array();
    if (values == nullptr || values->empty()) {
      throw usage_error("{}: {}: expected a list of values", toml_.place(node), key);
    }
    Axis axis{std::string(spec.name), {}};
    for (const toml::node& value : *values) {
      std::string text = joined(toml_.texts(spec, key, value));
      if (std::ranges::count(axis.values, text) > 0) {
        throw usage_error("{}: {}: {} is there twice", toml_.place(value), key, text);
      }
      axis.values.push_back(std::move(text));
    }
    return axis;
  }

  // An option varies in one place.
  void claim(const std::string& option, const toml::node& node) {
    const auto [found, is_new] = claimed_.emplace(option, toml_.place(node));
    if (!is_new) {
      throw usage_error("{}: --{} is already varied at {}; vary it in one of [sweep], [[case]] and [tune]",
                        toml_.place(node), option, found->second);
    }
  }

  TomlFile toml_;
  SweepFile sweep_;
  std::map<std::string, std::string> claimed_;  // option to place
};

}  // namespace

SweepFile read_sweep(const std::filesystem::path& path) {
  return SweepFileReader(path).read();
}

}  // namespace fedtune::cli

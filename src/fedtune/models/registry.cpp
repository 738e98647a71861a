#include <array>

#include <fmt/ranges.h>

#include "fedtune/base/error.h"
#include "fedtune/base/nearest.h"
#include "fedtune/models/bert/bert.h"
#include "fedtune/models/distilbert/distilbert.h"
#include "fedtune/models/family.h"
#include "fedtune/models/roberta/roberta.h"

namespace fedtune::models {

std::span<const Family* const> families() {
  static const std::array<const Family*, 3> known{&bert(), &distilbert(), &roberta()};
  return known;
}

const Family& family_of(std::string_view model_type, const std::string& file) {
  std::vector<std::string> known;
  for (const Family* family : families()) {
    if (family->model_type == model_type) return *family;
    known.push_back(family->model_type);
  }
  const std::string nearest = nearest_name(model_type, known);
  throw input_error("{}: unknown model_type \"{}\"{}; known are: {}", file, model_type,
                    nearest.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", nearest), fmt::join(known, ", "));
}

}  // namespace fedtune::models

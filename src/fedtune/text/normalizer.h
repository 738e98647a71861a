// BERT's normalisation: clean, set ideographs off, strip accents, lower-case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fedtune::text {

struct NormalizerOptions {
  bool clean_text = true;                  // drop control characters, make white space a blank
  bool handle_chinese_chars = true;        // a blank on either side of each ideograph
  std::optional<bool> strip_accents = {};  // unset follows lowercase
  bool lowercase = true;
};

// In that order. `text` must be valid UTF-8.
std::string normalize(std::string_view text, const NormalizerOptions& options);

}  // namespace fedtune::text

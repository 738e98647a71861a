// What holds of every table of labelled sentences.
#pragma once

#include <algorithm>

#include "support.h"

#include "fedtune/data/columns.h"
#include "fedtune/data/testing.h"

namespace fedtune::fuzz {

template <typename R>
void check_sentences(const data::Rows<R>& rows, std::size_t count) {
  for (const std::int64_t classes : {0, 3}) {
    const auto sentences =
        accepted([&] { return data::sentences_of(rows, {.source = "input", .num_labels = classes}); });
    if (!sentences) continue;
    require(sentences->size() <= count, "there are no more sentences than rows");
    require(
        std::ranges::all_of(
            *sentences, [&](const data::Sentence& s) { return s.label >= 0 && (classes == 0 || s.label < classes); }),
        "a label is a class");
  }
}

inline bool same_fields(const std::vector<data::Row>& a, const std::vector<data::Row>& b) {
  return std::ranges::equal(a, b, [](const data::Row& x, const data::Row& y) { return x.fields == y.fields; });
}

}  // namespace fedtune::fuzz

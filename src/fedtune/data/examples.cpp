#include "fedtune/data/examples.h"

#include <algorithm>

#include "fedtune/base/parallel.h"

namespace fedtune::data {

namespace {

Example example_of(const Sentence& sentence, const text::Tokenizer& tokenizer, const TokenizeOptions& options) {
  if (!sentence.second) {
    return {.ids = tokenizer.encode(sentence.text, options.max_length), .label = sentence.label};
  }
  text::EncodedPair pair = tokenizer.encode_pair(sentence.text, *sentence.second, options.max_length);
  return {
      .ids = std::move(pair.ids), .label = sentence.label, .type_1_from = static_cast<std::int32_t>(pair.type_1_from)};
}

}  // namespace

std::vector<Example> tokenize(const Sentences& sentences, const text::Tokenizer& tokenizer,
                              const TokenizeOptions& options) {
  constexpr std::size_t chunk = 1024;  // sentences per job: about a millisecond
  std::vector<Example> examples(sentences.size());
  const ParallelJobs jobs{.count = (sentences.size() + chunk - 1) / chunk, .workers = options.workers};
  run_parallel(jobs, [&](std::size_t job) {
    for (std::size_t i = job * chunk; i < std::min(sentences.size(), (job + 1) * chunk); ++i) {
      examples[i] = example_of(sentences[i], tokenizer, options);
    }
  });
  return examples;
}

std::vector<Example> select(std::span<const Example> examples, std::span<const std::uint32_t> share) {
  std::vector<Example> selected;
  selected.reserve(share.size());
  for (const std::uint32_t row : share) selected.push_back(examples[row]);
  return selected;
}

}  // namespace fedtune::data

#include "fedtune/fed/types.h"

#include <algorithm>

namespace fedtune::fed {

std::vector<int> heavy_clients(const RoundRecord& record) {
  constexpr std::size_t fewest = 3;
  constexpr double many = 10.0;
  if (record.accepted.size() < fewest) return {};
  std::vector<double> weights;
  for (const ClientRecord& client : record.accepted) weights.push_back(client.sent_weight);
  const auto middle = weights.begin() + static_cast<std::ptrdiff_t>((weights.size() - 1) / 2);
  std::nth_element(weights.begin(), middle, weights.end());
  std::vector<int> heavy;
  for (const ClientRecord& client : record.accepted) {
    if (client.sent_weight > many * *middle) heavy.push_back(client.rank);
  }
  return heavy;
}

double RoundRecord::sentences_per_second() const {
  std::int64_t sentences = 0;
  for (const ClientRecord& client : accepted) sentences += client.report.sentences;
  return seconds.train > 0.0 ? static_cast<double>(sentences) / seconds.train : 0.0;
}

}  // namespace fedtune::fed

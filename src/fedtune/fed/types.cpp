#include "fedtune/fed/types.h"

namespace fedtune::fed {

double RoundRecord::sentences_per_second() const {
  std::int64_t sentences = 0;
  for (const ClientRecord& client : accepted) sentences += client.report.sentences;
  return seconds.train > 0.0 ? static_cast<double>(sentences) / seconds.train : 0.0;
}

}  // namespace fedtune::fed

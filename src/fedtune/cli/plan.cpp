#include "fedtune/cli/plan.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <span>

#include "fedtune/base/clock.h"
#include "fedtune/base/memory.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/teacher.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/strategy/schemes.h"
#include "fedtune/worker/client_worker.h"

namespace fedtune::cli {
namespace {

constexpr double wanted_seconds = 4.0;  // of a measured round
constexpr std::size_t most_batches = 8;

fed::EngineOptions engine_options(const Options& options) {
  return {.rounds = options.federation.num_rounds,
          .clients = options.federation.num_clients,
          .fraction_fit = options.federation.fraction_fit,
          .seed = options.training.seed};
}

double tokens_of(std::span<const data::Example> examples, std::span<const std::uint32_t> rows) {
  double tokens = 0.0;
  for (const std::uint32_t row : rows) tokens += static_cast<double>(examples[row].ids.size());
  return tokens;
}

double tokens_of(std::span<const data::Example> examples) {
  double tokens = 0.0;
  for (const data::Example& example : examples) tokens += static_cast<double>(example.ids.size());
  return tokens;
}

// Evenly spaced ones, so that they are as long as the others.
template <typename T>
std::vector<T> spread(std::span<const T> all, std::size_t count) {
  std::vector<T> some;
  count = std::min(count, all.size());
  for (std::size_t i = 0; i < count; ++i) some.push_back(all[i * all.size() / count]);
  return some;
}

// A federation cut down to some batches; the cuts last as long as this object.
class Sample {
 public:
  Sample(const Options& options, Federation& federation, std::size_t batches)
      : options_(options), federation_(federation), whole_(federation.partition) {
    options_.training.client_epochs = 1;
    const std::size_t sentences = batches * static_cast<std::size_t>(options.training.batch_size);
    const auto asked = static_cast<std::size_t>(fed::cohort_size(engine_options(options)));
    data::Partition& partition = federation.partition;
    partition.clients.resize(std::min(asked, static_cast<std::size_t>(workers_of(options))));
    for (auto& rows : partition.clients) rows = spread(std::span<const std::uint32_t>(rows), sentences);
    // One of ten is held out from the teacher: there are two at least.
    partition.public_share =
        spread(std::span<const std::uint32_t>(partition.public_share), std::max<std::size_t>(sentences, 2));
    validation_ = spread(std::span<const data::Example>(federation.data.validation),
                         sentences * static_cast<std::size_t>(workers_of(options)));
  }
  ~Sample() { federation_.partition = std::move(whole_); }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  // The record of its only round.
  fed::RoundRecord play() {
    strategy::SchemeParts parts{.student = federation_.student,
                                .validation = {validation_, evaluate_options(options_)}};
    if (federation_.teacher) parts.distiller.emplace(make_distiller(options_, federation_, {}));
    const std::string_view scheme =
        distils(options_) && !federation_.teacher ? word(Scheme::fedlora) : word(options_.federation.scheme);
    const auto strategy = strategy::scheme_named(scheme).make(std::move(parts));
    worker::ClientWorker worker(federation_.student, shares_of(federation_), client_options(options_));
    fed::InProcessTransport transport(worker, workers_of(options_));
    fed::Engine engine({.rounds = 1,
                        .clients = static_cast<int>(federation_.partition.clients.size()),
                        .seed = options_.training.seed},
                       {*strategy, transport});
    return engine.run().history.back();
  }

  std::size_t clients() const { return federation_.partition.clients.size(); }
  double client_tokens() const {
    double tokens = 0.0;
    for (const auto& rows : federation_.partition.clients) tokens += tokens_of(federation_.data.train, rows);
    return tokens;
  }
  double public_tokens() const { return tokens_of(federation_.data.train, federation_.partition.public_share); }
  double validation_tokens() const { return tokens_of(validation_); }

 private:
  Options options_;
  Federation& federation_;
  data::Partition whole_;
  std::vector<data::Example> validation_;
};

// Wall clock of a round's training: each worker takes the next client in the order of their ranks.
double exchange_seconds(const std::vector<double>& client_seconds, int workers) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (int i = 0; i < workers; ++i) free_at.push(0.0);
  double end = 0.0;
  for (const double seconds : client_seconds) {
    const double done = free_at.top() + seconds;
    free_at.pop();
    free_at.push(done);
    end = std::max(end, done);
  }
  return end;
}

double training_seconds(const Options& options, const Federation& federation, double tokens_per_second) {
  std::vector<double> seconds;
  for (const auto& rows : federation.partition.clients) {
    seconds.push_back(tokens_of(federation.data.train, rows) * options.training.client_epochs / tokens_per_second);
  }
  double sum = 0.0;
  for (int round = 1; round <= options.federation.num_rounds; ++round) {
    std::vector<double> asked;
    for (const int rank : fed::choose_cohort(engine_options(options), round)) {
      asked.push_back(seconds[static_cast<std::size_t>(rank - 1)]);
    }
    sum += exchange_seconds(asked, workers_of(options));
  }
  return sum;
}

}  // namespace

PlannedTraffic planned_traffic(const Options& options, const Layout& layout) {
  PlannedTraffic traffic{.tensors = static_cast<std::int64_t>(layout.size())};
  for (const TensorSpec& spec : layout) {
    const auto bytes = static_cast<std::int64_t>(byte_size(spec.dtype, spec.shape).value_or(0));
    traffic.payload += bytes;
    traffic.numbers += bytes / static_cast<std::int64_t>(item_size(spec.dtype));
    const bool adapter = spec.name.find(".lora_") != std::string::npos;
    if (options.federation.scheme != Scheme::fedavg && !adapter) traffic.head += bytes;
  }
  for (int round = 1; round <= options.federation.num_rounds; ++round) {
    const auto cohort = static_cast<std::int64_t>(fed::choose_cohort(engine_options(options), round).size());
    traffic.rounds.push_back({.round = round, .up = traffic.payload * cohort, .down = traffic.payload * cohort});
  }
  return traffic;
}

Measured measure(const Options& options, Federation& federation) {
  // The first steps of a process are slow, and say how many of the others there is time for.
  const auto warm_up = [&] {
    Sample sample(options, federation, 1);
    const Stopwatch watch;
    sample.play();
    return watch.seconds();
  };
  const auto batches = static_cast<std::size_t>(std::clamp(wanted_seconds / warm_up(), 2.0, double{most_batches}));

  const double rounds = options.federation.num_rounds;
  const double public_tokens = tokens_of(federation.data.train, federation.partition.public_share);
  Measured measured;
  double rate = 0.0;  // tokens per second of a client
  std::size_t played = 1;
  {
    Sample sample(options, federation, batches);
    const fed::RoundRecord record = sample.play();
    played = sample.clients();
    rate = sample.client_tokens() / static_cast<double>(played) / std::max(record.seconds.train, 1e-9);
    if (federation.teacher) {
      measured.time.distil = record.seconds.distil * rounds * public_tokens / std::max(sample.public_tokens(), 1.0);
    }
    // Round 0 is scored too.
    measured.time.evaluate = record.seconds.evaluate * (rounds + 1) * tokens_of(federation.data.validation) /
                             std::max(sample.validation_tokens(), 1.0);
    measured.time.aggregate = record.seconds.aggregate * rounds;
  }
  measured.time.train = training_seconds(options, federation, rate);
  const std::size_t cohort = fed::choose_cohort(engine_options(options), 1).size();
  measured.time.aggregate *= static_cast<double>(cohort) / static_cast<double>(played);
  const std::int64_t payload = planned_traffic(options, federation.student->layout()).payload;
  measured.memory = peak_rss_bytes() + payload * static_cast<std::int64_t>(cohort - played);
  return measured;
}

}  // namespace fedtune::cli

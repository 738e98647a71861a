// A strategy of one's own: the median of the contributions, value by value, which a minority of poisoned clients cannot
// move.
//
//   own_strategy MODEL DATA      a BERT or DistilBERT checkpoint; a folder with train.tsv and validation.tsv
#include <algorithm>
#include <iostream>

#include "fedtune/cli/controls.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/strategy/fedlora.h"
#include "fedtune/worker/client_worker.h"

using namespace fedtune;

class FedMedian final : public strategy::FedLora {
 public:
  using FedLora::FedLora;

  NamedTensors aggregate(int /*round*/, const NamedTensors& global, std::span<const fed::Update> accepted) override {
    auto medians = std::make_shared<std::vector<float>>(global.total_bytes() / sizeof(float));
    NamedTensors result{.tensors = global.tensors, .owner = medians};
    std::vector<float> values(accepted.size());
    std::span<float> rest(*medians);
    for (std::size_t t = 0; t < result.tensors.size(); ++t) {
      const std::span<float> median = rest.first(result.tensors[t].f32().size());
      rest = rest.subspan(median.size());
      for (std::size_t i = 0; i < median.size(); ++i) {
        for (std::size_t k = 0; k < accepted.size(); ++k) values[k] = accepted[k].tensors.tensors[t].f32()[i];
        std::ranges::sort(values);
        median[i] = values[values.size() / 2];
      }
      result.tensors[t].bytes = std::as_bytes(median);
    }
    return result;
  }
};

// One client sends back the opposite of what it has learnt, ten times over.
struct Poisoner final : fed::LocalTask {
  Poisoner(fed::LocalTask& clients, int rank) : honest(clients), poisoned(rank) {}
  fed::LocalTask& honest;
  int poisoned;
  fed::Update train(const fed::Instruction& instruction, const std::function<bool()>& stop) override {
    fed::Update update = honest.train(instruction, stop);
    if (instruction.rank != poisoned) return update;
    auto values = std::make_shared<std::vector<std::vector<float>>>();
    for (TensorView& tensor : update.tensors.tensors) {
      std::vector<float>& opposite = values->emplace_back(tensor.f32().begin(), tensor.f32().end());
      for (float& value : opposite) value *= -10.0f;
      tensor.bytes = std::as_bytes(std::span(opposite));
    }
    update.tensors.owner = values;
    return update;
  }
};

int main(int argc, char** argv) try {
  if (argc != 3) return std::cerr << "usage: own_strategy MODEL DATA\n", 2;
  cli::Options options{.federation = {.scheme = cli::Scheme::fedlora, .num_clients = 5, .num_rounds = 5},
                       .models = {.client_ckpt = argv[1]},
                       .data = {.data_path = argv[2]},
                       .training = {.client_lr = 4e-3}};
  options = cli::resolve_for_run(options);
  const auto federation = cli::load_federation(options);
  FedMedian strategy(federation->student, {federation->data.validation, cli::evaluate_options(options)});
  worker::ClientWorker worker(federation->student, cli::shares_of(*federation), cli::client_options(options));
  Poisoner clients(worker, 5);
  fed::InProcessTransport transport(clients, cli::workers_of(options));
  fed::Engine({.rounds = 5, .clients = 5}, {.strategy = strategy, .transport = transport},
              {.on_round =
                   [](const fed::RoundRecord& record) {
                     std::cout << "round " << record.round << ": accuracy " << record.evaluation.accuracy << '\n';
                   }})
      .run();
} catch (const std::exception& error) {
  return std::cerr << "own_strategy: " << error.what() << '\n', 1;
}

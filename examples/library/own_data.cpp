// Data of one's own: sentences made as the program runs, each client's in a dialect of its own, no file read.
//
//   own_data MODEL      a BERT or DistilBERT checkpoint
#include <array>
#include <iostream>

#include "fedtune/data/examples.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/strategy/fedlora.h"
#include "fedtune/text/tokenizer.h"
#include "fedtune/worker/client_worker.h"

using namespace fedtune;

// `count` opinions about the things that this owner knows; label 1 for praise.
data::Sentences opinions(std::string_view thing, std::uint32_t owner, std::uint32_t count) {
  constexpr std::array praise{"good", "great", "lovely", "a joy", "worth it"};
  constexpr std::array blame{"bad", "poor", "dull", "a bore", "a waste"};
  RandomStream random({.seed = 7, .purpose = Purpose::partition, .rank = owner});
  data::Sentences sentences;
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool good = random.below(2) == 1;
    const std::string word = (good ? praise : blame)[random.below(5)];
    sentences.push_back({.text = "the " + std::string(thing) + " was " + word, .label = good ? 1 : 0});
  }
  return sentences;
}

int main(int argc, char** argv) try {
  if (argc != 2) return std::cerr << "usage: own_data MODEL\n", 2;
  const std::uint64_t seed = 1;
  const text::Tokenizer tokenizer = text::Tokenizer::load(argv[1]);
  models::LoadedModel loaded =
      models::load_checkpoint(argv[1], {.initialise_head = true, .seed = seed, .num_labels = 2});
  const auto student =
      std::make_shared<const train::StudentTemplate>(std::move(loaded.model), train::StudentOptions{.seed = seed});

  // All clients share one pool of examples; each owns rows of it.
  std::vector<data::Example> pool;
  worker::Shares shares;
  std::uint32_t owner = 0;
  for (const std::string_view thing : {"film", "book", "meal"}) {
    std::vector<std::uint32_t>& rows = shares.rows.emplace_back();
    for (data::Example& example : data::tokenize(opinions(thing, ++owner, 64), tokenizer, {.max_length = 32})) {
      rows.push_back(static_cast<std::uint32_t>(pool.size()));
      pool.push_back(std::move(example));
    }
  }
  shares.examples = pool;
  const std::vector<data::Example> validation =
      data::tokenize(opinions("play", ++owner, 100), tokenizer, {.max_length = 32});

  strategy::FedLora strategy(student, {.examples = validation});
  worker::ClientWorker clients(student, shares, {.lr = 5e-3, .batch_size = 8, .seed = seed});
  fed::InProcessTransport transport(clients, 2);
  fed::Engine({.rounds = 5, .clients = 3, .seed = seed}, {.strategy = strategy, .transport = transport},
              {.on_round =
                   [](const fed::RoundRecord& record) {
                     std::cout << "round " << record.round << ": accuracy " << record.evaluation.accuracy << '\n';
                   }})
      .run();
} catch (const std::exception& error) {
  return std::cerr << "own_data: " << error.what() << '\n', 1;
}

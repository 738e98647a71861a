// Times local training steps of several clients at once, driven line by line by peer/step_speed.py.
//
//   step_bench FOLDER [CLIENTS]
//
// FOLDER holds model/ (a checkpoint), adapter/ (PEFT's format) and batches.json: a list of {"ids": [[...], ...],
// "labels":
// [...]}. Each line of standard input is a command, each line of standard output its answer in JSON:
//
//   logits      [sentences, classes] of batch 0, dropout off
//   curve N     losses of N steps from the start on batches 0 .. N-1, dropout off
//   run F N     steps on batches F .. F+N-1 (modulo their number), dealt out to the clients: wall clock, sentences,
//   tokens
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/memory.h"
#include "fedtune/data/batch.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/nn/thread.h"
#include "fedtune/peft/adapter_folder.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/phase.h"
#include "fedtune/train/student.h"

namespace fedtune {
namespace {

using nlohmann::json;

std::vector<data::PackedBatch> read_batches(const std::filesystem::path& file) {
  std::vector<data::PackedBatch> batches;
  for (const json& source : json::parse(std::ifstream(file))) {
    std::vector<data::Example> examples;
    std::vector<std::uint32_t> order;
    for (std::size_t i = 0; i < source["labels"].size(); ++i) {
      examples.push_back({.ids = source["ids"][i], .label = source["labels"][i]});
      order.push_back(static_cast<std::uint32_t>(i));
    }
    batches.push_back(data::pack(examples, order));
  }
  return batches;
}

class Bench {
 public:
  Bench(const std::filesystem::path& folder, int clients) : batches_(read_batches(folder / "batches.json")) {
    models::SequenceClassifier base = models::load_checkpoint(folder / "model", {}).model;
    models::SequenceClassifier adapted = base;
    const peft::LoraConfig lora = peft::load_adapter(folder / "adapter", adapted);
    student_ = std::make_unique<train::StudentTemplate>(base, train::StudentOptions{.lora = lora});
    start_ = student_->travelling(adapted);
    for (int rank = 1; rank <= clients; ++rank) clients_.push_back(std::make_unique<Client>(*this, rank));
  }

  json logits() const {
    const c10::InferenceMode inference;
    const at::Tensor logits =
        student_->for_scoring(start_).forward(train::to_batch(batches_.front(), clients_.front()->model), {}).logits;
    return std::vector<float>(logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
  }

  json curve(std::size_t steps) const {
    models::SequenceClassifier model = student_->for_training(start_);
    train::Phase phase(model, {.optimizer = {.lr = kLearningRate}, .dropout = false}, 1);
    json losses = json::array();
    for (std::size_t step = 0; step < steps; ++step) losses.push_back(phase.step(batches_[step % batches_.size()]));
    return losses;
  }

  // Client c of C takes batches first + c, first + c + C, ...
  json run(std::size_t first, std::size_t count) {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::size_t client = 0; client < clients_.size(); ++client) {
      threads.emplace_back([this, client, first, count] {
        nn::prepare_worker_thread();
        for (std::size_t i = client; i < count; i += clients_.size()) {
          clients_[client]->phase.step(batches_[(first + i) % batches_.size()]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::int64_t sentences = 0;
    std::int64_t tokens = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      sentences += batches_[i % batches_.size()].sentences();
      tokens += batches_[i % batches_.size()].tokens();
    }
    return {{"seconds", seconds}, {"sentences", sentences}, {"tokens", tokens}};
  }

 private:
  static constexpr double kLearningRate = 5e-4;

  struct Client {
    Client(const Bench& bench, int rank)
        : model(bench.student_->for_training(bench.start_)),
          phase(model,
                {.optimizer = {.lr = kLearningRate}, .place = {.round = 1, .rank = static_cast<std::uint32_t>(rank)}},
                1) {}
    models::SequenceClassifier model;
    train::Phase phase;
  };

  std::vector<data::PackedBatch> batches_;
  std::unique_ptr<train::StudentTemplate> student_;
  NamedTensors start_;
  std::vector<std::unique_ptr<Client>> clients_;
};

void serve(Bench& bench) {
  std::string command;
  std::size_t first = 0;
  std::size_t count = 0;
  while (std::cin >> command) {
    if (command == "logits") {
      std::cout << bench.logits() << std::endl;
    } else if (command == "curve" && std::cin >> count) {
      std::cout << bench.curve(count) << std::endl;
    } else if (command == "run" && std::cin >> first >> count) {
      std::cout << bench.run(first, count) << std::endl;
    } else {
      throw std::runtime_error("unknown command: " + command);
    }
  }
}

}  // namespace
}  // namespace fedtune

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: step_bench FOLDER [CLIENTS]\n";
    return 2;
  }
  try {
    fedtune::keep_freed_memory();
    fedtune::nn::prepare_worker_thread();
    fedtune::Bench bench(argv[1], argc > 2 ? std::stoi(argv[2]) : 2);
    fedtune::serve(bench);
  } catch (const std::exception& error) {
    std::cerr << "step_bench: " << error.what() << "\n";
    return 1;
  }
  return 0;
}

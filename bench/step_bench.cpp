// Times training steps of one or several models at once, driven line by line by peer/steps.py.
//
//   step_bench JOB MODELS THREADS
//
// JOB is a JSON file: {"kind": ..., "model": folder, "adapter": folder, "teacher": folder, "batches": file, "lr":
// rate, "dtype": "fp32" or "bf16", "kernels": name}, its folders checkpoints and an adapter in PEFT's format; the dtype
// is that of the products of frozen weights, the kernels those of --kernels. Kinds:
//
//   lora    the adapters and the head of `model`
//   all     every parameter of `model`
//   kd      every parameter of `teacher` and the adapters of `model`, by the corrected distillation loss
//   score   no training: the forward pass of `model` with its adapter
//
// MODELS are trained at once, each on a thread of its own and with THREADS in its arithmetic. The file of batches is a
// list of {"ids": [[...], ...], "labels": [...]}. Each line of standard input is a command, each line of standard
// output its answer in JSON:
//
//   logits      [sentences, classes] of batch 0, dropout off
//   curve N     losses of N steps from the start on batches 0 .. N-1, dropout off; none where nothing is trained
//   run F N     steps on batches F .. F+N-1 (modulo their number), dealt out to the models: seconds, sentences, tokens,
//               and the floating-point operations of matrix products (0 of `score`, which takes no steps)
//   profile F N the same steps: milliseconds a step and model by kind of work
//   peak        GF/s of fused multiply-add with every core at work
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fma_peak.h"
#include <ATen/TensorOperators.h>
#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"
#include "fedtune/base/memory.h"
#include "fedtune/base/profile.h"
#include "fedtune/data/batch.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/thread.h"
#include "fedtune/peft/adapter_folder.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/distill_phase.h"
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

struct Job {
  std::string kind, model, adapter, teacher;
  double lr;
  nn::Precision precision;
  std::vector<data::PackedBatch> batches;
};

// Before anything is packed.
void choose_kernels(const std::string& name) {
  if (name == "auto") return;
  const nn::kernels::Kernels* const set = nn::kernels::find(name);
  if (set == nullptr) throw usage_error("kernels {}: this processor has no such set", name);
  nn::kernels::use_on_all_threads(*set);
}

Job read_job(const std::string& file) {
  const json source = json::parse(std::ifstream(file));
  choose_kernels(source.value("kernels", "auto"));
  return {.kind = source["kind"],
          .model = source["model"],
          .adapter = source.value("adapter", ""),
          .teacher = source.value("teacher", ""),
          .lr = source["lr"],
          .precision = source.value("dtype", "fp32") == "bf16" ? nn::Precision::bf16 : nn::Precision::fp32,
          .batches = read_batches(source["batches"].get<std::string>())};
}

// One model, or teacher and student, and what is done with a batch.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual double step(const data::PackedBatch& batch) = 0;
};

class Trained final : public Subject {
 public:
  Trained(models::SequenceClassifier model, const train::PhaseOptions& options)
      : model_(std::move(model)), phase_(model_, options, 1) {}
  double step(const data::PackedBatch& batch) override { return phase_.step(batch); }

 private:
  models::SequenceClassifier model_;
  train::Phase phase_;
};

class Taught final : public Subject {
 public:
  Taught(models::SequenceClassifier teacher, models::SequenceClassifier student, const train::PhaseOptions& options)
      : teacher_(std::move(teacher)),
        student_(std::move(student)),
        phase_({.teacher = teacher_, .student = student_}, {.phase = options}, 1) {}
  double step(const data::PackedBatch& batch) override { return phase_.step(batch); }

 private:
  models::SequenceClassifier teacher_, student_;
  train::DistillPhase phase_;
};

class Scored final : public Subject {
 public:
  explicit Scored(models::SequenceClassifier model) : model_(std::move(model)) {}
  double step(const data::PackedBatch& batch) override {
    const c10::InferenceMode inference;
    return model_.forward(train::to_batch(batch, model_), {}).logits.sum().item<double>();
  }

 private:
  models::SequenceClassifier model_;
};

class Bench {
 public:
  Bench(Job job, int models, int threads) : job_(std::move(job)), threads_(threads) {
    const models::SequenceClassifier base = models::load_checkpoint(job_.model, {}).model;
    if (job_.kind == "all") {
      student_ = std::make_unique<train::StudentTemplate>(
          base, train::StudentOptions{.trained = train::Trained::all_parameters});
      start_ = student_->initial();
    } else {
      models::SequenceClassifier adapted = base;
      const peft::LoraConfig lora = peft::load_adapter(job_.adapter, adapted);
      student_ = std::make_unique<train::StudentTemplate>(
          base, train::StudentOptions{.lora = lora, .precision = job_.precision});
      start_ = student_->travelling(adapted);
    }
    for (int rank = 1; rank <= models; ++rank) subjects_.push_back(make_subject(rank, true));
  }

  json logits() const {
    const c10::InferenceMode inference;
    const models::SequenceClassifier model = student_->for_scoring(start_);
    const at::Tensor logits = model.forward(train::to_batch(job_.batches.front(), model), {}).logits;
    return std::vector<float>(logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
  }

  json curve(std::size_t steps) const {
    json losses = json::array();
    if (job_.kind == "score") return losses;
    const nn::UseThreads threads(threads_);
    const std::unique_ptr<Subject> subject = make_subject(1, false);
    for (std::size_t step = 0; step < steps; ++step) losses.push_back(subject->step(batch(step)));
    return losses;
  }

  // Model m of M takes batches first + m, first + m + M, ...
  json run(std::size_t first, std::size_t count) {
    start_profile();
    const auto begin = std::chrono::steady_clock::now();
    at_once([&](std::size_t model) {
      for (std::size_t i = model; i < count; i += subjects_.size()) subjects_[model]->step(batch(first + i));
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::int64_t sentences = 0;
    std::int64_t tokens = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      sentences += batch(i).sentences();
      tokens += batch(i).tokens();
    }
    return {{"seconds", seconds}, {"sentences", sentences}, {"tokens", tokens}, {"operations", operations()}};
  }

  json profile(std::size_t first, std::size_t count) {
    run(first, count);
    json kinds = json::object();
    for (const StepProfile& step : fedtune::profile()) {
      json& kind = kinds[name_of(step.kind)];
      kind["all"] = 1e3 * step.seconds;
      for (const WorkShare& share : step.work) kind[name_of(share.work)] = 1e3 * share.seconds;
    }
    return kinds;
  }

  // Of all steps since start_profile.
  static double operations() {
    double sum = 0.0;
    for (const StepProfile& step : fedtune::profile()) {
      for (const WorkShare& share : step.work) sum += share.operations * static_cast<double>(step.steps);
    }
    return sum;
  }

  static json peak() {
    std::vector<double> rates(std::max(1u, std::thread::hardware_concurrency()));
    std::vector<std::thread> threads;
    for (double& rate : rates) threads.emplace_back([&rate] { rate = bench::fma_peak(); });
    for (std::thread& thread : threads) thread.join();
    return std::accumulate(rates.begin(), rates.end(), 0.0);
  }

 private:
  const data::PackedBatch& batch(std::size_t index) const { return job_.batches[index % job_.batches.size()]; }

  std::unique_ptr<Subject> make_subject(int rank, bool dropout) const {
    const train::PhaseOptions options{.optimizer = {.lr = job_.lr},
                                      .dropout = dropout,
                                      .place = {.round = 1, .rank = static_cast<std::uint32_t>(rank)}};
    if (job_.kind == "score") return std::make_unique<Scored>(student_->for_scoring(start_));
    if (job_.kind != "kd") return std::make_unique<Trained>(student_->for_training(start_), options);
    return std::make_unique<Taught>(models::trainable_copy(models::load_checkpoint(job_.teacher, {}).model),
                                    student_->for_training(start_), options);
  }

  void at_once(const std::function<void(std::size_t model)>& work) {
    std::vector<std::thread> threads;
    for (std::size_t model = 0; model < subjects_.size(); ++model) {
      threads.emplace_back([&, model] {
        nn::prepare_worker_thread();
        const nn::UseThreads inside(threads_);
        work(model);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  Job job_;
  int threads_;
  std::unique_ptr<train::StudentTemplate> student_;
  NamedTensors start_;
  std::vector<std::unique_ptr<Subject>> subjects_;
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
    } else if (command == "profile" && std::cin >> first >> count) {
      std::cout << bench.profile(first, count) << std::endl;
    } else if (command == "peak") {
      std::cout << Bench::peak() << std::endl;
    } else {
      throw std::runtime_error("unknown command: " + command);
    }
  }
}

}  // namespace
}  // namespace fedtune

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: step_bench JOB MODELS THREADS\n";
    return 2;
  }
  try {
    fedtune::keep_freed_memory();
    fedtune::nn::prepare_worker_thread();
    fedtune::Bench bench(fedtune::read_job(argv[1]), std::stoi(argv[2]), std::stoi(argv[3]));
    fedtune::serve(bench);
  } catch (const std::exception& error) {
    std::cerr << "step_bench: " << error.what() << "\n";
    return 1;
  }
  return 0;
}

// Runs one job on a checkpoint and writes what came out as safetensors. What tests/parity/model_checks.py compares.
//
//   model_probe < job.json
//
// {"checkpoint": folder, "adapter": folder or "", "output": file, "examples": [{"ids": [...], "label": 0}, ...],
//  "batches": [[0, 1, ...], ...], "steps": 20, "lr": 0.001}
//
// Without an adapter every parameter is trained, with one the adapter and the head. Written: "logits" of the examples
// in the order of the batches, "gradient.NAME" of the first batch, "loss_curve" [steps] of AdamW over the batches in
// turn.

#include "probe_main.h"
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <nlohmann/json.hpp>

#include "fedtune/data/batch.h"
#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/peft/adapter_folder.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/phase.h"

namespace {

using namespace fedtune;

struct Job {
  std::string checkpoint, adapter, output;
  std::vector<data::Example> examples;
  std::vector<data::PackedBatch> batches;
  std::int64_t steps = 0;
  double lr = 0.0;
};

Job read_job(const std::string& text) {
  const nlohmann::json source = parse_json(text, "job");
  Job job;
  job.checkpoint = required<std::string>(source, "checkpoint", "job");
  job.adapter = required<std::string>(source, "adapter", "job");
  job.output = required<std::string>(source, "output", "job");
  job.steps = required<std::int64_t>(source, "steps", "job");
  job.lr = required<double>(source, "lr", "job");
  for (const auto& example : required<nlohmann::json>(source, "examples", "job")) {
    job.examples.push_back(
        {required<std::vector<std::int32_t>>(example, "ids", "job"), required<std::int32_t>(example, "label", "job")});
  }
  for (const auto& rows : required<nlohmann::json>(source, "batches", "job")) {
    job.batches.push_back(data::pack(job.examples, rows.get<std::vector<std::uint32_t>>()));
  }
  return job;
}

// A model ready to train, and what it trains.
struct Trainee {
  models::SequenceClassifier model;
  io::Parameters trained;
};

Trainee load(const Job& job) {
  auto model = models::load_checkpoint(job.checkpoint, {}).model;
  if (job.adapter.empty()) {
    model = models::trainable_copy(model);
    return {model, model.parameters()};
  }
  models::freeze_all(model);
  const auto config = peft::load_adapter(job.adapter, model);
  return {model, peft::adapter_parameters(model, config)};
}

at::Tensor logits(const Job& job) {
  const at::NoGradGuard no_grad;
  const Trainee trainee = load(job);
  std::vector<at::Tensor> all;
  for (const auto& batch : job.batches) {
    all.push_back(trainee.model.forward(train::to_batch(batch, trainee.model), {}).logits);
  }
  return at::cat(all);  // [examples, num_labels]
}

io::Parameters gradients(const Job& job) {
  const Trainee trainee = load(job);
  const auto batch = train::to_batch(job.batches.front(), trainee.model);
  at::cross_entropy_loss(trainee.model.forward(batch, {}).logits, batch.labels).backward();
  io::Parameters all;
  for (const auto& [name, tensor] : trainee.trained) all.push_back({"gradient." + name, tensor.grad()});
  return all;
}

at::Tensor loss_curve(const Job& job) {
  Trainee trainee = load(job);
  train::Phase phase(trainee.model, {.optimizer = {.lr = job.lr}, .dropout = false}, job.steps);
  std::vector<double> losses;
  for (std::int64_t step = 0; step < job.steps; ++step) {
    losses.push_back(phase.step(job.batches[static_cast<std::size_t>(step) % job.batches.size()]));
  }
  return at::tensor(losses, at::kDouble);
}

void run(const Job& job) {
  io::Parameters results = gradients(job);
  results.push_back({"logits", logits(job)});
  results.push_back({"loss_curve", loss_curve(job)});
  save_safetensors(job.output, io::named_tensors_from(results));
}

}  // namespace

int main() {
  return probe_main("model_probe", [](const std::string& text) { run(read_job(text)); });
}

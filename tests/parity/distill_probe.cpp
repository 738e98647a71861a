// One distillation step without dropout: the loss and every gradient of teacher and student, as safetensors. What
// tests/parity/distill_checks.py compares.
//
//   distill_probe < job.json
//
// {"teacher": folder, "student": folder, "adapter": folder, "output": file, "form": "corrected" or "reference",
//  "temperature": 2.0, "examples": [{"ids": [...], "label": 0}, ...]}
//
// The teacher is trained in all parameters, the student in its adapter and head. Written: "loss" of the step itself,
// "gradient.teacher.NAME" and "gradient.student.NAME".
#include <numeric>

#include "probe_main.h"
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <nlohmann/json.hpp>

#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/peft/adapter_folder.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/distill_phase.h"

namespace {

using namespace fedtune;

struct Job {
  std::string teacher, student, adapter, output;
  train::DistillLossOptions loss;
  data::PackedBatch batch;
};

Job read_job(const std::string& text) {
  const nlohmann::json source = parse_json(text, "job");
  const auto said = [&](const char* key) { return required<std::string>(source, key, "job"); };
  Job job;
  job.teacher = said("teacher");
  job.student = said("student");
  job.adapter = said("adapter");
  job.output = said("output");
  job.loss.form = said("form") == "reference" ? train::KdLoss::reference : train::KdLoss::corrected;
  job.loss.temperature = required<double>(source, "temperature", "job");
  std::vector<data::Example> examples;
  for (const auto& example : required<nlohmann::json>(source, "examples", "job")) {
    examples.push_back(
        {required<std::vector<std::int32_t>>(example, "ids", "job"), required<std::int32_t>(example, "label", "job")});
  }
  std::vector<std::uint32_t> order(examples.size());
  std::iota(order.begin(), order.end(), 0u);
  job.batch = data::pack(examples, order);
  return job;
}

// The models ready to train, and what is trained.
struct Classroom {
  explicit Classroom(const Job& job)
      : teacher(models::trainable_copy(models::load_checkpoint(job.teacher, {}).model)),
        student(models::load_checkpoint(job.student, {}).model) {
    models::freeze_all(student);
    const peft::LoraConfig lora = peft::load_adapter(job.adapter, student);
    for (const auto& [name, tensor] : teacher.parameters()) trained.push_back({"gradient.teacher." + name, tensor});
    for (const auto& [name, tensor] : peft::adapter_parameters(student, lora)) {
      trained.push_back({"gradient.student." + name, tensor});
    }
  }

  models::SequenceClassifier teacher, student;
  io::Parameters trained;
};

io::Parameters gradients(const Job& job) {
  const Classroom room(job);
  const auto answers = [&](const models::SequenceClassifier& model) {
    return model.forward(train::to_batch(job.batch, model), {.probabilities = true});
  };
  const models::ForwardResult teacher = answers(room.teacher), student = answers(room.student);
  const train::DistillLoss loss(job.loss, {.teacher = room.teacher.config, .student = room.student.config});
  loss({.teacher = teacher, .student = student}, train::to_batch(job.batch, room.student).labels).backward();
  io::Parameters all;
  for (const auto& [name, tensor] : room.trained) all.push_back({name, tensor.grad()});
  return all;
}

double loss_of_step(const Job& job) {
  Classroom room(job);
  train::DistillPhase phase({.teacher = room.teacher, .student = room.student},
                            {.phase = {.dropout = false}, .loss = job.loss}, 1);
  return phase.step(job.batch);
}

void run(const Job& job) {
  io::Parameters results = gradients(job);
  results.push_back({"loss", at::tensor({loss_of_step(job)}, at::kDouble)});
  save_safetensors(job.output, io::named_tensors_from(results));
}

}  // namespace

int main() {
  return probe_main("distill_probe", [](const std::string& text) { run(read_job(text)); });
}

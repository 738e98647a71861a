#include "fedtune/cli/resolve.h"

#include <filesystem>
#include <thread>

#include "fedtune/base/error.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/hub/resolve.h"
#include "fedtune/nn/kernels/bf16.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/strategy/schemes.h"

namespace fedtune::cli {
namespace {

// A run is resumed from anywhere: folders are kept as absolute paths, hub ids as they are.
void make_absolute(std::string& place) {
  if (hub::is_path(place)) place = std::filesystem::absolute(place).lexically_normal().string();
}

void require_kernels(const Options& options) {
  const std::string_view name = word(options.training.kernels);
  if (options.training.kernels == KernelSet::automatic || nn::kernels::find(name) != nullptr) return;
  std::string here;
  for (const nn::kernels::Kernels* set : nn::kernels::available()) here += fmt::format("{}, ", set->name);
  throw usage_error("--kernels {}: this processor has {}auto", name, here);
}

void require_supported(const Options& options) {
  require_kernels(options);
  if (options.training.dtype == DataType::fp32) return;
  const nn::kernels::Bf16Support& support = nn::kernels::bf16_support();
  if (support.kernels == nullptr) throw usage_error("--dtype bf16: {}; use fp32", support.reason);
  if (options.training.device != "cpu") {
    throw usage_error("--dtype bf16: it is for --device cpu, found {}; use fp32", options.training.device);
  }
}

// bf16 is for weights that stay as they are: a small step would round a trained one back to what it was.
void require_frozen_weights(const Options& options) {
  if (options.training.dtype == DataType::fp32 || options.federation.scheme != Scheme::fedavg) return;
  throw usage_error(
      "--dtype bf16: --scheme fedavg trains every weight, and bf16 is for frozen ones; use fp32, or "
      "--scheme fedlora");
}

}  // namespace

bool distils(const Options& options) {
  return strategy::scheme_named(word(options.federation.scheme)).distils;
}

nn::Precision precision_of(const Options& options) {
  return options.training.dtype == DataType::bf16 ? nn::Precision::bf16 : nn::Precision::fp32;
}

int workers_of(const Options& options) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return options.training.workers.value_or(cores);
}

int public_percent(const Options& options) {
  return options.shares.teacher_data_pct.value_or(100 / (options.federation.num_clients + 1));
}

Options resolve_for_scoring(Options options) {
  require_supported(options);
  make_absolute(options.models.client_ckpt);
  make_absolute(options.data.data_path);
  if (!options.score.adapter.empty()) {
    options.score.adapter = std::filesystem::absolute(options.score.adapter).lexically_normal().string();
  }
  options.training.workers = workers_of(options);
  return options;
}

Options resolve_for_run(Options options) {
  options = resolve_for_scoring(std::move(options));
  require_frozen_weights(options);
  make_absolute(options.models.teacher_ckpt);
  options.shares.teacher_data_pct = public_percent(options);
  if (distils(options) && options.shares.teacher_data_pct == 0) {
    throw usage_error(
        "--scheme {} needs a public share to distil on, but it is 0 % of the training set{}; give --teacher-data-pct "
        "of "
        "1 or more, or --scheme fedlora",
        word(options.federation.scheme), options.federation.num_clients > 99 ? " (100 / (clients + 1))" : "");
  }
  const bool frozen = options.distill.distill_lr == 0.0;
  if (distils(options) && frozen && !options.distill.student_lr) {
    throw usage_error(
        "--distill-lr 0 freezes the teacher, and the student takes its rate unless --student-lr gives one: nothing "
        "would learn; give --student-lr, such as 1e-3");
  }
  const bool guard = options.distill.kd_loss == train::KdLoss::corrected && !frozen;
  options.distill.teacher_guard = options.distill.teacher_guard.value_or(guard ? OnOff::on : OnOff::off);
  return options;
}

}  // namespace fedtune::cli

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include "fedtune/base/clock.h"
#include "fedtune/base/cpu.h"
#include "fedtune/base/file.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/version.h"
#include "fedtune/nn/kernels/bf16.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/matrix.h"
#include "fedtune/nn/thread.h"

namespace fedtune::cli {
namespace {

// A product of a BERT's layer with a batch of CoLA; `weight` as the layer has it, [out, in].
struct Shape {
  std::string_view name;
  std::int64_t out, in;
};
constexpr std::int64_t rows = 368;
constexpr std::array<Shape, 3> shapes{{{.name = "768 x 768", .out = 768, .in = 768},
                                       {.name = "3072 x 768", .out = 3072, .in = 768},
                                       {.name = "768 x 3072", .out = 768, .in = 3072}}};
constexpr double seconds_per_product = 0.2;

// The fastest of several: others' work on the machine only slows it.
double best_seconds(const std::function<void()>& work) {
  work();
  double best = 1e300;
  const Stopwatch all;
  do {
    const Stopwatch watch;
    work();
    best = std::min(best, watch.seconds());
  } while (all.seconds() < seconds_per_product);
  return best;
}

struct MeasuredSet {
  std::string name;
  std::vector<double> speeds;  // forward and gradient of the input, shape by shape
  double seconds = 0.0;        // of all together
};

MeasuredSet measure(std::string name, const nn::kernels::Bf16Kernels* bf16) {
  MeasuredSet measured{.name = std::move(name), .speeds = {}};
  for (const Shape& shape : shapes) {
    // Not of ones: processors run faster, for want of power, where most bits stay as they are.
    const nn::PackedWeight weight(at::randn({shape.out, shape.in}), bf16);
    const at::Tensor x = at::randn({rows, shape.in}), dy = at::randn({rows, shape.out});
    const double flops = 2.0 * static_cast<double>(rows * shape.out * shape.in);
    for (const double seconds :
         {best_seconds([&] { weight.forward(x, {}); }), best_seconds([&] { weight.backward(dy); })}) {
      measured.speeds.push_back(flops / seconds / 1e9);
      measured.seconds += seconds;
    }
  }
  return measured;
}

std::string heading() {
  std::string text = fmt::format("{:<14}", "GF/s");
  for (const Shape& shape : shapes) text += fmt::format("{:>12}{:>10}", shape.name, "gradient");
  return text + "\n";
}

std::string table_row(const MeasuredSet& measured) {
  std::string text = fmt::format("{:<14}", measured.name);
  for (std::size_t i = 0; i < measured.speeds.size(); ++i)
    text += fmt::format("{:>{}.1f}", measured.speeds[i], i % 2 == 0 ? 12 : 10);
  return text + "\n";
}

}  // namespace

void tune_command(const CommandLine& line) {
  nn::prepare_worker_thread();
  const nn::UseThreads one(1);
  std::string comment = fmt::format("# fedtune {} tune on {}\n", fedtune_version(), cpu_model_name());
  const auto say = [&comment](const std::string& text) {  // a line of the table
    comment += "# " + text;
    fmt::print("{}", text);
    std::fflush(stdout);
  };
  say(heading());
  std::vector<MeasuredSet> sets;
  for (const nn::kernels::Kernels* set : nn::kernels::available()) {
    const nn::kernels::UseKernels use(*set);
    sets.push_back(measure(set->name, nullptr));
    say(table_row(sets.back()));
  }
  const nn::kernels::Bf16Support& bf16 = nn::kernels::bf16_support();
  if (bf16.kernels) say(table_row(measure(bf16.kernels->name, bf16.kernels)));

  const std::string fastest = std::ranges::min_element(sets, {}, &MeasuredSet::seconds)->name;
  fmt::print("fastest in fp32: {}; in use without --kernels: {}\n", fastest, nn::kernels::active().name);
  fmt::print("bf16: {}\n", bf16.kernels ? "--dtype bf16 is there" : "--dtype bf16 is refused: " + bf16.reason);
  if (line.positionals.empty()) return;
  write_file_atomically(line.positionals.front(), fmt::format("{}kernels = \"{}\"\n", comment, fastest));
}

}  // namespace fedtune::cli

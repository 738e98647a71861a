#include "fedtune/cli/drill/drilled_task.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <thread>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"

namespace fedtune::cli {
namespace {

void pause(double seconds, const std::function<bool()>& stop) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (stop && stop()) throw Interrupted(interrupt_signal());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// Every value of every tensor becomes `value`.
void overwrite(NamedTensors& tensors, float value) {
  for (TensorView& tensor : tensors.tensors) {
    auto values = std::make_shared<std::vector<float>>(tensor.bytes.size() / sizeof(float), value);
    tensor.bytes = std::as_bytes(std::span(*values));
    tensors.owner = std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(
        std::move(tensors.owner), std::move(values));
  }
}

}  // namespace

DrilledTask::DrilledTask(fed::LocalTask& task) : task_(task) {
  const char* text = std::getenv(drill_variable);
  std::istringstream orders(text == nullptr ? "" : text);
  for (std::string order; std::getline(orders, order, ',');) {
    std::istringstream parts(order);
    std::string round, kind, seconds;
    std::getline(parts, round, ':');
    std::getline(parts, kind, ':');
    std::getline(parts, seconds, ':');
    if (kind != "delay" && kind != "corrupt" && kind != "nan") {
      throw usage_error("{}: '{}' is no ROUND:KIND:SECONDS", drill_variable, order);
    }
    orders_.emplace(std::atoi(round.c_str()), Order{.kind = kind, .seconds = std::atof(seconds.c_str())});
  }
}

fed::Update DrilledTask::train(const fed::Instruction& instruction, const std::function<bool()>& stop) {
  fed::Update update = task_.train(instruction, stop);
  const auto [first, last] = orders_.equal_range(instruction.round);
  for (auto order = first; order != last; ++order) {
    if (order->second.kind == "delay") pause(order->second.seconds, stop);
    if (order->second.kind == "corrupt") overwrite(update.tensors, 1e30f);
    if (order->second.kind == "nan") overwrite(update.tensors, std::nanf(""));
  }
  return update;
}

}  // namespace fedtune::cli

// For tests: a committed model, copied and changed before it is written.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/models/golden_fixture.h"

namespace fedtune::models::golden {

class EditedCheckpoint {
 public:
  explicit EditedCheckpoint(const std::string& kind)
      : config(load_json(folder(kind) / "config.json")), tensors(load(kind).parameters()) {}

  nlohmann::json config;
  io::Parameters tensors;

  void remove(const std::string& name) { tensors.erase(find(name)); }
  void rename(const std::string& from, const std::string& to) { find(from)->name = to; }
  void replace(const std::string& name, const at::Tensor& value) { find(name)->tensor = value; }
  void add(const std::string& name, const at::Tensor& value) { tensors.push_back({name, value}); }
  // Applied to every name.
  void rename_all(const std::function<std::string(const std::string&)>& change) {
    for (auto& tensor : tensors) tensor.name = change(tensor.name);
  }

  // Writes the folder and returns it.
  const std::filesystem::path& write() {
    write_file_atomically(folder_.path() / "config.json", config.dump());
    save_safetensors(folder_.path() / "model.safetensors", io::named_tensors_from(tensors));
    return folder_.path();
  }

  // The message with which it is refused, as an input error.
  std::string refusal(const LoadOptions& options = {}) {
    try {
      load_checkpoint(write(), options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "accepted";
  }

 private:
  io::Parameters::iterator find(const std::string& name) {
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
    if (found == tensors.end()) throw std::out_of_range("the committed model has no " + name);
    return found;
  }

  TemporaryFolder folder_;
};

}  // namespace fedtune::models::golden

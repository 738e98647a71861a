#include "fedtune/io/weight_files.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/io/parameters.h"

namespace fedtune::io {
namespace {

using testing::HasSubstr;

class WeightFilesTest : public testing::Test {
 protected:
  void write_shard(const std::string& file, const std::string& tensor) {
    save_safetensors(folder_ / file, named_tensors_from({{tensor, at::ones({2, 3})}}));
  }
  void write_index(const std::string& text) { write_file_atomically(folder_ / "model.safetensors.index.json", text); }

  std::string refusal() {
    try {
      open_weights(folder_.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
};

TEST_F(WeightFilesTest, OpensOneFile) {
  write_shard("model.safetensors", "a");
  const WeightFiles weights = open_weights(folder_.path());
  ASSERT_EQ(weights.tensors.size(), 1u);
  EXPECT_EQ(weights.tensors[0].view.name, "a");
  EXPECT_EQ(weights.sha256.get().size(), 64u);
}

TEST_F(WeightFilesTest, OpensEveryShardOfAnIndex) {
  write_shard("one.safetensors", "a");
  write_shard("two.safetensors", "b");
  write_index(R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
  const WeightFiles weights = open_weights(folder_.path());
  ASSERT_EQ(weights.tensors.size(), 2u);
  EXPECT_EQ(weights.tensors[1].view.name, "b");
  EXPECT_EQ(weights.tensors[1].file, "two.safetensors");
}

TEST_F(WeightFilesTest, RefusesAnIndexWithoutAMap) {
  write_index("{}");
  EXPECT_THAT(refusal(), HasSubstr("weight_map"));
}

TEST_F(WeightFilesTest, RefusesAMapThatIsNoObject) {
  write_index(R"({"weight_map": ["a"]})");
  EXPECT_THAT(refusal(), HasSubstr("weight_map must be an object"));
}

TEST_F(WeightFilesTest, RefusesAShardOutsideTheFolder) {
  write_index(R"({"weight_map": {"a": "../one.safetensors"}})");
  EXPECT_THAT(refusal(), HasSubstr("expected a file beside the index"));
}

TEST_F(WeightFilesTest, RefusesAMissingShard) {
  write_index(R"({"weight_map": {"a": "one.safetensors"}})");
  EXPECT_THAT(refusal(), HasSubstr("one.safetensors"));
}

TEST_F(WeightFilesTest, RefusesATensorThatItsShardLacks) {
  write_shard("one.safetensors", "a");
  write_index(R"({"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}})");
  EXPECT_THAT(refusal(), HasSubstr("b is not in one.safetensors"));
}

}  // namespace
}  // namespace fedtune::io

#include <fstream>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing_memory.h"
#include "fedtune/nn/matrix.h"

namespace fedtune::nn {
namespace {

// A weight of 4 MB, each element 1, that lies in a file.
class PackedFromAFile : public ::testing::Test {
 protected:
  static constexpr std::int64_t out = 512, in = 2048;

  PackedFromAFile() {
    const at::Tensor ones = at::ones({out, in});
    std::ofstream(folder_ / "weight", std::ios::binary)
        .write(static_cast<const char*>(ones.const_data_ptr()), static_cast<std::streamsize>(ones.nbytes()));
    file_ = MappedFile::open(folder_ / "weight");
    void* const data = const_cast<std::byte*>(file_->bytes().data());  // read-only, as io::tensor_from has it
    weight_ = at::from_blob(data, {out, in}, at::kFloat);
  }
  std::int64_t resident() const { return resident_kb(file_->bytes().data()); }

  TemporaryFolder folder_;
  std::shared_ptr<const MappedFile> file_;
  at::Tensor weight_;
};

TEST_F(PackedFromAFile, LeavesNothingOfTheFileInMemory) {
  const PackedWeight packed(weight_);
  EXPECT_EQ(resident(), 0);
  const at::Tensor y = packed.forward(at::ones({3, in}), {});
  const at::Tensor dx = packed.backward(at::ones({3, out}));
  EXPECT_EQ(resident(), 0);
  EXPECT_TRUE(at::equal(y, at::ones({3, out}) * in));
  EXPECT_TRUE(at::equal(dx, at::ones({3, in}) * out));
}

TEST_F(PackedFromAFile, IsReadAgainWhenTheWeightIsAskedFor) {
  const PackedWeight packed(weight_);
  EXPECT_TRUE(at::equal(weight_, at::ones({out, in})));
  EXPECT_EQ(resident(), 4096);
}

}  // namespace
}  // namespace fedtune::nn

#include "fedtune/format/tensor_hash.h"

#include <array>
#include <set>

#include <gtest/gtest.h>

#include "fedtune/base/sha256.h"

namespace fedtune {
namespace {

class FinalSha256 : public testing::Test {
 protected:
  TensorView tensor(const std::string& name) const {
    return {.name = name, .dtype = DType::f32, .shape = {2}, .bytes = std::as_bytes(std::span(values))};
  }
  static std::string hash(const std::vector<TensorView>& tensors) {
    return final_sha256({.tensors = tensors, .owner = {}});
  }

  std::array<float, 2> values{1.0f, 2.0f};
};

TEST_F(FinalSha256, IsTheHashOfTheFormTheHeaderDefines) {
  const std::string form = std::string("w") + '\0' + "F32" + std::string("\1\0\0\0\0\0\0\0", 8) +
                           std::string("\2\0\0\0\0\0\0\0", 8) + std::string("\0\0\x80\x3f", 4) +
                           std::string("\0\0\0\x40", 4);
  EXPECT_EQ(hash({tensor("w")}), sha256_hex(form));
}

TEST_F(FinalSha256, ChangesWithNameTypeShapeValuesAndOrder) {
  std::set<std::string> hashes;
  const TensorView w = tensor("w"), v = tensor("v");
  TensorView changed = w;
  hashes.insert(hash({w, v}));
  hashes.insert(hash({v, w}));
  hashes.insert(hash({w}));
  changed.dtype = DType::i32;
  hashes.insert(hash({changed, v}));
  changed = w;
  changed.shape = {2, 1};
  hashes.insert(hash({changed, v}));
  changed = w;
  const std::array<float, 2> other{1.0f, -2.0f};
  changed.bytes = std::as_bytes(std::span(other));
  hashes.insert(hash({changed, v}));
  EXPECT_EQ(hashes.size(), 6u);
}

}  // namespace
}  // namespace fedtune

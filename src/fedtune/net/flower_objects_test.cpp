#include "fedtune/net/flower_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/base/error.h"
#include "fedtune/base/sha256.h"
#include "fedtune/format/npy.h"

namespace fedtune::net::flower {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t most_bytes = 16 << 20;

std::string id_of(const std::string& content) {
  Sha256 hash;
  hash.update(content);
  return hash.hex();
}

NamedTensors tensors() {
  return test_tensors({{"b", {2}, {1, 2}}, {"a", {3}, {3, 4, 5}}, {"again", {2}, {1, 2}}});
}

// A reply as the other side would read it.
struct Sent {
  explicit Sent(const NamedTensors& arrays) {
    const ReplyRecords records{.arrays = &arrays, .metrics = {{"loss", 0.5}}, .counts = {{"num-examples", 7}}};
    objects = write_message("metadata", &records);
  }
  std::string pull(const std::string& id) const { return objects.contents.at(id); }
  Records read() const {
    return read_message(objects.tree.id, [this](const std::string& id) { return pull(id); }, most_bytes);
  }
  Objects objects;
};

TEST(FlowerObjects, GiveTheArraysBackInTheirOrder) {
  const NamedTensors original = tensors();
  const Records records = Sent(original).read();
  ASSERT_EQ(records.arrays.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(records.arrays[i].first, original.tensors[i].name);
    EXPECT_EQ(records.arrays[i].second, npy_from(original.tensors[i]));
  }
}

TEST(FlowerObjects, AreNamedByTheirHashAndListEachChildOnce) {
  const Sent sent(tensors());
  for (const auto& [id, content] : sent.objects.contents) EXPECT_EQ(id, id_of(content));
  // Two arrays of equal content are one object.
  std::size_t arrays = 0;
  for (const auto& [id, content] : sent.objects.contents) arrays += content.starts_with("Array ") ? 1 : 0;
  EXPECT_EQ(arrays, 2u);
  const Tree& dict = sent.objects.tree.children.at(0);
  EXPECT_EQ(dict.children.size(), 2u);
  EXPECT_EQ(dict.children[0].children.size(), 2u);
  EXPECT_TRUE(sent.pull(sent.objects.tree.id).starts_with("Message " + dict.id + " 8"));
}

TEST(FlowerObjects, CutAnArrayIntoChunksOfFiveMebibytes) {
  const std::vector<float> values(3'000'000, 1.5f);
  const NamedTensors large{.tensors = {{.name = "w", .shape = {3'000'000}, .bytes = std::as_bytes(std::span(values))}}};
  const Sent sent(large);
  for (const auto& [id, content] : sent.objects.contents) EXPECT_LE(content.size(), (5u << 20U) + 30);
  EXPECT_EQ(sent.read().arrays.at(0).second, npy_from(large.tensors[0]));
}

TEST(FlowerObjects, OfAnErrorAreTheMessageAlone) {
  const Objects objects = write_message("metadata", nullptr);
  EXPECT_EQ(objects.contents.size(), 1u);
  EXPECT_EQ(objects.contents.at(objects.tree.id), std::string("Message  8\0metadata", 19));
}

std::string refusal_of_message(const std::string& root, const std::map<std::string, std::string>& contents) {
  try {
    read_message(root, [&](const std::string& id) { return contents.at(id); }, most_bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(FlowerObjects, ThatCannotBeRightAreRefused) {
  const Sent sent(tensors());
  auto changed = sent.objects.contents;
  changed.at(sent.objects.tree.id) += 'x';
  EXPECT_THAT(refusal_of_message(sent.objects.tree.id, changed), HasSubstr("another hash"));
  for (const std::string& content : {std::string("Message"), std::string("Message  8"),
                                     std::string("Message  9\0metadata", 19), std::string("Message  x\0metadata", 19),
                                     std::string("Message  8\0metadata", 19), std::string("Array  2\0{}", 11)}) {
    EXPECT_NE(refusal_of_message(id_of(content), {{id_of(content), content}}), "accepted") << content;
  }
}

// An object of these parts, and its id.
std::string add(std::map<std::string, std::string>& contents, const std::string& head, const std::string& body) {
  const std::string content = head + fmt::format(" {}", body.size()) + std::string(1, '\0') + body;
  contents[id_of(content)] = content;
  return id_of(content);
}

// A message with one array, described as said, of one chunk of a hundred bytes.
std::string refusal_of_array(const std::string& description) {
  std::map<std::string, std::string> contents;
  const std::string chunk = add(contents, "ArrayChunk ", std::string(100, 'x'));
  const std::string array = add(contents, "Array " + chunk, description);
  const std::string record = add(contents, "ArrayRecord " + array, fmt::format("{{\"w\":\"{}\"}}", array));
  const std::string dict = add(contents, "RecordDict " + record, fmt::format("{{\"arrays\":\"{}\"}}", record));
  return refusal_of_message(add(contents, "Message " + dict, "metadata"), contents);
}

TEST(FlowerObjects, WithJsonOfAnotherFormAreRefused) {
  EXPECT_EQ(refusal_of_array(R"({"stype":"numpy.ndarray","arraychunk_ids":[0]})"), "accepted");
  for (const char* other :
       {"[]", "7", R"({"stype":1})", R"({"stype":"numpy.ndarray"})",
        R"({"stype":"numpy.ndarray","arraychunk_ids":["0"]})", R"({"stype":"numpy.ndarray","arraychunk_ids":[1]})"}) {
    EXPECT_THAT(refusal_of_array(other), HasSubstr("Flower")) << other;
  }
}

// A few bytes could otherwise ask for any amount of memory.
TEST(FlowerObjects, ThatNameOnePieceTooOftenAreRefused) {
  std::string indices = "0";
  for (std::size_t bytes = 100; bytes <= most_bytes; bytes += 100) indices += ",0";
  EXPECT_THAT(refusal_of_array(fmt::format(R"({{"stype":"numpy.ndarray","arraychunk_ids":[{}]}})", indices)),
              HasSubstr("more bytes than its arrays can have"));
}

TEST(FlowerObjects, ThatDescribeThemselvesAtLengthAreRefused) {
  EXPECT_THAT(refusal_of_array(std::string(std::size_t{1} << 20U, ' ') + "{}"), HasSubstr("bytes of JSON"));
}

}  // namespace
}  // namespace fedtune::net::flower

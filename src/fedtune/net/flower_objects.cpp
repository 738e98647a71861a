#include "fedtune/net/flower_objects.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "flwr/proto/fleet.pb.h"
#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"
#include "fedtune/base/sha256.h"
#include "fedtune/format/npy.h"

namespace fedtune::net::flower {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t largest_chunk = 5 << 20;  // bytes
constexpr std::string_view stype = "numpy.ndarray";

std::string id_of(std::string_view content) {
  Sha256 hash;
  hash.update(content);
  return hash.hex();
}

struct Object {
  std::string_view type;
  std::vector<std::string> children;
  std::string_view body;
};

Object parse(std::string_view content, std::string_view expected) {
  const std::size_t end = content.find('\0');
  const std::string_view head = content.substr(0, end);
  const std::size_t first = head.find(' '), last = head.rfind(' ');
  if (end == std::string_view::npos || first == std::string_view::npos || first == last) {
    throw input_error("a Flower object has no readable head");
  }
  Object object{.type = head.substr(0, first), .children = {}, .body = content.substr(end + 1)};
  std::size_t length = 0;
  const std::string_view digits = head.substr(last + 1);
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || stop != digits.data() + digits.size() || length != object.body.size()) {
    throw input_error("a Flower object says it has {} bytes and has {}", digits, object.body.size());
  }
  std::string_view ids = head.substr(first + 1, last - first - 1);
  while (!ids.empty()) {
    const std::size_t comma = std::min(ids.find(','), ids.size());
    object.children.emplace_back(ids.substr(0, comma));
    ids.remove_prefix(std::min(comma + 1, ids.size()));
  }
  if (object.type != expected) throw input_error("a Flower object is a {}, expected a {}", object.type, expected);
  return object;
}

// What an object says of itself in JSON: the ids of others, an array's type and shape. Their values are elsewhere.
Json described_in(std::string_view body) {
  constexpr std::size_t most = std::size_t{1} << 20U;  // bytes: some eight thousand tensors
  if (body.size() > most) {
    throw input_error("a Flower object has {} bytes of JSON, expected at most {}", body.size(), most);
  }
  return Json::parse(body);
}

class ObjectReader {
 public:
  ObjectReader(const std::function<std::string(const std::string&)>& pull, std::size_t most_bytes)
      : pull_(pull), bytes_left_(most_bytes) {}

  Records read(const std::string& root) {
    try {
      return read_records(root);
    } catch (const Json::exception& error) {  // JSON, but of another form
      throw input_error("a Flower object cannot be read: {}", error.what());
    }
  }

 private:
  Records read_records(const std::string& root) {
    const std::string content = pulled(root);
    const Object message = parse(content, "Message");
    if (message.children.size() != 1) throw input_error("a Flower message has {} records", message.children.size());
    const std::string dict = pulled(message.children.front());
    Records records;
    const Json members = described_in(parse(dict, "RecordDict").body);
    for (const auto& [name, id] : members.items()) {
      const std::string record = pulled(id.get<std::string>());
      if (record.starts_with("ArrayRecord ")) {
        read_arrays(parse(record, "ArrayRecord"), records);
      } else if (record.starts_with("ConfigRecord ")) {
        read_config(parse(record, "ConfigRecord"), records);
      }
    }
    return records;
  }
  std::string pulled(const std::string& id) {
    std::string content = pull_(id);
    if (id_of(content) != id) throw input_error("a Flower object's content has another hash than its id, {}", id);
    return content;
  }
  void read_arrays(const Object& record, Records& records) {
    const Json keys = described_in(record.body);
    for (const auto& [key, id] : keys.items()) records.arrays.emplace_back(key, read_array(id.get<std::string>()));
  }
  std::string read_array(const std::string& id) {
    const std::string content = pulled(id);
    const Object array = parse(content, "Array");
    const Json described = described_in(array.body);
    if (described.value("stype", "") != stype) throw input_error("a Flower array is not of NumPy's");
    std::string npy;
    for (const Json& index : described.at("arraychunk_ids")) {
      const std::size_t place = index.is_number_unsigned() ? index.get<std::size_t>() : array.children.size();
      if (place >= array.children.size()) throw input_error("a Flower array has no chunk {}", index.dump());
      const std::string chunk = pulled(array.children[place]);
      const std::string_view body = parse(chunk, "ArrayChunk").body;
      if (body.size() > bytes_left_) throw input_error("a Flower message has more bytes than its arrays can have");
      bytes_left_ -= body.size();
      npy += body;
    }
    return npy;
  }
  static void read_config(const Object& record, Records& records) {
    ::flwr::proto::Record config;
    if (!config.ParseFromArray(record.body.data(), static_cast<int>(record.body.size()))) {
      throw input_error("a Flower configuration cannot be read");
    }
    for (const auto& item : config.items()) {
      const auto& value = item.value();
      if (value.has_sint64()) records.config[item.key()] = value.sint64();
      if (value.has_uint64()) records.config[item.key()] = static_cast<std::int64_t>(value.uint64());
    }
  }

  const std::function<std::string(const std::string&)>& pull_;
  std::size_t bytes_left_;
};

class Writer {
 public:
  Objects write(const std::string& message, const ReplyRecords* records) {
    std::vector<Tree> children;
    if (records != nullptr) {
      Json dict = Json::object();
      std::vector<Tree> members;
      if (records->arrays != nullptr) dict["arrays"] = add(members, arrays(*records->arrays));
      dict["metrics"] = add(members, metrics(*records));
      children.push_back(object("RecordDict", std::move(members), dict.dump()));
    }
    objects_.tree = object("Message", std::move(children), message);
    return std::move(objects_);
  }

 private:
  // Children are listed once, in the order of their first use.
  static std::string add(std::vector<Tree>& children, Tree child) {
    std::string id = child.id;
    if (std::ranges::none_of(children, [&](const Tree& other) { return other.id == id; })) {
      children.push_back(std::move(child));
    }
    return id;
  }
  Tree object(std::string_view type, std::vector<Tree> children, std::string_view body) {
    std::string content(type);
    content += ' ';
    for (const Tree& child : children) content += (&child == children.data() ? "" : ",") + child.id;
    content += fmt::format(" {}", body.size());
    content += '\0';
    content += body;
    Tree tree{.id = id_of(content), .children = std::move(children)};
    objects_.contents[tree.id] = std::move(content);
    return tree;
  }
  Tree arrays(const NamedTensors& tensors) {
    Json keys = Json::object();
    std::vector<Tree> children;
    for (const TensorView& tensor : tensors.tensors) keys[tensor.name] = add(children, array(tensor));
    return object("ArrayRecord", std::move(children), keys.dump());
  }
  Tree array(const TensorView& tensor) {
    if (tensor.dtype != DType::f32) throw failed("a Flower array of {}: expected F32", dtype_name(tensor.dtype));
    const std::string npy = npy_from(tensor);
    std::vector<Tree> chunks;
    Json indices = Json::array();
    for (std::size_t at = 0; at < npy.size(); at += largest_chunk) {
      const std::string id = add(chunks, object("ArrayChunk", {}, std::string_view(npy).substr(at, largest_chunk)));
      const auto place = std::ranges::find(chunks, id, &Tree::id);
      indices.push_back(place - chunks.begin());
    }
    const Json described{{"dtype", "float32"}, {"shape", tensor.shape}, {"stype", stype}, {"arraychunk_ids", indices}};
    return object("Array", std::move(chunks), described.dump());
  }
  Tree metrics(const ReplyRecords& records) {
    ::flwr::proto::Record written;
    for (const auto& [name, value] : records.counts) {
      auto& item = *written.add_items();
      item.set_key(name);
      item.mutable_value()->set_sint64(value);
    }
    for (const auto& [name, value] : records.metrics) {
      auto& item = *written.add_items();
      item.set_key(name);
      item.mutable_value()->set_double_(value);
    }
    return object("MetricRecord", {}, written.SerializeAsString());
  }

  Objects objects_;
};

}  // namespace

Records read_message(const std::string& root, const std::function<std::string(const std::string& id)>& pull,
                     std::size_t most_bytes) {
  return ObjectReader(pull, most_bytes).read(root);
}

Objects write_message(const std::string& message, const ReplyRecords* records) {
  return Writer().write(message, records);
}

}  // namespace fedtune::net::flower

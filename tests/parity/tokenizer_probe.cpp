// Reads JSON strings, one per line; writes one JSON value per line. What tests/parity/tokenizer.py compares.
//
//   tokenizer_probe ids FOLDER [MAX_LENGTH]   token ids
//   tokenizer_probe time FOLDER               the same silently, then milliseconds on the last line
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"
#include "fedtune/text/tokenizer.h"

namespace {

std::vector<std::string> read_strings() {
  std::vector<std::string> strings;
  for (std::string line; std::getline(std::cin, line);) {
    strings.push_back(nlohmann::json::parse(line).get<std::string>());
  }
  return strings;
}

void print_ids(const fedtune::text::Tokenizer& tokenizer, const std::vector<std::string>& strings,
               std::int64_t max_length) {
  for (const std::string& text : strings) fmt::print("[{}]\n", fmt::join(tokenizer.encode(text, max_length), ","));
}

void print_time(const fedtune::text::Tokenizer& tokenizer, const std::vector<std::string>& strings) {
  const auto start = std::chrono::steady_clock::now();
  std::size_t tokens = 0;
  for (const std::string& text : strings) tokens += tokenizer.encode(text, 512).size();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  fmt::print("{{\"sentences\": {}, \"tokens\": {}, \"milliseconds\": {:.2f}}}\n", strings.size(), tokens,
             elapsed.count());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: tokenizer_probe ids|time FOLDER [MAX_LENGTH] < strings.jsonl\n");
    return 2;
  }
  try {
    const auto tokenizer = fedtune::text::Tokenizer::load(argv[2]);
    const std::vector<std::string> strings = read_strings();
    if (std::string(argv[1]) == "time") {
      print_time(tokenizer, strings);
    } else {
      print_ids(tokenizer, strings, argc > 3 ? std::stoll(argv[3]) : 512);
    }
    return 0;
  } catch (const fedtune::Error& error) {
    fmt::print(stderr, "tokenizer_probe: {}\n", error.what());
    return static_cast<int>(error.kind());
  }
}

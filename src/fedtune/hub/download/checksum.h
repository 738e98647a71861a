// The hashes by which the hub names contents.
#pragma once

#include <filesystem>
#include <string>

namespace fedtune::hub {

enum class ChecksumKind {
  sha256,    // 64 hexadecimal digits: a large file
  git_sha1,  // 40: a small one, as `git hash-object` gives it
  none,      // a mirror's own ETag, which says nothing about the content
};

ChecksumKind checksum_kind(const std::string& etag);

// Whether the file's content is what the ETag names; true for an ETag that names none. Throws Error(input) where the
// file cannot be read.
bool is_content_of(const std::filesystem::path& file, const std::string& etag);

}  // namespace fedtune::hub

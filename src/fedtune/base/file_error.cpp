#include "fedtune/base/file_error.h"

#include <cerrno>
#include <system_error>

namespace fedtune {
namespace {

const char* write_remedy(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another folder";
    case EROFS:
    case EACCES:
    case EPERM:
      return "choose a folder that can be written to, or change its permissions";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f) or choose another file system";
    case ENOENT:
    case ENOTDIR:
      return "create the folder first, or check the path";
    default:
      return "check the disk and the path";
  }
}

const char* read_remedy(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
      return "change its permissions";
    case EIO:
      return "check the disk";
    default:
      return "check the path";
  }
}

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace

Error write_error(const std::filesystem::path& path, int error_number) {
  return failed("writing {}: {}; {}", path.string(), reason(error_number), write_remedy(error_number));
}

Error read_error(const std::filesystem::path& path, int error_number) {
  return input_error("reading {}: {}; {}", path.string(), reason(error_number), read_remedy(error_number));
}

}  // namespace fedtune

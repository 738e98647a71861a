// Accepted, or refused with a reason: the outcome of a check that is part of normal work.
#pragma once

#include <string>
#include <utility>

namespace fedtune {

class [[nodiscard]] Status {
 public:
  static Status ok() { return Status{}; }
  static Status refused(std::string reason) { return Status{std::move(reason)}; }

  bool is_ok() const noexcept { return reason_.empty(); }
  explicit operator bool() const noexcept { return is_ok(); }
  // Why it was refused; empty when it was not.
  const std::string& reason() const noexcept { return reason_; }

 private:
  Status() = default;
  explicit Status(std::string reason) : reason_(reason.empty() ? "refused" : std::move(reason)) {}
  std::string reason_;
};

}  // namespace fedtune

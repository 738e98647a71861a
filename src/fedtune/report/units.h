// Quantities as people read them.
#pragma once

#include <string>

namespace fedtune::report {

// "74.5 kB": powers of 1000.
std::string bytes_text(double bytes);

// Up to four significant digits: "0.7883", "1710", "3.2e-05"; "-" where there is no number.
std::string number_text(double value);

// "0.05 s", "12.3 s", "4m 05s": what a phase took.
std::string seconds_text(double seconds);

}  // namespace fedtune::report
